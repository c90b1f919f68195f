package standalone

import (
	"slices"

	"github.com/go-magnum/magnum/drivers-swarm/engine"
	"github.com/go-magnum/magnum/sdk/template"
	"github.com/go-magnum/magnum/sdk/template/infra"
)

// nodeServices is the list of what runs on workers besides the users' containers.
const nodeServices = "node-services"

// scripts are what masters and workers run. Containers are on workers alone, so
// masters have neither flannel nor REX-Ray.
func scripts() map[string][]template.Fragment {
	common := slices.Concat(infra.Steps(), []template.Fragment{
		infra.Step("046-certificates", "certificates").If(engine.WithTLS),
		infra.Step("047-daemon", "daemon"),
		infra.Step("050-docker", "docker"),
		infra.Step("900-ready", "ready"),
	})
	return map[string][]template.Fragment{
		"master-steps": infra.Ordered(common, []template.Fragment{
			infra.Step("100-etcd", "etcd"),
			infra.Step("110-network", "network").If(usesFlannel),
			infra.Step("200-manager", "manager"),
		}),
		"node-steps": infra.Ordered(common, []template.Fragment{
			infra.Step("100-flannel", "flannel").If(usesFlannel),
			infra.Step("110-rexray", "rexray").If(infra.UsesRexRay),
			infra.Step("120-registry", "own-registry").If(infra.UsesRegistry),
			infra.Step("200-agent", "agent"),
		}),
		"master-services": {infra.Service("etcd"), infra.Service("swarm-manager")},
		nodeServices: {
			infra.Service("flannel").If(usesFlannel), infra.Service("rexray").If(infra.UsesRexRay),
			infra.Service("registry").If(infra.UsesRegistry), infra.Service("swarm-agent"),
		},
	}
}
