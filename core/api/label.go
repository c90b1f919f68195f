package api

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

// checkLabels checks the labels that mean something: a few that upstream
// checks for every engine, and those that the driver's description names.
// Others are accepted, whatever they are.
func (a *api) checkLabels(drivers catalogue, t *magnum.ClusterTemplate) error {
	if err := checkKnownLabels(t.Labels); err != nil {
		return err
	}
	d, err := drivers.ofTemplate(t)
	if err != nil {
		return nil //nolint:nilerr // a type without driver has no labels of its own; whoever needs the driver refuses
	}
	return a.checkDriverLabels(d, t.Labels)
}

func (a *api) checkDriverLabels(d *driver.Description, labels magnum.Labels) error {
	if len(labels) == 0 {
		return nil
	}
	schema, err := a.schemas.Compile(d)
	if err != nil {
		return err
	}
	return schema.Check(labels)
}

// checkWholeLabels refuses another value for a label of the whole cluster to a
// new node group: it would not act.
func (a *api) checkWholeLabels(d *driver.Description, group, cluster magnum.Labels) error {
	schema, err := a.schemas.Compile(d)
	if err != nil {
		return err
	}
	return schema.CheckGroup(group, cluster)
}

// What upstream accepts in the labels that it checks for every engine.
var (
	isolators = []string{
		"filesystem/posix", "filesystem/linux", "filesystem/shared", "posix/cpu", "posix/mem", "posix/disk",
		"cgroups/cpu", "cgroups/mem", "docker/runtime", "namespaces/pid",
	}
	imageProviders  = []string{"docker", "appc"}
	swarmStrategies = []string{"spread", "binpack", "random"}
)

func checkKnownLabels(labels magnum.Labels) error {
	if v, ok := labels["mesos_slave_isolation"]; ok {
		if odd := except(strings.Split(v, ","), isolators); odd != "" {
			return unsupportedLabel("mesos_slave_isolation", odd, isolators)
		}
	}
	if v, ok := labels["mesos_slave_image_providers"]; ok {
		for _, provider := range strings.Split(strings.ToLower(v), ",") {
			if !slices.Contains(imageProviders, provider) {
				return unsupportedLabel("mesos_slave_image_providers", provider, imageProviders)
			}
			if provider == "docker" && !slices.Contains(strings.Split(labels["mesos_slave_isolation"], ","), "docker/runtime") {
				return badRequest("Docker runtime isolator has to be specified if 'docker' is included in " +
					"'mesos_slave_image_providers' Please add 'docker/runtime' to 'mesos_slave_isolation' labels flags")
			}
		}
	}
	if v, ok := labels["mesos_slave_executor_env_variables"]; ok && !json.Valid([]byte(v)) {
		return badRequest("Json format error")
	}
	if v, ok := labels["swarm_strategy"]; ok {
		if odd := except(strings.Fields(v), swarmStrategies); odd != "" {
			return unsupportedLabel("swarm_strategy", odd, swarmStrategies)
		}
	}
	return nil
}

// except returns what is not allowed as a Python list, or nothing.
func except(given, allowed []string) string {
	odd := value{kind: list}
	for _, s := range given {
		if !slices.Contains(allowed, s) {
			odd.items = append(odd.items, textValue(s))
		}
	}
	if len(odd.items) == 0 {
		return ""
	}
	return odd.str()
}

func unsupportedLabel(name, v string, allowed []string) error {
	return badRequest("property \"labels/%s\" with value \"%s\" is not supported, supported values are: %s",
		name, v, strings.Join(append(slices.Clone(allowed), "unspecified"), ", "))
}
