// Command magnum-driver-k8s-fedora-coreos is the driver of Kubernetes clusters on
// Fedora CoreOS. A conductor starts it; by hand it knows describe and version.
package main

import (
	"github.com/go-magnum/magnum/drivers-k8s-coreos/coreos"
	"github.com/go-magnum/magnum/sdk/serve"
)

// Set by the linker.
var (
	version = "0.0.0-dev"
	commit  = ""
)

func main() { serve.Main(coreos.Plugin(coreos.Fedora(), version, commit)) }
