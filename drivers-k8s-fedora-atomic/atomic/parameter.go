package atomic

import (
	"slices"

	"github.com/go-magnum/magnum/sdk/k8s"
	"github.com/go-magnum/magnum/sdk/template"
	"github.com/go-magnum/magnum/sdk/template/infra"
)

// WorkerMetadata is the parameter, a JSON map of texts, with the metadata that
// the workers' servers get in Nova. For drivers that start from Definition.
const WorkerMetadata = infra.WorkerMetadata

func parameters() []template.Parameter {
	return slices.Concat(k8s.Parameters(), template.SameAsLabels("hyperkube_prefix", "cgroup_driver", "selinux_mode"))
}
