// Package coreos defines two drivers of Kubernetes clusters on virtual machines:
// on CoreOS Container Linux, which is told what to do by a cloud-config, and on
// Fedora CoreOS, which is told by Ignition. A driver of one's own can start from
// [Container] or [Fedora].
package coreos

import (
	"slices"

	"github.com/go-magnum/magnum/drivers-k8s-coreos/coreos/stack"
	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/k8s"
	"github.com/go-magnum/magnum/sdk/serve"
	"github.com/go-magnum/magnum/sdk/template"
	"github.com/go-magnum/magnum/sdk/template/infra"
)

// The drivers' names: upstream's, so that what names them goes on working. That
// is why there are two drivers and not one for both.
const (
	ContainerName = "k8s_coreos_v1"
	FedoraName    = "k8s_fedora_coreos_v1"
)

// Container is the driver for CoreOS Container Linux, and Flatcar after it, as
// data; a new one at each call.
func Container() *template.Definition {
	d := kubernetes("coreos")
	d.Name, d.DisplayName = ContainerName, "Kubernetes on CoreOS Container Linux"
	d.ContainerVersion = "18.06.3" // docker of the last CoreOS Container Linux
	d.Files = template.Overlay(k8s.Files(), stack.Container())
	d.Checks = append(k8s.Checks(), infra.StorageDrivers("overlay2", "overlay"))
	// Its only engine is docker, whose registries are in daemon.json.
	for script, steps := range d.Scripts {
		d.Scripts[script] = slices.DeleteFunc(steps, func(f template.Fragment) bool { return f.File == "boot/step/registry.sh" })
	}
	return d
}

// Fedora is the driver for Fedora CoreOS, as data; a new one at each call.
func Fedora() *template.Definition {
	d := kubernetes("fedora-coreos", infra.Step("010-selinux", "selinux"))
	d.Name, d.DisplayName = FedoraName, "Kubernetes on Fedora CoreOS"
	d.ContainerVersion = "19.03.13" // docker of Fedora 33
	d.SetLabel(template.Label{
		Name: "selinux_mode", PerNodeGroup: true, Default: "permissive", Enum: []string{"enforcing", "permissive", "disabled"},
		Description: "SELinux on the nodes.", Since: since,
	})
	d.Parameters = append(d.Parameters, template.SameAsLabels("selinux_mode")...)
	d.SetParameter(template.Parameter{Name: "openstack_ca", From: template.Computed("endpoint CACert, the certificates alone", certificates)})
	d.Files = template.Overlay(k8s.Files(), stack.Fedora())
	d.Checks = append(k8s.Checks(), infra.StorageDrivers("overlay2"), plainText)
	return d
}

// since is the version in which the drivers' labels came.
const since = "1.0.0"

// kubernetes is what both have; steps are the distribution's own besides those
// of docker.
func kubernetes(distro string, steps ...template.Fragment) *template.Definition {
	return &template.Definition{
		Types:          []driver.ClusterType{{ServerType: "vm", OS: distro, COE: "kubernetes"}},
		Maturity:       driver.MaturityStable,
		NetworkDrivers: k8s.NetworkDrivers(),
		VolumeDrivers:  k8s.VolumeDrivers(),
		TrustFor:       k8s.TrustFor(),
		Capabilities: []driver.Capability{
			driver.CapNodeGroups, driver.CapNodeLabels, driver.CapTLSDisabled, driver.CapResize, driver.CapZeroNodes,
			driver.CapRemoveNamedNodes, driver.CapMasterLoadBalancer, driver.CapHealth,
		},
		Limits:        driver.Limits{MinMasters: 1, OddMasters: true},
		Labels:        labels(),
		Parameters:    append(k8s.Parameters(), template.SameAsLabels("hyperkube_prefix", "cgroup_driver")...),
		Outputs:       k8s.Outputs(),
		Scripts:       k8s.Scripts(append(steps, infra.Step("045-docker-unit", "docker-unit"), infra.Step("050-docker", "docker-daemon"))...),
		Main:          "main.yaml",
		NodeGroupMain: "nodegroup.yaml",
		Cleanups:      k8s.Cleanups,
	}
}

// labels are those that do something on both, and no others.
func labels() []template.Label {
	all := append(k8s.Labels(),
		template.Label{Name: "kube_tag", PerNodeGroup: true, Default: "v1.18.20", Pattern: `v[0-9]+\.[0-9]+\.[0-9]+[A-Za-z0-9_.-]*`, Description: "Kubernetes version: the tag of the hyperkube image, which Kubernetes publishes up to 1.18."},
		template.Label{Name: "hyperkube_prefix", PerNodeGroup: true, Default: "registry.k8s.io/", Pattern: infra.PrefixForm, Description: "Registry of the hyperkube image, with a slash at the end, unless container_infra_prefix is set."},
		template.Label{Name: "cgroup_driver", PerNodeGroup: true, Default: "cgroupfs", Enum: []string{"cgroupfs", "systemd"}, Description: "Cgroup driver of docker and kubelet."},
	)
	for i := range all {
		all[i].Since = since
	}
	return all
}

// Plugin is what the program of a definition serves.
func Plugin(d *template.Definition, version, commit string) serve.Plugin {
	d.Version = version
	return serve.Plugin{
		Name: d.Name, Version: version, Commit: commit,
		Driver: d, Templates: d, Scaling: k8s.Scaling{}, Monitoring: k8s.MonitoringOf(d),
	}
}
