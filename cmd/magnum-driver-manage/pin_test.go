package main

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/sdk/driver"
)

func TestEnable(t *testing.T) {
	t.Setenv("SUDO_USER", "alice")
	h := newHost(t)
	h.refused(3, "driver acme_k8s is not installed", "enable", "acme_k8s")
	h.must("install", "--no-activate", one)
	h.must("install", "--no-activate", two)
	h.must("enable", "acme_k8s") // neither was active: the newest
	h.want("1.0.0 installed, 1.1.0 active")
	h.refused(40, "older than the active version", "enable", "acme_k8s@1.0.0")
	h.must("disable", "acme_k8s")
	h.must("enable", "acme_k8s@1.0.0")
	h.must("disable", "acme_k8s")
	h.must("enable", "acme_k8s", "--reason", "CHG-2") // the one that was active last
	h.must("enable", "acme_k8s")                      // has one already
	h.want("1.0.0 active, 1.1.0 installed")
	h.refused(2, "is not NAME@VERSION", "enable", "acme_k8s@")
	got := h.must("history", "acme_k8s", "-f", "value", "-c", "Version", "-c", "Why")
	if want := "1.1.0 enable\nnone disable\n1.0.0 enable\nnone disable\n1.0.0 CHG-2\n"; got != want {
		t.Errorf("history: %s", got)
	}
	h.must("disable", "acme_k8s")
	h.write("magnum.conf", "[DEFAULT]\nstate_path = "+h.dir+"\n[drivers]\ndisabled_drivers = acme_k8s\n")
	if out := h.must("enable", "acme_k8s"); !strings.Contains(out, "warning: new clusters do not get it: driver acme_k8s is in [drivers] disabled_drivers") {
		t.Errorf("a disabled driver: %s", out)
	}
}

// Both would make the same clusters: the second is refused, whichever way.
func TestEnableRefusesConflict(t *testing.T) {
	h := newHost(t)
	rival := rivalPackage(t)
	h.must("install", one)
	h.must("install", "--no-activate", rival)
	const want = "drivers acme_k8s 1.0.0 and rival_k8s 1.0.0 both make clusters of type (vm, fedora-coreos, kubernetes) with priority 0"
	h.refused(26, want, "enable", "rival_k8s")
	h.refused(26, want, "activate", "rival_k8s@1.0.0")
	h.must("disable", "acme_k8s")
	h.must("enable", "rival_k8s")
	h.refused(26, "drivers rival_k8s 1.0.0 and acme_k8s 1.0.0 both", "enable", "acme_k8s")
}

func rivalPackage(t *testing.T) string {
	t.Helper()
	to, err := packAs(t.TempDir(), "rival_k8s", "1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// cluster makes one, in a database that database has made.
func (h *host) cluster(name string, ref magnum.DriverRef, change func(*magnum.Cluster)) {
	h.t.Helper()
	db, err := state.Open(h.t.Context(), state.Config{Connection: "sqlite:///" + filepath.Join(h.dir, "magnum.sqlite"), Existing: true})
	if err != nil {
		h.t.Fatal(err)
	}
	defer db.Close()
	template := &magnum.ClusterTemplate{Name: name, ProjectID: "p", COE: "kubernetes", ServerType: "vm", ClusterDistro: "fedora-coreos"}
	if err := db.CreateTemplate(h.t.Context(), template); err != nil {
		h.t.Fatal(err)
	}
	c := &magnum.Cluster{
		Name: name, ProjectID: "p", ClusterTemplateID: template.UUID, StackID: "s", Driver: ref,
		NodeGroups: []magnum.NodeGroup{
			{Name: magnum.DefaultMaster, Role: magnum.RoleMaster, IsDefault: true, NodeCount: 1},
			{Name: magnum.DefaultWorker, Role: magnum.RoleWorker, IsDefault: true, NodeCount: 1},
		},
	}
	if change != nil {
		change(c)
	}
	op := &magnum.Operation{Kind: magnum.OpCreate}
	if err := db.AcceptCreate(h.t.Context(), c, op, 100); err != nil {
		h.t.Fatal(err)
	}
	if name == "busy" {
		return
	}
	raw, err := sql.Open("sqlite3", filepath.Join(h.dir, "magnum.sqlite"))
	if err != nil {
		h.t.Fatal(err)
	}
	defer raw.Close()
	if _, err := raw.ExecContext(h.t.Context(), "UPDATE operation SET active_key = NULL WHERE id = ?", op.ID); err != nil {
		h.t.Fatal(err)
	}
}

func TestPin(t *testing.T) {
	h := newHost(t)
	h.database()
	h.must("install", one)
	h.must("install", two)
	first := magnum.DriverRef{Name: "acme_k8s", Version: "1.0.0"}
	h.cluster("c", first, nil)
	h.cluster("busy", first, nil)
	h.cluster("adopted", magnum.DriverRef{}, nil)
	h.cluster("swarm", first, nil)
	h.cluster("groups", first, func(c *magnum.Cluster) {
		c.NodeGroups = append(c.NodeGroups, magnum.NodeGroup{Name: "gpu", Role: "worker", NodeCount: 1})
	})
	h.cluster("foreign", magnum.DriverRef{Name: "other", Version: "1.0.0"}, nil)
	raw, err := sql.Open("sqlite3", filepath.Join(h.dir, "magnum.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if _, err := raw.ExecContext(t.Context(), "UPDATE cluster_template SET coe = 'swarm' WHERE name = 'swarm'"); err != nil {
		t.Fatal(err)
	}
	pinned := func(name, want string) {
		t.Helper()
		var got string
		err := raw.QueryRowContext(t.Context(), "SELECT d.driver || ' ' || d.version FROM cluster_driver d JOIN cluster c ON c.uuid = d.cluster_uuid WHERE c.name = ?", name).Scan(&got)
		if err != nil || got != want {
			t.Errorf("%s is pinned to %q, want %q, %v", name, got, want, err)
		}
	}

	if out := h.must("unpin", "c"); !strings.Contains(out, "is pinned to acme_k8s 1.1.0, before to acme_k8s 1.0.0") {
		t.Errorf("unpin: %s", out)
	}
	pinned("c", "acme_k8s 1.1.0")
	h.must("pin", "c", "acme_k8s@1.0.0")
	pinned("c", "acme_k8s 1.0.0")
	h.must("pin", "adopted", "acme_k8s@1.0.0")
	pinned("adopted", "acme_k8s 1.0.0")

	h.refused(3, "Cluster nope could not be found", "pin", "nope", "acme_k8s@1.0.0")
	h.refused(3, "driver acme_k8s 1.2.0 is not installed", "pin", "c", "acme_k8s@1.2.0")
	h.refused(2, "is not NAME@VERSION", "pin", "c", "acme_k8s")
	h.refused(45, "Cluster busy already has an operation in progress", "unpin", "busy")
	h.refused(44, "driver acme_k8s 1.1.0 does not serve clusters of type (vm, fedora-coreos, swarm), as cluster swarm is", "unpin", "swarm")
	h.refused(44, "driver acme_k8s 1.1.0 lacks node-groups, but node group gpu of cluster groups is not one of the two default ones", "unpin", "groups")
	h.refused(44, "cluster foreign has driver other, not acme_k8s: --force", "pin", "foreign", "acme_k8s@1.0.0")
	h.must("pin", "--force", "foreign", "acme_k8s@1.0.0")
	pinned("foreign", "acme_k8s 1.0.0")

	h.refused(41, "driver acme_k8s 1.0.0 serves", "remove", "acme_k8s@1.0.0")
	for _, name := range []string{"c", "adopted", "foreign"} {
		h.must("unpin", name)
	}
	h.must("disable", "acme_k8s")
	h.refused(3, "no version of it is active", "unpin", "c")
	if out := h.must("remove", "--force", "acme_k8s@1.0.0"); !strings.Contains(out, "warning: 3 clusters lose their driver") {
		t.Errorf("remove --force: %s", out)
	}
	h.must("install", one) // again; but whoever chose it before comes too late for some minutes
	h.refused(45, "Driver acme_k8s 1.0.0 is being removed", "pin", "c", "acme_k8s@1.0.0")
	pinned("c", "acme_k8s 1.1.0")

	h.write("magnum.conf", fmt.Sprintf("[DEFAULT]\nstate_path = %s\n[database]\nconnection = sqlite:///%s\n[drivers]\ndisabled_drivers = acme_k8s\n",
		h.dir, filepath.Join(h.dir, "magnum.sqlite")))
	h.refused(44, "driver acme_k8s is in [drivers] disabled_drivers", "unpin", "c")
}

// A cluster is not given to a version that could not be made active, nor to one
// that new clusters do not get.
func TestPinVerifies(t *testing.T) {
	h := newHost(t)
	h.database()
	beta, err := packAs(t.TempDir(), "acme_k8s", "1.2.0", "-X main.maturity=beta")
	if err != nil {
		t.Fatal(err)
	}
	h.must("install", one)
	h.must("install", "--no-activate", two)
	h.must("install", "--no-activate", beta)
	h.cluster("c", magnum.DriverRef{Name: "acme_k8s", Version: "1.0.0"}, nil)
	h.cluster("adopted", magnum.DriverRef{}, nil)
	h.refused(44, "cluster adopted has no driver on record: use pin with one", "unpin", "adopted")
	h.refused(44, "driver acme_k8s is beta", "pin", "c", "acme_k8s@1.2.0")
	h.damage(two, "driver")
	h.refused(4, "acme_k8s 1.1.0: it is not what was installed", "pin", "c", "acme_k8s@1.1.0")
}

// A driver has to have what the cluster is, and has, by now.
func TestFits(t *testing.T) {
	template := &magnum.ClusterTemplate{COE: "kubernetes", ServerType: "vm", ClusterDistro: "coreos"}
	kind := driver.ClusterType{ServerType: "vm", OS: "coreos", COE: "kubernetes"}
	for _, tt := range []struct {
		name, want string
		d          func(*driver.Description)
		c          func(*magnum.Cluster)
	}{
		{"as it is", "", nil, nil},
		{"other server", "clusters of type (vm, coreos, kubernetes), as cluster c is", func(d *driver.Description) { d.ClusterTypes[0].ServerType = "bm" }, nil},
		{"other operating system", "clusters of type", func(d *driver.Description) { d.ClusterTypes[0].OS = "fedora" }, nil},
		{"other engine", "clusters of type", func(d *driver.Description) { d.ClusterTypes[0].COE = "swarm" }, nil},
		{"a stack", "does not work with Heat stacks", func(d *driver.Description) { d.Services = nil }, nil},
		{"no stack", "", func(d *driver.Description) { d.Services = nil }, func(c *magnum.Cluster) { c.StackID = "" }},
		{"the fewest masters", "", func(d *driver.Description) { d.Limits.MinMasters = 2 }, nil},
		{"too few masters", "does not allow 2 masters, as cluster c has", func(d *driver.Description) { d.Limits.MinMasters = 3 }, nil},
		{"the most masters", "", func(d *driver.Description) { d.Limits.MaxMasters = 2 }, nil},
		{"too many masters", "does not allow 2 masters", func(d *driver.Description) { d.Limits.MaxMasters = 1 }, nil},
		{"an even number of masters", "does not allow 2 masters", func(d *driver.Description) { d.Limits.OddMasters = true }, nil},
		{"an odd number of masters", "", func(d *driver.Description) { d.Limits.OddMasters = true }, func(c *magnum.Cluster) { c.NodeGroups[0].NodeCount = 3 }},
		{"another node group", "lacks node-groups, but node group w of cluster c is not one of the two default ones", nil,
			func(c *magnum.Cluster) { c.NodeGroups[1].IsDefault = false }},
		{"node labels", "lacks node-labels, but node group w of cluster c has node labels or taints", nil,
			func(c *magnum.Cluster) { c.NodeGroups[1].NodeLabels = magnum.Labels{"a": "b"} }},
		{"taints", "lacks node-labels", nil, func(c *magnum.Cluster) { c.NodeGroups[1].NodeTaints = []magnum.Taint{{Key: "a"}} }},
		{"taints that it can", "", func(d *driver.Description) { d.Capabilities = []driver.Capability{driver.CapNodeLabels} },
			func(c *magnum.Cluster) { c.NodeGroups[1].NodeTaints = []magnum.Taint{{Key: "a"}} }},
		{"no nodes", "lacks zero-nodes, but node group w of cluster c has no nodes", nil, func(c *magnum.Cluster) { c.NodeGroups[1].NodeCount = 0 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := driver.Description{Name: "acme_k8s", Version: "1.1.0", ClusterTypes: []driver.ClusterType{kind}, Services: []string{driver.ServiceTemplates}}
			c := &magnum.Cluster{Name: "c", StackID: "s", NodeGroups: []magnum.NodeGroup{
				{Name: "m", Role: magnum.RoleMaster, IsDefault: true, NodeCount: 2}, {Name: "w", Role: magnum.RoleWorker, IsDefault: true, NodeCount: 1},
			}}
			if tt.d != nil {
				tt.d(&d)
			}
			if tt.c != nil {
				tt.c(c)
			}
			err := fits(d, c, template)
			if tt.want == "" && err != nil || tt.want != "" && (!errors.Is(err, errUnfit) || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
