package swarm

import (
	"slices"

	"github.com/go-magnum/magnum/sdk/template"
	"github.com/go-magnum/magnum/sdk/template/infra"
)

func labels() []template.Label {
	all := infra.Labels()
	for i := range all {
		all[i].PerNodeGroup = false // there are no stacks of node groups
	}
	all = append(all, infra.RexRayLabels()...)
	for i := range all {
		all[i].Since = "1.0.0"
	}
	return slices.Clip(all)
}
