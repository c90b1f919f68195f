package conform_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/cmd/internal/conform"
	"github.com/go-magnum/magnum/plugins/store"
	"github.com/go-magnum/magnum/sdk/drivertest"
	"github.com/go-magnum/magnum/sdk/examples/rack/service"
)

const (
	module      = "github.com/go-magnum/magnum/"
	firstOfLoad = "DRV-090"
)

// binaries are the drivers under test by their package.
var binaries = map[string]string{
	module + "cmd/internal/conform/broken": "",
	module + "cmd/internal/testdriver":     "",
	module + "drivers-k8s-fedora-atomic":   "",
	module + "drivers-swarm":               "",
	module + "drivers-mesos":               "",

	module + "drivers-swarm/swarm-standalone": "",

	module + "drivers-k8s-fedora-atomic/example-vendor": "",
	module + "drivers-k8s-coreos":                       "",
	module + "drivers-k8s-coreos/k8s-fedora-coreos":     "",
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "conform")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := 0
	for pkg := range binaries {
		path := filepath.Join(dir, filepath.Base(pkg))
		build := exec.CommandContext(context.Background(), "go", "build", "-ldflags", "-s -w", "-o", path, pkg)
		build.Dir = "../../.." // the workspace: a driver's module is none of ours
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build %s: %v: %s\n", pkg, err, out)
			code = 1
		}
		binaries[pkg] = path
	}
	if code == 0 {
		code = m.Run()
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// verdicts are the rules that are not kept, with the reason.
func verdicts(t *testing.T, o conform.Options) (broken map[string]string, skipped []string) {
	t.Helper()
	results, err := conform.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if want := len(drivertest.Rules()); len(o.Rules) == 0 && len(results) != want {
		t.Errorf("%d results of %d rules", len(results), want)
	}
	broken = map[string]string{}
	for _, r := range results {
		switch r.Verdict {
		case drivertest.Fail:
			broken[r.Rule] = r.Reason
		case drivertest.Skipped:
			skipped = append(skipped, r.Rule)
			if r.Reason == "" {
				t.Errorf("%s was skipped without a reason", r.Rule)
			}
		}
	}
	return broken, skipped
}

// The drivers that we make keep all rules; what is skipped is what they do not
// have.
func TestOurDrivers(t *testing.T) {
	tests := map[string]struct {
		binary  string
		skipped []string
	}{
		"testdriver":        {"cmd/internal/testdriver", []string{"DRV-033", "DRV-042", "DRV-060", "DRV-065", "DRV-068", "DRV-070", "DRV-071", "DRV-072", "DRV-073", "DRV-074"}},
		"k8s-fedora-atomic": {"drivers-k8s-fedora-atomic", []string{"DRV-070", "DRV-071", "DRV-072", "DRV-073", "DRV-074"}},
		"swarm":             {"drivers-swarm", []string{"DRV-070", "DRV-071", "DRV-072", "DRV-073", "DRV-074"}},
		"swarm-standalone":  {"drivers-swarm/swarm-standalone", []string{"DRV-070", "DRV-071", "DRV-072", "DRV-073", "DRV-074"}},
		"mesos":             {"drivers-mesos", []string{"DRV-065", "DRV-070", "DRV-071", "DRV-072", "DRV-073", "DRV-074"}},
		"example-vendor":    {"drivers-k8s-fedora-atomic/example-vendor", []string{"DRV-070", "DRV-071", "DRV-072", "DRV-073", "DRV-074"}},
		"k8s-coreos":        {"drivers-k8s-coreos", []string{"DRV-070", "DRV-071", "DRV-072", "DRV-073", "DRV-074"}},
		"k8s-fedora-coreos": {"drivers-k8s-coreos/k8s-fedora-coreos", []string{"DRV-070", "DRV-071", "DRV-072", "DRV-073", "DRV-074"}},
		"unbroken":          {"cmd/internal/conform/broken", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			broken, skipped := verdicts(t, conform.Options{Driver: binaries[module+tt.binary]})
			if d := cmp.Diff(map[string]string{}, broken); d != "" {
				t.Errorf("broken (-want +got):\n%s", d)
			}
			if d := cmp.Diff(tt.skipped, skipped); d != "" {
				t.Errorf("skipped (-want +got):\n%s", d)
			}
		})
	}
}

// The example of a driver without Heat keeps all rules that are for such a one.
func TestExampleWithoutHeat(t *testing.T) {
	rack := service.New(200 * time.Millisecond)
	defer rack.Close()
	server := httptest.NewServer(rack)
	defer server.Close()
	binary := filepath.Join(t.TempDir(), "rack")
	build := exec.CommandContext(t.Context(), "go", "build", "-ldflags", "-s -w -X main.address="+server.URL, "-o", binary, module+"sdk/examples/rack")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	broken, skipped := verdicts(t, conform.Options{Driver: binary})
	if d := cmp.Diff(map[string]string{}, broken); d != "" {
		t.Errorf("broken (-want +got):\n%s", d)
	}
	for _, rule := range []string{"DRV-070", "DRV-071", "DRV-072", "DRV-073", "DRV-074", "DRV-101"} {
		if slices.Contains(skipped, rule) {
			t.Errorf("%s was skipped", rule)
		}
	}
	if left := rack.Nodes(); len(left) != 0 {
		t.Errorf("the suite has left clusters behind: %v", left)
	}
	server.Close()
	broken, skipped = verdicts(t, conform.Options{Driver: binary, Rules: []string{"DRV-070"}})
	if len(broken) != 0 || len(skipped) != 1 {
		t.Errorf("without the service: broken %v, skipped %v", broken, skipped)
	}
}

// Every rule is one that the suite can find broken, and then it is that one
// which is named and no other. The rules from load on, most of which want
// processes of their own, are looked at only where one of them is broken: they
// take most of the time.
func TestEveryRuleCanFail(t *testing.T) {
	for _, rule := range drivertest.Rules() {
		t.Run(rule.ID, func(t *testing.T) {
			t.Parallel()
			o := conform.Options{Driver: binaries[module+"cmd/internal/conform/broken"], Env: []string{"BREAK=" + rule.ID}}
			if rule.ID < firstOfLoad {
				for _, r := range drivertest.Rules() {
					if r.ID < firstOfLoad {
						o.Rules = append(o.Rules, r.ID)
					}
				}
			}
			broken, skipped := verdicts(t, o)
			if len(broken) != 1 || broken[rule.ID] == "" {
				t.Errorf("broken: %v, skipped: %v", broken, skipped)
			}
			t.Log(broken[rule.ID])
		})
	}
}

func TestPackage(t *testing.T) {
	for _, name := range []string{"folder", "one.tar.zst"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), name)
			if err := store.Pack(t.Context(), path, binaries[module+"cmd/internal/testdriver"], store.Asks{}); err != nil {
				t.Fatal(err)
			}
			broken, _ := verdicts(t, conform.Options{Driver: path, Rules: []string{"DRV-010", "DRV-013"}})
			if d := cmp.Diff(map[string]string{}, broken); d != "" {
				t.Errorf("broken (-want +got):\n%s", d)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	_, err := conform.Run(t.Context(), conform.Options{Driver: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "files.sha256") {
		t.Errorf("an empty folder: %v", err)
	}
	_, err = conform.Run(t.Context(), conform.Options{Driver: binaries[module+"cmd/internal/testdriver"], Rules: []string{"DRV-999"}})
	if err == nil || !strings.Contains(err.Error(), "DRV-999") {
		t.Errorf("an unknown rule: %v", err)
	}
}
