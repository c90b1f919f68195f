package templatetest

import (
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/go-magnum/magnum/sdk/driver"
)

// cloudInit: every #cloud-config is one by cloud-init's own schema. Documents
// that differ in texts alone are the same to it.
func (s Suite) cloudInit(t *testing.T) {
	Need(t, "cloud-init")
	seen := map[string]bool{}
	for _, c := range s.Cases {
		docs := NewStack(t, s.render(t, s.of(c)), "secret").CloudConfigs()
		for _, name := range slices.Sorted(maps.Keys(docs)) {
			doc := maps.Clone(docs[name])
			delete(doc, "coreos") // what CoreOS's own tool knows besides
			shape := shapeOf(doc)
			if seen[shape] {
				continue
			}
			seen[shape] = true
			text, err := yaml.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "user-data")
			write(t, path, "#cloud-config\n"+string(text))
			check := exec.CommandContext(t.Context(), "cloud-init", "schema", "--config-file", path)
			if out, err := check.CombinedOutput(); err != nil {
				t.Errorf("%s: %s: %v\n%s", c.Name, name, err, out)
			}
		}
	}
	description, err := s.Definition().Describe(t.Context(), driver.DescribeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if has := slices.Contains(description.Description.ResourceTypes, "OS::Heat::CloudConfig"); has != (len(seen) > 0) {
		t.Errorf("the driver has documents: %v; found: %d", has, len(seen))
	}
}

// shapeOf is a value without its texts but those of names, paths and modes.
func shapeOf(value any) string {
	switch v := value.(type) {
	case map[string]any:
		var b strings.Builder
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if text, ok := v[name].(string); ok && name != "content" {
				fmt.Fprintf(&b, "%s=%s;", name, text)
			} else {
				fmt.Fprintf(&b, "%s:%s;", name, shapeOf(v[name]))
			}
		}
		return "{" + b.String() + "}"
	case []any:
		var all []string
		for _, one := range v {
			all = append(all, shapeOf(one))
		}
		return "[" + strings.Join(all, ",") + "]"
	}
	return fmt.Sprintf("%T", value)
}
