package infra

import (
	"slices"
	"strconv"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template"
)

// preempt are the spellings of one label: upstream's, and that of people who
// take a label's words to be apart as those of an option.
func preempt() []string { return []string{"rexray_preempt", "rexray-preempt"} }

// RexRayLabels are those that the parameters of [RexRay] read.
func RexRayLabels() []template.Label {
	return []template.Label{
		{Name: preempt()[0], Type: template.Boolean, Description: "Whether REX-Ray takes a volume from the node that has it; with the volume driver rexray."},
		{Name: preempt()[1], Type: template.Boolean, Description: "The same as " + preempt()[0] + ", in another spelling; either turns it on."},
	}
}

// RexRay makes Cinder volumes for docker's containers, as the cluster's user:
// nodes can act for the user only where the volume driver is rexray. Declared by
// rexray-parameters.
func RexRay() []template.Parameter {
	return []template.Parameter{
		{Name: "trust_id", From: template.Secret(driver.SecretTrustID), When: UsesRexRay},
		{Name: "rexray_preempt", When: UsesRexRay, From: template.Computed("labels rexray_preempt and rexray-preempt", func(v *template.Values) string {
			return strconv.FormatBool(slices.ContainsFunc(preempt(), v.LabelBool))
		})},
	}
}

// RexRayTrust is what it is in TrustFor of a definition.
const RexRayTrust = "volume_driver=rexray"

// UsesRexRay is the condition of its step and its service, both called rexray.
func UsesRexRay(v *template.Values) bool { return v.Template.VolumeDriver == "rexray" }
