package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-magnum/magnum/sdk/template/templatetest"
)

// writeTested writes docs/drivers/tested.md, if it is asked to: the figures are
// others each time.
func writeTested(t *testing.T, all []*life, took time.Duration) {
	t.Helper()
	if !templatetest.Update() {
		return
	}
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `# Tested on a real OpenStack

<!-- written by `+"`UPDATE=1 make test-openstack`"+` -->
Clusters of every type of virtual machines went through these lives: created with one worker, scaled up to two, scaled down with
the older of the two named (`+"`--nodes-to-remove`"+`), which was then gone and the other not, and deleted, after which Heat, Nova,
Neutron, Cinder, Octavia and Keystone had what they had before and nothing else. All was asked for with the `+"`openstack`"+` client.

The clusters of a type lived at the same time, on a machine with %d cores that ran the whole OpenStack and had a load of %s;
all together took %s. Heat, Nova, Neutron, Cinder, Octavia and Keystone are Debian's; servers do not boot there (`+"`tools/openstack-lab`"+`), what they
signal comes from the test. Times are from the client's command until the cluster is there as it was asked for.

| | version |
|---|---|
`, runtime.NumCPU(), strings.Fields(string(load))[2], took.Round(time.Second))
	for _, p := range [][2]string{
		{"Heat", "heat-engine"}, {"Nova", "nova-api"}, {"Keystone", "keystone"}, {"Neutron", "neutron-common"}, {"Octavia", "octavia-api"},
		{"Cinder", "cinder-api"}, {"client of Magnum", "python3-magnumclient"}, {"openstack client", "python3-openstackclient"},
	} {
		version, err := exec.CommandContext(t.Context(), "dpkg-query", "-W", "-f", "${Version}", p[1]).Output()
		if err != nil {
			t.Fatalf("dpkg-query %s: %v", p[1], err)
		}
		fmt.Fprintf(&b, "| %s | %s |\n", p[0], version)
	}
	b.WriteString("\n| type | | create | scale up | scale down | delete |\n|---|---|---|---|---|---|\n")
	for _, l := range all {
		fmt.Fprintf(&b, "| `%s` | %s |", l.kind, l.variant.name)
		for _, step := range []string{"create", "scale up", "scale down", "delete"} {
			fmt.Fprintf(&b, " %.0f s |", l.took[step].Seconds())
		}
		b.WriteString("\n")
	}
	if err = os.WriteFile(filepath.Join("..", "..", "..", "docs", "drivers", "tested.md"), []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
