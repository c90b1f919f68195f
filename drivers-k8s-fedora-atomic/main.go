// Command magnum-driver-k8s-fedora-atomic is the driver of Kubernetes clusters
// on Fedora Atomic. A conductor starts it; by hand it knows describe and
// version.
package main

import (
	"github.com/go-magnum/magnum/drivers-k8s-fedora-atomic/atomic"
	"github.com/go-magnum/magnum/sdk/k8s"
	"github.com/go-magnum/magnum/sdk/serve"
)

// Set by the linker.
var (
	version = "0.0.0-dev"
	commit  = ""
)

func main() {
	d := atomic.Definition()
	d.Version = version
	serve.Main(serve.Plugin{
		Name:       d.Name,
		Version:    version,
		Commit:     commit,
		Driver:     d,
		Templates:  d,
		Scaling:    k8s.Scaling{},
		Monitoring: k8s.MonitoringOf(d),
	})
}
