package infra

import (
	"slices"
	"strings"

	"github.com/go-magnum/magnum/sdk/template"
)

// Step is a step of a boot script in boot/step, under a numbered name.
func Step(name, file string) template.Fragment {
	return template.Fragment{Name: name, File: "boot/step/" + file + ".sh"}
}

// Service is what a unit of a node runs, in boot/service. Other than a step it
// is written down at boot and started by the unit of its name.
func Service(name string) template.Fragment {
	return template.Fragment{Name: name, File: "boot/service/" + name + ".sh"}
}

// Steps are those that all nodes have, as far as the cluster asks for them: the
// cloud's CA, proxies, and the insecure registry of docker on Fedora Atomic and
// of podman.
func Steps() []template.Fragment {
	trust, proxy, registry := Step("020-trust", "trust"), Step("030-proxy", "proxy"), Step("040-registry", "registry")
	trust.When = func(v *template.Values) bool { return v.Endpoints.CACert != "" }
	proxy.When = func(v *template.Values) bool { return v.Template.HTTPProxy != "" || v.Template.HTTPSProxy != "" }
	registry.When = func(v *template.Values) bool { return v.Template.InsecureRegistry != "" }
	return []template.Fragment{trust, proxy, registry}
}

// Ordered are the steps of lists, by the numbers of their names.
func Ordered(lists ...[]template.Fragment) []template.Fragment {
	all := slices.Concat(lists...)
	slices.SortStableFunc(all, func(a, b template.Fragment) int { return strings.Compare(a.Name, b.Name) })
	return all
}
