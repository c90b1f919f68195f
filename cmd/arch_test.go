package cmd

import (
	"testing"

	"github.com/go-magnum/magnum/sdk/archtest"
)

func TestImports(t *testing.T) {
	archtest.Check(t, ".",
		archtest.Rule{Dir: ".", Deny: []string{"github.com/go-magnum/magnum/drivers-k8s-fedora-atomic", "github.com/go-magnum/magnum/drivers-k8s-coreos", "github.com/go-magnum/magnum/drivers-swarm", "github.com/go-magnum/magnum/drivers-mesos"}, Why: "a driver is a package that is installed, not a library"},
		archtest.Rule{Dir: ".", Shipped: true, Deny: []string{"github.com/go-magnum/magnum/core/api/apitest"}, Why: "a test kit is for tests"},
	)
}
