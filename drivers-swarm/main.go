// Command magnum-driver-swarm is the driver of Docker clusters in swarm mode. A
// conductor starts it; by hand it knows describe and version.
package main

import (
	"github.com/go-magnum/magnum/drivers-swarm/swarm"
	"github.com/go-magnum/magnum/sdk/serve"
)

// Set by the linker.
var (
	version = "0.0.0-dev"
	commit  = ""
)

func main() {
	d := swarm.Definition()
	d.Version = version
	serve.Main(serve.Plugin{
		Name:       d.Name,
		Version:    version,
		Commit:     commit,
		Driver:     d,
		Templates:  d,
		Scaling:    swarm.Scaling{},
		Monitoring: swarm.Monitoring{},
	})
}
