package k8scoreos

import (
	"testing"

	"github.com/go-magnum/magnum/sdk/archtest"
)

func TestImports(t *testing.T) {
	archtest.Check(t, ".",
		archtest.Rule{Dir: ".", Deny: []string{"github.com/go-magnum/magnum/core", "github.com/go-magnum/magnum/plugins", "github.com/go-magnum/magnum/cmd", "github.com/go-magnum/magnum/drivers-k8s-fedora-atomic", "github.com/go-magnum/magnum/drivers-swarm", "github.com/go-magnum/magnum/drivers-mesos"}, Why: "a driver stands on the sdk alone"},
	)
}
