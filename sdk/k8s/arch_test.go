package k8s_test

import (
	"testing"

	"github.com/go-magnum/magnum/sdk/archtest"
)

func TestImports(t *testing.T) {
	archtest.Check(t, ".",
		archtest.Rule{Dir: ".", Deny: []string{"github.com/go-magnum/magnum/"}, Except: []string{"github.com/go-magnum/magnum/sdk"}, Why: "drivers stand on the sdk alone"},
		archtest.Rule{Dir: ".", Deny: []string{"k8s.io"}, Why: "plain HTTP is all it takes, and a client would weigh on every driver"},
	)
}
