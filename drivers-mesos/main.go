// Command magnum-driver-mesos is the driver of Apache Mesos clusters on Ubuntu.
// A conductor starts it; by hand it knows describe and version.
package main

import (
	"github.com/go-magnum/magnum/drivers-mesos/mesos"
	"github.com/go-magnum/magnum/sdk/serve"
)

// Set by the linker.
var (
	version = "0.0.0-dev"
	commit  = ""
)

func main() {
	d := mesos.Definition()
	d.Version = version
	serve.Main(serve.Plugin{Name: d.Name, Version: version, Commit: commit, Driver: d, Templates: d, Scaling: mesos.Scaling{}})
}
