package swarm

import (
	"slices"
	"strings"

	"github.com/go-magnum/magnum/sdk/template"
	"github.com/go-magnum/magnum/sdk/template/infra"
)

// on is the condition of what the images with these systems need.
func on(systems ...string) template.Condition {
	return func(v *template.Values) bool { return slices.Contains(systems, v.Template.ClusterDistro) }
}

// both holds where each of two conditions does; none is always.
func both(a, b template.Condition) template.Condition {
	return func(v *template.Values) bool { return (a == nil || a(v)) && (b == nil || b(v)) }
}

func withTLS(v *template.Values) bool { return !v.Template.TLSDisabled }

func when(c template.Condition, f template.Fragment) template.Fragment {
	f.When = both(c, f.When)
	return f
}

// scripts are what masters and workers run. Fedora Atomic brings docker; what it
// is told there is in two places, the system's and its own daemon.json.
func scripts() map[string][]template.Fragment {
	shared := infra.Steps()
	for i, f := range shared {
		if strings.HasSuffix(f.Name, "registry") {
			shared[i] = when(on(atomic), f) // of the others it is in daemon.json
		}
	}
	common := slices.Concat(shared, []template.Fragment{
		when(on(ubuntu, debian), infra.Step("045-packages", "packages")),
		when(withTLS, infra.Step("046-certificates", "certificates")),
		when(on(atomic), infra.Step("047-daemon", "daemon")),
		when(on(atomic), infra.Step("050-docker", "docker")),
		when(on(ubuntu, debian), infra.Step("050-docker", "docker-daemon")),
		when(infra.UsesRexRay, infra.Step("060-rexray", "rexray")),
	})
	unit := when(on(ubuntu, debian), infra.Step("048-unit", "unit"))
	end := []template.Fragment{infra.Step("100-swarm", "swarm"), infra.Step("900-ready", "ready")}
	services := []template.Fragment{when(infra.UsesRexRay, infra.Service("rexray"))}
	sorted := func(list ...template.Fragment) []template.Fragment {
		slices.SortStableFunc(list, func(a, b template.Fragment) int { return strings.Compare(a.Name, b.Name) })
		return list
	}
	return map[string][]template.Fragment{
		"master-steps":    sorted(slices.Concat(common, end, []template.Fragment{unit})...),
		"node-steps":      sorted(slices.Concat(common, end)...),
		"master-services": services,
		"node-services":   services,
	}
}
