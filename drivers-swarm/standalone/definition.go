// Package standalone defines the driver of clusters of Docker engines behind a
// standalone Swarm, on virtual machines with Fedora Atomic.
package standalone

import (
	"net/url"
	"slices"

	"github.com/go-magnum/magnum/drivers-swarm/engine"
	"github.com/go-magnum/magnum/drivers-swarm/standalone/stack"
	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template"
	"github.com/go-magnum/magnum/sdk/template/infra"
)

// Name is the driver's name: upstream's, so that what names it goes on working.
const Name = "swarm_fedora_atomic_v1"

// Definition is the driver as data, a new one at each call.
func Definition() *template.Definition {
	return &template.Definition{
		Name:           Name,
		DisplayName:    "Docker behind a standalone Swarm",
		Maturity:       driver.MaturityStable,
		Types:          []driver.ClusterType{{ServerType: "vm", OS: engine.Atomic, COE: "swarm"}},
		NetworkDrivers: []string{"docker", "flannel"},
		VolumeDrivers:  []string{"rexray"},
		TrustFor:       []string{infra.RexRayTrust, infra.RegistryTrust},
		Capabilities: []driver.Capability{
			driver.CapResize, driver.CapZeroNodes, driver.CapHealth, driver.CapRemoveNamedNodes,
			driver.CapMasterLoadBalancer, driver.CapTLSDisabled, driver.CapNodeGroups,
		},
		Limits:           driver.Limits{MinMasters: 1, OddMasters: true},
		ContainerVersion: engine.Version,
		Labels:           labels(),
		Parameters:       parameters(),
		Outputs: append(engine.Outputs("2376"),
			template.Output{Const: engine.Version, To: template.ToContainerVersion},
			template.Output{Parameter: version, To: template.ToCOEVersion}),
		Scripts:       scripts(),
		Files:         engine.Files(stack.Files),
		Main:          "main.yaml",
		NodeGroupMain: "nodegroup.yaml",
		Checks: []infra.Check{
			infra.GivenNetwork, infra.NodeCounts,
			infra.StorageDrivers("overlay2", "overlay", "devicemapper"), network, discoveryURL,
		},
	}
}

const (
	version  = "swarm_version"
	strategy = "swarm_strategy"
)

func labels() []template.Label {
	own := []template.Label{
		{Name: version, Default: "1.2.9", Pattern: infra.TagForm, Description: "Version of Swarm: the tag of its image."},
		{Name: strategy, Default: "spread", Enum: []string{"spread", "binpack", "random"}, Description: "How Swarm chooses a node for a container: the one with the fewest, the fullest that still has room, or any."},
		infra.ImagePrefix(),
	}
	return engine.Labels(slices.Concat(own, infra.EtcdLabels(), infra.FlannelLabels("containers"), infra.RegistryLabels())...)
}

func parameters() []template.Parameter {
	flannel := template.SameAsLabels("flannel_tag", infra.FlannelNetwork, "flannel_network_subnetlen", "flannel_backend")
	for i := range flannel {
		flannel[i].When = usesFlannel
		if i > 0 {
			flannel[i].In = template.ClusterStack // all of it the first master says to etcd
		}
	}
	return slices.Concat(
		engine.Parameters(), infra.EtcdVolume(), infra.Registry(), flannel,
		template.SameAsLabels(version, "container_infra_prefix"),
		[]template.Parameter{{Name: "network_driver", From: template.Computed("template NetworkDriver, or the first that there is", networkDriver)}},
		template.In(template.ClusterStack, append(template.SameAsLabels(strategy, "etcd_tag"),
			template.Parameter{Name: "discovery_url", From: template.Cluster("DiscoveryURL")})),
	)
}

// networkDriver is how containers of several nodes reach each other: by networks
// that users make with docker, or by addresses that flannel gives all of them.
func networkDriver(v *template.Values) string {
	if v.Template.NetworkDriver != "" {
		return v.Template.NetworkDriver
	}
	return "docker"
}

func usesFlannel(v *template.Values) bool { return networkDriver(v) == "flannel" }

// network looks at the addresses of containers.
func network(v *template.Values) []driver.Violation {
	if !usesFlannel(v) {
		return nil
	}
	return append(infra.Apart(v, infra.FlannelNetwork), infra.FlannelSubnets(v)...)
}

// discoveryURL refuses what etcd could not ask. One that Magnum made for an older
// cluster is a URL too.
func discoveryURL(v *template.Values) []driver.Violation {
	if v.Cluster.DiscoveryURL == "" {
		return nil
	}
	if u, err := url.Parse(v.Cluster.DiscoveryURL); err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") {
		return nil
	}
	return template.Refuse(driver.ClassInvalidInput, "discovery_url", "Invalid discovery URL '%s'.", v.Cluster.DiscoveryURL)
}
