package swarm

import (
	"slices"

	"github.com/go-magnum/magnum/sdk/template"
	"github.com/go-magnum/magnum/sdk/template/infra"
)

// preempt are the spellings of one label: upstream's, and that of people who
// take a label's words to be apart as those of an option.
func preempt() []string { return []string{"rexray_preempt", "rexray-preempt"} }

func labels() []template.Label {
	all := infra.Labels()
	for i := range all {
		all[i].PerNodeGroup = false // there are no stacks of node groups
	}
	about := "Whether REX-Ray takes a volume from the node that has it; with the volume driver rexray."
	for i, name := range preempt() {
		l := template.Label{Name: name, Type: template.Boolean, Description: about}
		if i > 0 {
			l.Description = "The same as " + preempt()[0] + ", in another spelling; either turns it on."
		}
		all = append(all, l)
	}
	for i := range all {
		all[i].Since = "1.0.0"
	}
	return slices.Clip(all)
}
