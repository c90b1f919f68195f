package sdk

import (
	"bytes"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/sdk/archtest"
)

func TestImports(t *testing.T) {
	archtest.Check(t, ".",
		archtest.Rule{Dir: ".", Deny: []string{"github.com/go-magnum/magnum/core", "github.com/go-magnum/magnum/plugins", "github.com/go-magnum/magnum/cmd"}, Why: "an author needs the sdk alone"},
		archtest.Rule{Dir: ".", Deny: []string{"github.com/gophercloud", "database/sql", "github.com/uptrace/bun", "k8s.io"}, Why: "the sdk's dependencies weigh on every driver"},
		archtest.Rule{Dir: "driver", Deny: []string{"github.com", "google.golang.org", "gopkg.in", "go.yaml.in"}, Except: []string{"github.com/go-magnum/magnum/sdk/driver", "github.com/google/go-cmp"}, Why: "the contract uses the standard library only"},
	)
}

// TestDependencies compares dependencies.txt with the modules behind the SDK's
// packages. What it reports is to be reviewed, and then written there.
func TestDependencies(t *testing.T) {
	list, err := os.ReadFile("dependencies.txt")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for line := range strings.Lines(string(list)) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] == "#" {
			continue
		}
		if len(fields) < 2 {
			t.Errorf("dependencies.txt gives no reason for %s", fields[0])
		}
		want = append(want, fields[0])
	}
	// Kits for tests, which end so, are in no driver.
	packages := slices.DeleteFunc(golist(t, "./..."), func(pkg string) bool { return strings.HasSuffix(pkg, "test") })
	got := golist(t, append([]string{"-deps", "-f", "{{with .Module}}{{.Path}}{{end}}"}, packages...)...)
	got = slices.DeleteFunc(got, func(module string) bool { return module == "github.com/go-magnum/magnum/sdk" })
	slices.Sort(got)
	slices.Sort(want)
	if d := cmp.Diff(want, slices.Compact(got)); d != "" {
		t.Errorf("the modules that every driver carries are not those of dependencies.txt (-listed +there):\n%s", d)
	}
}

func golist(t *testing.T, args ...string) []string {
	t.Helper()
	var complaint bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...)
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %v: %v: %s", args, err, complaint.String())
	}
	return strings.Fields(string(out))
}
