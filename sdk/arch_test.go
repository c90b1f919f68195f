package sdk

import (
	"testing"

	"github.com/go-magnum/magnum/sdk/archtest"
)

func TestImports(t *testing.T) {
	archtest.Check(t, ".",
		archtest.Rule{Dir: ".", Deny: []string{"github.com/go-magnum/magnum/core", "github.com/go-magnum/magnum/plugins", "github.com/go-magnum/magnum/cmd"}, Why: "an author needs the sdk alone"},
		archtest.Rule{Dir: ".", Deny: []string{"github.com/gophercloud", "database/sql", "github.com/uptrace/bun", "k8s.io"}, Why: "the sdk's dependencies weigh on every driver"},
		archtest.Rule{Dir: "driver", Deny: []string{"github.com", "google.golang.org", "gopkg.in", "go.yaml.in"}, Except: []string{"github.com/go-magnum/magnum/sdk/driver", "github.com/google/go-cmp"}, Why: "the contract uses the standard library only"},
	)
}
