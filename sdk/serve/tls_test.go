package serve_test

import (
	"crypto/tls"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-magnum/magnum/sdk/serve"
)

// connectTLS sends one byte from a host to a process and back.
func connectTLS(t *testing.T, host, process serve.Keys) error {
	t.Helper()
	serverTLS, err := process.ServerConfig()
	if err != nil {
		t.Fatal(err)
	}
	return connectServer(t, host, serverTLS)
}

// A server of gRPC's implementation in C takes P-256 alone.
func TestHostTakesServersOfOtherLanguages(t *testing.T) {
	host, process, err := serve.NewKeys(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	config, err := process.ServerConfig()
	if err != nil {
		t.Fatal(err)
	}
	config.CurvePreferences = []tls.CurveID{tls.CurveP256}
	if err := connectServer(t, host, config); err != nil {
		t.Error(err)
	}
}

func connectServer(t *testing.T, host serve.Keys, serverTLS *tls.Config) error {
	t.Helper()
	clientTLS, err := host.ClientConfig()
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	a, err := net.Dial("unix", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer b.Close()
		server := tls.Server(b, serverTLS)
		one := make([]byte, 1)
		if _, err := server.Read(one); err == nil {
			_, _ = server.Write(one)
		}
	}()
	defer func() {
		_ = a.Close()
		<-done
	}()
	client := tls.Client(a, clientTLS)
	if _, err := client.Write([]byte{1}); err != nil {
		return err
	}
	_, err = client.Read(make([]byte, 1))
	return err
}
