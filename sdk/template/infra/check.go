package infra

import (
	"slices"
	"strings"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template"
)

// Check is one of a definition's Checks.
type Check = func(*template.Values) []driver.Violation

// NeedsTLS refuses a template that turns TLS off; why completes the sentence.
func NeedsTLS(why string) Check {
	return func(v *template.Values) []driver.Violation {
		if !v.Template.TLSDisabled {
			return nil
		}
		return template.Refuse(driver.ClassUnsupported, "tls_disabled",
			"TLS cannot be disabled with the cluster driver %s: %s.", v.DriverName(), why)
	}
}

// NoRegistry refuses a template that asks for a registry of the cluster's own.
func NoRegistry(v *template.Values) []driver.Violation {
	if !v.Template.RegistryEnabled {
		return nil
	}
	return template.Refuse(driver.ClassUnsupported, "registry_enabled",
		"A private registry (registry_enabled) is not supported by the cluster driver %s.", v.DriverName())
}

// StorageDrivers refuses docker storage drivers other than these, and one that
// needs a volume of its own and has none.
func StorageDrivers(known ...string) Check {
	return func(v *template.Values) []driver.Violation {
		given := v.Template.DockerStorageDriver
		var out []driver.Violation
		if given != "" && !slices.Contains(known, given) {
			out = append(out, template.Refuse(driver.ClassInvalidInput, "docker_storage_driver",
				"Docker storage driver %s is not supported, expecting a %s/unspecified storage driver.", given, strings.Join(known, "/"))...)
		}
		if size := dockerVolumeSize(v); given == "devicemapper" && size < 3 {
			out = append(out, template.Refuse(driver.ClassInvalidInput, "docker_volume_size",
				"docker volume size %d GB is not valid, expecting minimum value 3GB for devicemapper storage driver.", size)...)
		}
		return out
	}
}

// GivenNetwork refuses a subnet without its network.
func GivenNetwork(v *template.Values) []driver.Violation {
	if v.Cluster.FixedSubnet == "" || v.Cluster.FixedNetwork != "" {
		return nil
	}
	return template.Refuse(driver.ClassInvalidInput, "fixed_network", "A fixed_subnet needs its fixed_network.")
}

// NodeCounts holds the number of workers to the labels that bound it.
func NodeCounts(v *template.Values) []driver.Violation {
	if len(v.NodeGroups) == 0 || v.OwnStack() {
		return nil // a cluster template alone has no nodes to count, a group has bounds of its own
	}
	n := v.Workers().NodeCount
	low, high := v.LabelInt("min_node_count"), v.LabelInt("max_node_count")
	switch {
	case high > 0 && low > high:
		return template.Refuse(driver.ClassInvalidInput, "labels/min_node_count", "min_node_count %d is more than max_node_count %d.", low, high)
	case n < low:
		return template.Refuse(driver.ClassInvalidInput, "node_count", "node_count %d is less than min_node_count %d.", n, low)
	case high > 0 && n > high:
		return template.Refuse(driver.ClassInvalidInput, "node_count", "node_count %d is more than max_node_count %d.", n, high)
	}
	return nil
}
