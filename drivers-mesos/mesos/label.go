package mesos

import (
	"slices"

	"github.com/go-magnum/magnum/sdk/template"
	"github.com/go-magnum/magnum/sdk/template/infra"
)

const (
	isolation = "mesos_slave_isolation"
	providers = "mesos_slave_image_providers"
	workDir   = "mesos_slave_work_dir"
	variables = "mesos_slave_executor_env_variables"
)

// What the API lets pass as isolation and image providers; other values it
// refuses for every engine, before a driver sees them.
const (
	isolators = `filesystem/posix|filesystem/linux|filesystem/shared|posix/cpu|posix/mem|posix/disk|` +
		`cgroups/cpu|cgroups/mem|docker/runtime|namespaces/pid`
	imageStores = `(?i:docker|appc)`
)

func labels() []template.Label {
	all := slices.Concat([]template.Label{
		{Name: isolation, PerNodeGroup: true, Pattern: listOf("(?:" + isolators + ")"), Description: "Isolators of the Mesos agents, with commas between. Default: Mesos' own."},
		{Name: providers, PerNodeGroup: true, Pattern: listOf(imageStores), Description: "Kinds of images that Mesos' own containers can be made of: docker and appc, with commas between. Needs mesos_slave_isolation; docker needs docker/runtime there."},
		{Name: workDir, PerNodeGroup: true, Default: "/var/lib/mesos", Pattern: `/[A-Za-z0-9._/-]+`, Description: "Folder in which the Mesos agents keep their state and the tasks' files."},
		{Name: variables, PerNodeGroup: true, Pattern: `\s*\{[\s\S]*\}\s*`, Description: "What executors have as their environment: a JSON object of texts."},
	}, infra.Labels(), infra.RexRayLabels())
	for i := range all {
		all[i].Since = "1.0.0"
	}
	return all
}

// listOf is one or more of a form, with commas between.
func listOf(one string) string { return one + "(?:," + one + ")*" }
