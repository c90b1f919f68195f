package api

import (
	"maps"
	"slices"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/policy"
)

var (
	_ policy.Described = clusterTarget{}
	_ policy.Described = templateTarget{}
)

// clusterFacts and templateFacts are what rules may compare of an object
// besides its project and its user, which all rules compare and which are at
// hand therefore. None is a secret: remote checks are told all of them.
var clusterFacts = map[string]func(*magnum.Cluster) string{
	"uuid":                func(c *magnum.Cluster) string { return c.UUID },
	"name":                func(c *magnum.Cluster) string { return c.Name },
	"project_id":          func(c *magnum.Cluster) string { return c.ProjectID },
	"user_id":             func(c *magnum.Cluster) string { return c.UserID },
	"cluster_template_id": func(c *magnum.Cluster) string { return c.ClusterTemplateID },
	"status":              func(c *magnum.Cluster) string { return string(c.Status) },
	"health_status":       func(c *magnum.Cluster) string { return string(c.HealthStatus) },
	"keypair":             func(c *magnum.Cluster) string { return c.Keypair },
	"flavor_id":           func(c *magnum.Cluster) string { return c.FlavorID },
	"master_flavor_id":    func(c *magnum.Cluster) string { return c.MasterFlavorID },
	"fixed_network":       func(c *magnum.Cluster) string { return c.FixedNetwork },
	"fixed_subnet":        func(c *magnum.Cluster) string { return c.FixedSubnet },
	"floating_ip_enabled": func(c *magnum.Cluster) string { return truth(c.FloatingIPEnabled) },
	"master_lb_enabled":   func(c *magnum.Cluster) string { return truth(c.MasterLBEnabled) },
}

var templateFacts = map[string]func(*magnum.ClusterTemplate) string{
	"uuid":                func(t *magnum.ClusterTemplate) string { return t.UUID },
	"name":                func(t *magnum.ClusterTemplate) string { return t.Name },
	"project_id":          func(t *magnum.ClusterTemplate) string { return t.ProjectID },
	"user_id":             func(t *magnum.ClusterTemplate) string { return t.UserID },
	"coe":                 func(t *magnum.ClusterTemplate) string { return t.COE },
	"server_type":         func(t *magnum.ClusterTemplate) string { return t.ServerType },
	"cluster_distro":      func(t *magnum.ClusterTemplate) string { return t.ClusterDistro },
	"image_id":            func(t *magnum.ClusterTemplate) string { return t.ImageID },
	"flavor_id":           func(t *magnum.ClusterTemplate) string { return t.FlavorID },
	"master_flavor_id":    func(t *magnum.ClusterTemplate) string { return t.MasterFlavorID },
	"keypair_id":          func(t *magnum.ClusterTemplate) string { return t.KeypairID },
	"external_network_id": func(t *magnum.ClusterTemplate) string { return t.ExternalNetworkID },
	"network_driver":      func(t *magnum.ClusterTemplate) string { return t.NetworkDriver },
	"volume_driver":       func(t *magnum.ClusterTemplate) string { return t.VolumeDriver },
	"public":              func(t *magnum.ClusterTemplate) string { return truth(t.Public) },
	"hidden":              func(t *magnum.ClusterTemplate) string { return truth(t.Hidden) },
	"tls_disabled":        func(t *magnum.ClusterTemplate) string { return truth(t.TLSDisabled) },
}

// truth is a boolean in the words of rules.
func truth(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

func (t clusterTarget) fact(name string) (string, bool) {
	if of := clusterFacts[name]; of != nil {
		v := of(t.cluster)
		return v, v != ""
	}
	return t.trustee(name)
}

// AttributeNames is of [policy.Described].
func (clusterTarget) AttributeNames() []string { return slices.Sorted(maps.Keys(clusterFacts)) }

func (t templateTarget) fact(name string) (string, bool) {
	if of := templateFacts[name]; of != nil {
		v := of(t.template)
		return v, v != ""
	}
	return t.trustee(name)
}

// AttributeNames is of [policy.Described].
func (templateTarget) AttributeNames() []string { return slices.Sorted(maps.Keys(templateFacts)) }
