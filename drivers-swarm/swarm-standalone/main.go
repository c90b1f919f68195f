// Command magnum-driver-swarm-standalone is the driver of clusters of Docker
// engines behind a standalone Swarm. A conductor starts it; by hand it knows
// describe and version.
package main

import (
	"github.com/go-magnum/magnum/drivers-swarm/standalone"
	"github.com/go-magnum/magnum/sdk/serve"
)

// Set by the linker.
var (
	version = "0.0.0-dev"
	commit  = ""
)

func main() {
	d := standalone.Definition()
	d.Version = version
	serve.Main(serve.Plugin{
		Name: d.Name, Version: version, Commit: commit,
		Driver: d, Templates: d, Scaling: standalone.Scaling{}, Monitoring: standalone.Monitoring{},
	})
}
