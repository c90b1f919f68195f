package swarm

import (
	"slices"

	"github.com/go-magnum/magnum/drivers-swarm/engine"
	"github.com/go-magnum/magnum/sdk/template"
	"github.com/go-magnum/magnum/sdk/template/infra"
)

// on is the condition of what the images with these systems need.
func on(systems ...string) template.Condition {
	return func(v *template.Values) bool { return slices.Contains(systems, v.Template.ClusterDistro) }
}

// scripts are what masters and workers run. Fedora Atomic brings docker; what it
// is told there is in two places, the system's and its own daemon.json.
func scripts() map[string][]template.Fragment {
	shared := infra.Steps()
	for i, f := range shared {
		if f.File == "boot/step/registry.sh" {
			shared[i] = f.If(on(atomic)) // of the others it is in daemon.json
		}
	}
	common := slices.Concat(shared, []template.Fragment{
		infra.Step("045-packages", "packages").If(on(ubuntu, debian)),
		infra.Step("046-certificates", "certificates").If(engine.WithTLS),
		infra.Step("047-daemon", "daemon").If(on(atomic)),
		infra.Step("050-docker", "docker").If(on(atomic)),
		infra.Step("050-docker", "docker-daemon").If(on(ubuntu, debian)),
		infra.Step("060-rexray", "rexray").If(infra.UsesRexRay),
		infra.Step("100-swarm", "swarm"),
		infra.Step("900-ready", "ready"),
	})
	unit := []template.Fragment{infra.Step("048-unit", "unit").If(on(ubuntu, debian))}
	services := []template.Fragment{infra.Service("rexray").If(infra.UsesRexRay)}
	return map[string][]template.Fragment{
		"master-steps":    infra.Ordered(common, unit),
		"node-steps":      common,
		"master-services": services,
		"node-services":   services,
	}
}
