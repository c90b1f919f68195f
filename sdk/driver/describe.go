package driver

import "slices"

// DescribeRequest asks a driver what it is. The answer is stored with the
// package, so that nobody has to start a driver to read it.
type DescribeRequest struct{}

// DescribeResponse holds the description.
type DescribeResponse struct {
	Description Description
}

// Description is all that the core, the API and an operator know of a driver
// without running it. It is also the content of describe.json.
type Description struct {
	// Name is unique among drivers: lower-case letters, digits, - and _.
	Name string `json:"name"`
	// DisplayName is for people.
	DisplayName string `json:"display_name,omitempty"`
	// Version is the driver's own, semver without a leading v.
	Version      string        `json:"version"`
	Maturity     Maturity      `json:"maturity"`
	ClusterTypes []ClusterType `json:"cluster_types"`
	// LabelSchema is a JSON Schema (2020-12) of the labels this driver acts
	// on. Label values are strings; the schema's types say how the driver
	// reads them. Labels that it does not name are accepted and ignored. A
	// property with "x-per-node-group": false is of the whole cluster.
	LabelSchema RawJSON `json:"label_schema,omitempty"`
	// NetworkDrivers and VolumeDrivers are what a cluster template may name;
	// the first network driver is the default.
	NetworkDrivers []string `json:"network_drivers,omitempty"`
	VolumeDrivers  []string `json:"volume_drivers,omitempty"`
	// Capabilities lists what clusters of this driver can do beyond create
	// and delete.
	Capabilities []Capability `json:"capabilities,omitempty"`
	Limits       Limits       `json:"limits"`
	// ResourceTypes are the Heat resource types of the templates.
	ResourceTypes []string `json:"resource_types,omitempty"`
	// ConfigSchema is a JSON Schema of the operator's configuration.
	ConfigSchema RawJSON  `json:"config_schema,omitempty"`
	Services     []string `json:"services"`
	// TemplatePath names the main Heat template, for list-drivers -p; empty
	// where there is none.
	TemplatePath string `json:"template_path,omitempty"`
	// ContainerVersion is the version of the container runtime that the
	// image of this driver brings, shown as a cluster's container_version.
	ContainerVersion string `json:"container_version,omitempty"`
	// UpgradeLabels are the labels of which a template must have one for a
	// cluster to be upgraded to it, such as kube_tag. Values that are
	// versions (semver, with or without v) may not go down. Empty: any
	// template of the same cluster type will do.
	UpgradeLabels []string `json:"upgrade_labels,omitempty"`
	// TrustFor are the choices of a user, as FIELD=VALUE, for which nodes act
	// as the cluster's user, such as volume_driver=rexray. A field is
	// volume_driver, registry_enabled or labels/NAME. The API refuses such a
	// cluster unless the operator has set [trust] cluster_user_trust, without
	// which SecretTrustID is empty.
	TrustFor []string `json:"trust_for,omitempty"`
}

// ClusterType is what a cluster template selects a driver by.
type ClusterType struct {
	ServerType string `json:"server_type"` // vm or bm
	OS         string `json:"os"`          // the image's os_distro
	COE        string `json:"coe"`
	// Priority decides between two enabled drivers of the same type; the
	// higher one wins, equal ones are a conflict.
	Priority int `json:"priority,omitempty"`
}

// Maturity says how far a driver may be trusted.
type Maturity string

// The maturities. A beta driver must be enabled by name.
const (
	MaturityStable     Maturity = "stable"
	MaturityBeta       Maturity = "beta"
	MaturityDeprecated Maturity = "deprecated"
)

// Capability is something a driver's clusters can do.
type Capability string

// The capabilities the core asks about.
//
//nolint:gosec // words, not credentials
const (
	CapResize             Capability = "resize"
	CapResizeMasters      Capability = "resize-masters"
	CapUpgrade            Capability = "upgrade"
	CapRotateCA           Capability = "rotate-ca"
	CapRotateCredential   Capability = "rotate-credential"
	CapNodeGroups         Capability = "node-groups"
	CapZeroNodes          Capability = "zero-nodes"
	CapNodeLabels         Capability = "node-labels"
	CapHealth             Capability = "health"
	CapTLSDisabled        Capability = "tls-disabled"
	CapRemoveNamedNodes   Capability = "remove-named-nodes"
	CapMasterLoadBalancer Capability = "master-load-balancer"
)

// Limits are checked by the API before a cluster is accepted.
type Limits struct {
	MinMasters int  `json:"min_masters,omitempty"` // 0 means 1
	MaxMasters int  `json:"max_masters,omitempty"` // 0 means no limit
	OddMasters bool `json:"odd_masters,omitempty"`
}

// Has reports whether the driver claims a capability.
func (d Description) Has(c Capability) bool {
	for _, have := range d.Capabilities {
		if have == c {
			return true
		}
	}
	return false
}

// Stackless reports whether the driver's clusters are made by operations of its
// own and not by stacks of Heat.
func (d Description) Stackless() bool {
	return slices.Contains(d.Services, ServiceLifecycle) && !slices.Contains(d.Services, ServiceTemplates)
}

// RawJSON is a JSON text that is passed on as it is.
type RawJSON []byte

// MarshalJSON writes the text itself, or null where there is none.
func (r RawJSON) MarshalJSON() ([]byte, error) {
	if len(r) == 0 {
		return []byte("null"), nil
	}
	return r, nil
}

// UnmarshalJSON keeps the text.
func (r *RawJSON) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*r = nil
		return nil
	}
	*r = append((*r)[:0], b...)
	return nil
}
