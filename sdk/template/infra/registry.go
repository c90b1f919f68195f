package infra

import (
	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template"
)

// RegistryLabels are those that the parameters of [Registry] read.
func RegistryLabels() []template.Label {
	return []template.Label{
		{Name: "registry_tag", Default: "2", Pattern: TagForm, PerNodeGroup: true, Description: "Tag of the image of the nodes' registry; where registry_enabled is true."},
	}
}

// Registry is one on every node, whose images are the user's in Swift. Declared
// by registry-parameters; trust_id is declared by rexray-parameters.
func Registry() []template.Parameter {
	all := append(template.SameAsLabels("registry_tag"), []template.Parameter{
		{Name: "trust_id", From: template.Secret(driver.SecretTrustID)},
		{Name: "trustee_username", From: template.Cluster("TrusteeUsername")},
		{Name: "trustee_domain_id", From: template.Cluster("TrusteeDomainID")},
		{Name: "registry_region", From: template.Endpoint("RegistryRegion")},
		{Name: "registry_container", From: template.Endpoint("RegistryContainer")},
	}...)
	for i := range all {
		all[i].When = UsesRegistry
	}
	return all
}

// RegistryTrust is what it is in TrustFor of a definition.
const RegistryTrust = "registry_enabled=true"

// UsesRegistry is the condition of its step own-registry and its service
// registry.
func UsesRegistry(v *template.Values) bool { return v.Template.RegistryEnabled }
