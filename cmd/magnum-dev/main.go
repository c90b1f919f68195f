// Command magnum-dev is the whole service in one process on an embedded cloud:
// for trying it out, for writing drivers, for tests.
package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/go-magnum/magnum/cmd/internal/command"
)

func main() {
	c := command.New("magnum-dev", "Run API, conductor and an embedded OpenStack in one process",
		"Everything is on loopback, in one folder, and gone with it. The embedded cloud has the\n"+
			"calls the service makes and no more; its servers are names with addresses.")
	o := flags(c)
	c.Flags().StringArrayVar(&o.attach, "attach", nil, "use the driver that its author has started in this `folder`, as magnum-driver-manage run prints it; may be given more than once")
	c.RunE = func(c *cobra.Command, _ []string) error { return serve(c, o) }
	c.AddCommand(demo(o))
	command.Main(c)
}

type options struct {
	dir         string
	drivers     string
	attach      []string
	listen      string
	serverDelay time.Duration
}

func flags(c *cobra.Command) *options {
	o := &options{}
	f := c.PersistentFlags()
	f.StringVar(&o.dir, "dir", "", "`folder` for database, drivers and log; a temporary one is made and removed if not given")
	f.StringVar(&o.drivers, "drivers", "", "install the driver packages that are in this `folder`")
	f.StringVar(&o.listen, "listen", "127.0.0.1:9511", "`address` of the API; port 0 takes a free one")
	f.DurationVar(&o.serverDelay, "server-delay", time.Second, "how long a server of the embedded cloud takes to come up")
	return o
}
