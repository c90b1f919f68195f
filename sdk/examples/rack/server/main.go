// Command server runs the service that the example driver works with.
package main

import (
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/go-magnum/magnum/sdk/examples/rack/service"
)

func main() {
	server := http.Server{Addr: "127.0.0.1:9512", Handler: service.New(time.Second), ReadHeaderTimeout: 5 * time.Second}
	fmt.Println("the rack answers on " + server.Addr)
	fmt.Fprintln(os.Stderr, server.ListenAndServe())
	os.Exit(1)
}
