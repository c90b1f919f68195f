package api

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

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
	if len(d.LabelSchema) == 0 || len(labels) == 0 {
		return nil
	}
	schema, err := a.schemas.compile(d)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		property := schema.Properties[name]
		if property == nil {
			continue
		}
		if err := property.Validate(asTyped(property, labels[name])); err != nil {
			return badRequest("property \"labels/%s\" with value \"%s\" is not supported, %s", name, labels[name], expected(property))
		}
	}
	return nil
}

// checkWholeLabels refuses another value for a label of the whole cluster to a
// new node group: it would not act.
func (a *api) checkWholeLabels(d *driver.Description, group, cluster magnum.Labels) error {
	if len(d.LabelSchema) == 0 {
		return nil
	}
	schema, err := a.schemas.compile(d)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(group)) {
		standard, isWhole := schema.whole[name]
		given, whole := group[name], cmp.Or(cluster[name], standard)
		if isWhole && given != "" && !sameValue(schema.Properties[name], given, whole) {
			return badRequest("property \"labels/%s\" with value \"%s\" is not supported, the label is one of the whole cluster, where it is \"%s\"",
				name, given, whole)
		}
	}
	return nil
}

// sameValue reports whether a driver reads two texts of a label as one value.
func sameValue(property *jsonschema.Schema, one, other string) bool {
	if x, err := netip.ParsePrefix(one); err == nil {
		if y, err := netip.ParsePrefix(other); err == nil {
			return x.Masked() == y.Masked()
		}
	}
	return asTyped(property, one) == asTyped(property, other)
}

// labelSchema is a driver's.
type labelSchema struct {
	*jsonschema.Schema
	// whole are the labels of the whole cluster and their defaults.
	whole map[string]string
}

// readWhole finds the labels that say of themselves that no node group can have
// its own value. One that says nothing is left to the driver.
func readWhole(schema string) (map[string]string, error) {
	var labels struct {
		Properties map[string]struct {
			Default      any
			PerNodeGroup *bool `json:"x-per-node-group"`
		}
	}
	decoder := json.NewDecoder(strings.NewReader(schema))
	decoder.UseNumber() // as the schema writes it
	if err := decoder.Decode(&labels); err != nil {
		return nil, err
	}
	whole := map[string]string{}
	for name, l := range labels.Properties {
		if l.PerNodeGroup == nil || *l.PerNodeGroup {
			continue
		}
		whole[name] = ""
		if l.Default != nil {
			whole[name] = fmt.Sprint(l.Default)
		}
	}
	return whole, nil
}

// schemas keeps compiled label schemas by their text. Drivers are few and
// change seldom; what is kept is dropped when it has become too much.
type schemas struct {
	mu   sync.Mutex
	kept map[string]*labelSchema
}

const maxSchemas = 64

func (s *schemas) compile(d *driver.Description) (*labelSchema, error) {
	key := string(d.LabelSchema)
	s.mu.Lock()
	defer s.mu.Unlock()
	if schema := s.kept[key]; schema != nil {
		return schema, nil
	}
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(key))
	if err != nil {
		return nil, fmt.Errorf("label schema of driver %s %s: %w", d.Name, d.Version, err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("labels.json", document); err != nil {
		return nil, fmt.Errorf("label schema of driver %s %s: %w", d.Name, d.Version, err)
	}
	schema := &labelSchema{}
	if schema.Schema, err = c.Compile("labels.json"); err != nil {
		return nil, fmt.Errorf("label schema of driver %s %s: %w", d.Name, d.Version, err)
	}
	if schema.whole, err = readWhole(key); err != nil {
		return nil, fmt.Errorf("label schema of driver %s %s: %w", d.Name, d.Version, err)
	}
	if s.kept == nil || len(s.kept) >= maxSchemas {
		s.kept = map[string]*labelSchema{}
	}
	s.kept[key] = schema
	return schema, nil
}

// asTyped reads a label's text as the type the schema wants. A text that is
// none of it stays one, and is refused for that.
func asTyped(s *jsonschema.Schema, v string) any {
	for _, t := range typesOf(s) {
		switch t {
		case "integer":
			if n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64); err == nil {
				return json.Number(strconv.FormatInt(n, 10))
			}
		case "number":
			// Written anew, so that an exponent of a million digits, which
			// is as good as 0 or infinite, does not reach exact arithmetic.
			if f, err := strconv.ParseFloat(strings.TrimSpace(v), 64); err == nil && f-f == 0 {
				return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
			}
		case "boolean":
			if b, ok := parseBool(v); ok {
				return b
			}
		case "null":
			if v == "" {
				return nil
			}
		}
	}
	return v
}

func typesOf(s *jsonschema.Schema) []string {
	for s.Types == nil && s.Ref != nil {
		s = s.Ref
	}
	if s.Types == nil {
		return nil
	}
	return s.Types.ToStrings()
}

// expected says what a label's schema wants.
func expected(s *jsonschema.Schema) string {
	for s.Ref != nil && s.Enum == nil && s.Types == nil {
		s = s.Ref
	}
	if s.Enum != nil {
		var values []string
		for _, v := range s.Enum.Values {
			values = append(values, fmt.Sprint(v))
		}
		return "supported values are: " + strings.Join(append(values, "unspecified"), ", ")
	}
	what := "a value of another kind"
	if types := typesOf(s); len(types) > 0 {
		what = strings.Join(types, " or ")
	}
	if s.Minimum != nil {
		what += ", at least " + s.Minimum.RatString()
	}
	if s.Maximum != nil {
		what += ", at most " + s.Maximum.RatString()
	}
	if s.Pattern != nil {
		what += ", matching " + s.Pattern.String()
	}
	if s.Format != nil {
		what += ", in the format " + s.Format.Name
	}
	if s.MinLength != nil {
		what += ", of at least " + strconv.Itoa(*s.MinLength) + " characters"
	}
	if s.MaxLength != nil {
		what += ", of at most " + strconv.Itoa(*s.MaxLength) + " characters"
	}
	return "expecting: " + what
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
