package core

import (
	"testing"

	"github.com/go-magnum/magnum/sdk/archtest"
)

func TestImports(t *testing.T) {
	archtest.Check(t, ".",
		archtest.Rule{Dir: ".", Deny: []string{"github.com/go-magnum/magnum/plugins", "github.com/go-magnum/magnum/cmd", "github.com/go-magnum/magnum/drivers-k8s-fedora-atomic", "github.com/go-magnum/magnum/drivers-k8s-coreos", "github.com/go-magnum/magnum/drivers-swarm", "github.com/go-magnum/magnum/drivers-mesos"}, Why: "the core knows drivers only through an interface"},
		archtest.Rule{Dir: ".", Deny: []string{"github.com/hashicorp/go-plugin", "google.golang.org/grpc"}, Why: "how a driver is reached is the plugins module's business"},
		archtest.Rule{Dir: ".", Deny: []string{"github.com/go-magnum/magnum/sdk"}, Except: []string{"github.com/go-magnum/magnum/sdk/driver", "github.com/go-magnum/magnum/sdk/hot", "github.com/go-magnum/magnum/sdk/archtest"}, Why: "of the sdk the core needs the contract and the template engine only"},
		archtest.Rule{Dir: ".", But: []string{"api/apitest"}, Deny: []string{"github.com/getkin/kin-openapi"}, Why: "only tests look at the description of the API"},
		archtest.Rule{Dir: ".", Shipped: true, Deny: []string{"github.com/go-magnum/magnum/core/api/apitest"}, Why: "a test kit is for tests"},
		archtest.Rule{Dir: "magnum", Deny: []string{"github.com/go-magnum/magnum", "database/sql", "net/http", "os"}, Except: []string{"github.com/go-magnum/magnum/core/magnum"}, Why: "the domain imports nothing of ours and does no I/O"},
	)
}
