package plugins

import (
	"testing"

	"github.com/go-magnum/magnum/sdk/archtest"
)

func TestImports(t *testing.T) {
	archtest.Check(t, ".",
		archtest.Rule{Dir: ".", Deny: []string{"github.com/go-magnum/magnum/core", "github.com/go-magnum/magnum/cmd", "github.com/go-magnum/magnum/drivers-k8s-fedora-atomic", "github.com/go-magnum/magnum/drivers-k8s-coreos", "github.com/go-magnum/magnum/drivers-swarm", "github.com/go-magnum/magnum/drivers-mesos"}, Why: "the host side of drivers stands on the sdk alone"},
	)
}
