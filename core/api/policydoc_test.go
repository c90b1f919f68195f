package api

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/core/policy"
)

var update = flag.Bool("update", false, "write golden files and generated documents anew")

// TestPolicyDocument holds that docs/policy.md tells of every rule and route.
func TestPolicyDocument(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "policy.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const marker = "-update -->\n"
	head, have, found := strings.Cut(string(text), marker)
	if !found {
		t.Fatalf("%s has no line that ends with %q", path, marker)
	}
	want := policyDocument()
	if *update {
		if err := os.WriteFile(path, []byte(head+marker+want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("%s is not what the code says; run this test with -update and read what changed:\n%s", path, diff)
	}
}

func policyDocument() string {
	asked := map[string][]string{}
	var b strings.Builder
	b.WriteString("\n## Routes\n\n| request | rule | microversions |\n|---|---|---|\n")
	for _, o := range Operations() {
		rule := "`" + o.Rule + "`"
		if o.Rule == anybody {
			rule = "open to all"
		}
		fmt.Fprintf(&b, "| %s `%s` | %s | %s to %s |\n", o.Method, o.Path, rule, o.Min, o.Max)
		asked[o.Rule] = append(asked[o.Rule], o.Method)
	}
	b.WriteString("\n## Rules that requests are checked by\n\n| rule | default | |\n|---|---|---|\n")
	var bases []policy.Rule
	for _, r := range policy.Defaults() {
		if !strings.Contains(r.Name, ":") {
			bases = append(bases, r)
			continue
		}
		about := r.About
		if len(r.Scopes) == 0 {
			about = strings.TrimPrefix(about+"; tokens of any scope", "; ")
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s |\n", r.Name, r.Check, about)
	}
	b.WriteString("\n## Rules that others are made of\n\n| rule | default | classic default | |\n|---|---|---|---|\n")
	for _, r := range bases {
		former := ""
		if r.Former != nil {
			former = "`" + r.Former.Check + "`"
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s |\n", r.Name, r.Check, former, r.About)
	}
	b.WriteString("\n## What rules know of objects\n\n| object | attributes |\n|---|---|\n")
	for _, o := range []struct {
		name string
		of   []string
	}{
		{"cluster, and what belongs to it", slices.Sorted(maps.Keys(clusterFacts))},
		{"cluster template", slices.Sorted(maps.Keys(templateFacts))},
	} {
		fmt.Fprintf(&b, "| %s | `%s` |\n", o.name, strings.Join(o.of, "`, `"))
	}
	return b.String()
}
