package infra

import (
	"strings"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template"
)

// OnMetal reports whether nodes are machines of Ironic and not virtual ones. It
// can be the condition of what only these need.
func OnMetal(v *template.Values) bool { return v.Template.ServerType == "bm" }

// Metal refuses to machines of Ironic what only virtual ones can have: a network
// that the stack makes, as no switch leads there, and volumes of Cinder, which
// Nova cannot attach. Sizes are labels with the size of one.
func Metal(sizes ...string) Check {
	return func(v *template.Values) []driver.Violation {
		if !OnMetal(v) {
			return nil
		}
		var out []driver.Violation
		if v.Cluster.FixedNetwork == "" {
			out = append(out, template.Refuse(driver.ClassInvalidInput, "fixed_network",
				"Bare metal servers need a fixed_network and its fixed_subnet: they cannot be put on a network that the cluster makes.")...)
		}
		volume := func(field string, value any) {
			out = append(out, template.Refuse(driver.ClassUnsupported, field,
				"Bare metal servers have no Cinder volumes: %s must not be %v.", strings.TrimPrefix(field, "labels/"), value)...)
		}
		if size := dockerVolumeSize(v); size > 0 {
			volume("docker_volume_size", size)
		}
		for _, label := range sizes {
			if size := v.LabelInt(label); size > 0 {
				volume("labels/"+label, size)
			}
		}
		if v.Template.VolumeDriver != "" {
			volume("volume_driver", v.Template.VolumeDriver)
		}
		return out
	}
}

// affinityPolicy is the operator's for virtual machines. Two bare metal servers are
// never on one machine, but Nova takes all that one of its services looks after
// for one host, and a policy that forbids a second one there would fail.
func affinityPolicy(v *template.Values) string {
	if OnMetal(v) {
		return "soft-anti-affinity"
	}
	return v.Endpoints.AffinityPolicy
}
