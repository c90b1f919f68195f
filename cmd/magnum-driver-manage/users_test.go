package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/sdk/driver"
)

// used fills a database with templates and clusters, and returns their uuids by
// name.
func (h *host) used(templates []magnum.ClusterTemplate, clusters []magnum.Cluster) map[string]string {
	h.t.Helper()
	db := h.openDatabase()
	ids := map[string]string{}
	for i := range templates {
		if err := db.CreateTemplate(h.t.Context(), &templates[i]); err != nil {
			h.t.Fatal(err)
		}
		ids[templates[i].Name] = templates[i].UUID
	}
	for i := range clusters {
		c := &clusters[i]
		c.ClusterTemplateID = ids[c.ClusterTemplateID]
		if err := db.AcceptCreate(h.t.Context(), c, &magnum.Operation{Kind: magnum.OpCreate}, 100); err != nil {
			h.t.Fatal(err)
		}
		ids[c.Name] = c.UUID
	}
	return ids
}

func (h *host) openDatabase() *state.DB {
	h.t.Helper()
	db, err := state.Open(h.t.Context(), state.Config{Connection: "sqlite:///" + filepath.Join(h.dir, "magnum.sqlite")})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = db.Close() })
	return db
}

func describedAs(version, labels string, choices ...string) *driver.Description {
	return &driver.Description{
		Name: "d", Version: version, LabelSchema: driver.RawJSON(`{"properties": ` + labels + `}`), NetworkDrivers: choices, VolumeDrivers: choices,
		ClusterTypes: []driver.ClusterType{{ServerType: "vm", OS: "fedora", COE: "kubernetes"}},
	}
}

func TestUsersOf(t *testing.T) {
	h := newHost(t)
	h.database()
	const old, other = "1.0.0", "0.9.0"
	of := func(name, version string) magnum.DriverRef { return magnum.DriverRef{Name: name, Version: version} }
	ids := h.used([]magnum.ClusterTemplate{
		{Name: "named", Driver: "d", Labels: magnum.Labels{"gone": "1", "kept": "1", "unheard": "x"}, NetworkDriver: "a", VolumeDriver: "c"},
		{Name: "of its type", ServerType: "vm", ClusterDistro: "fedora", COE: "kubernetes", Labels: magnum.Labels{"size": "9"}, VolumeDriver: "a"},
		{Name: "of another type", ServerType: "vm", ClusterDistro: "coreos", COE: "kubernetes", Labels: magnum.Labels{"gone": "1"}},
		{Name: "another's", Driver: "e", ServerType: "vm", ClusterDistro: "fedora", COE: "kubernetes", Labels: magnum.Labels{"gone": "1"}, NetworkDriver: "a"},
	}, []magnum.Cluster{
		{Name: "one", ClusterTemplateID: "named", Driver: of("d", old), Labels: magnum.Labels{"gone": "2", "size": "5"}, NodeGroups: []magnum.NodeGroup{
			{Name: "alike", Role: magnum.RoleMaster, Labels: magnum.Labels{"gone": "2"}},
			{Name: "otherwise", Role: magnum.RoleWorker, Labels: magnum.Labels{"gone": "3", "size": "7"}},
		}},
		// What its own version has not, the new one takes nothing of.
		{Name: "older", ClusterTemplateID: "named", Driver: of("d", other), Labels: magnum.Labels{"gone": "2", "lost": "1"}},
		{Name: "of nobody's version", ClusterTemplateID: "named", Driver: of("d", "0.1.0"), Labels: magnum.Labels{"gone": "2", "lost": "1"}},
		{Name: "already wrong", ClusterTemplateID: "named", Driver: of("d", old), Labels: magnum.Labels{"size": "x"}},
		{Name: "another's cluster", ClusterTemplateID: "named", Driver: of("e", old), Labels: magnum.Labels{"gone": "2"}},
		{Name: "adopted", ClusterTemplateID: "of its type", Labels: magnum.Labels{"gone": "2"}},
		{Name: "adopted, another's", ClusterTemplateID: "another's", Labels: magnum.Labels{"gone": "2"}},
	})
	from := describedAs(old, `{"gone": {}, "kept": {"type": "string"}, "size": {"type": "integer"}, "fresh": false}`, "a", "b")
	to := describedAs("2.0.0", `{"kept": {"type": "string"}, "size": {"type": "integer", "maximum": 6}}`, "b")
	versions := map[string]*driver.Description{old: from, other: describedAs(other, `{"lost": {}}`)}
	got, err := usersOf(t.Context(), h.openDatabase(), func(version string) *driver.Description { return versions[version] }, from, to)
	if err != nil {
		t.Fatal(err)
	}
	const gone = "label gone has no effect any more"
	size := func(n string) string {
		return `property "labels/size" with value "` + n + `" is not supported, expecting: integer, at most 6`
	}
	want := [][]string{
		{"template", "named ID gone=1", "", gone},
		{"template", "named ID network driver=a", "", "network driver a is not supported"},
		{"template", "of its type ID size=9", "", size("9")},
		{"template", "of its type ID volume driver=a", "", "volume driver a is not supported"},
		{"cluster", "one ID gone=2", "", gone},
		{"node group", "one ID otherwise gone=3", "", gone},
		{"node group", "one ID otherwise size=7", "", size("7")},
		{"cluster", "older ID lost=1", "", "label lost has no effect any more"},
		{"cluster", "of nobody's version ID gone=2", "", gone},
		{"cluster", "adopted ID gone=2", "", gone},
	}
	for _, row := range got {
		for _, id := range ids {
			row[1] = strings.Replace(row[1], id, "ID", 1)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	to.ClusterTypes[0].OS = "coreos"
	to.LabelSchema, to.NetworkDrivers, to.VolumeDrivers = from.LabelSchema, from.NetworkDrivers, from.VolumeDrivers
	versions[other] = from
	if got, err = usersOf(t.Context(), h.openDatabase(), func(version string) *driver.Description { return versions[version] }, from, to); err != nil {
		t.Fatal(err)
	}
	kind := "cluster type (vm, fedora, kubernetes) is not supported"
	want = [][]string{{"template", "of its type " + ids["of its type"] + " cluster type=(vm, fedora, kubernetes)", "", kind}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("of another type (-want +got):\n%s", diff)
	}
	to.LabelSchema = driver.RawJSON(`{"properties": 7}`)
	if got, err := usersOf(t.Context(), h.openDatabase(), func(string) *driver.Description { return nil }, from, to); err == nil {
		t.Errorf("a schema that is none: %v", got)
	}
}

// What a version would break is in the plan, and keeps apply from it.
func TestUpgradeThatBreaks(t *testing.T) {
	h := newHost(t)
	next, err := packAs(t.TempDir(), "acme_k8s", "1.2.0", `-X 'main.labels={"size":{"type":"integer","maximum":6}}'`)
	if err != nil {
		t.Fatal(err)
	}
	h.must("install", one)
	plan := func() string {
		t.Helper()
		out := h.must("upgrade", "plan", next, "-f", "value")
		_, users, _ := strings.Cut(out, "label  size \n")
		return users
	}
	h.database()
	if got := plan(); got != "" {
		t.Errorf("without users: %q", got)
	}
	ids := h.used([]magnum.ClusterTemplate{{Name: "mine", Driver: "acme_k8s", Labels: magnum.Labels{"tag": "v1", "size": "x"}}}, nil)
	want := "template mine " + ids["mine"] + ` size=x  property "labels/size" with value "x" is not supported, expecting: integer, at most 6` + "\n" +
		"template mine " + ids["mine"] + " tag=v1  label tag has no effect any more\n"
	if got := plan(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if out := h.must("upgrade", "plan", next, "-f", "json"); !strings.Contains(out, `"Breaks": "label tag has no effect any more"`) || !strings.Contains(out, ids["mine"]+" tag=v1") {
		t.Errorf("as JSON: %s", out)
	}
	before := h.installed()
	h.refused(49, "templates or clusters use what it does not have, 2 in all, such as template mine "+ids["mine"]+" size=x: property ", "upgrade", "apply", next)
	if got := h.installed(); got != before {
		t.Errorf("a refused upgrade left %s", got)
	}
	conf := read(t, h.conf)
	h.write("magnum.conf", strings.ReplaceAll(conf, "magnum.sqlite", "magnum.conf"))
	h.refused(1, "see which templates and clusters it would break (--accept-breaks does without): ", "upgrade", "apply", next)
	h.write("magnum.conf", conf)
	h.must("upgrade", "apply", next, "--accept-breaks")
	h.want("1.0.0 installed, 1.2.0 active")
	h.refused(49, "label size has no effect any more", "upgrade", "apply", two, "--force") // which is about its age
	h.must("upgrade", "apply", two, "--force", "--accept-breaks")
	h.want("1.0.0 installed, 1.1.0 active, 1.2.0 installed")
	h.write("magnum.conf", strings.ReplaceAll(conf, "magnum.sqlite", "none.sqlite"))
	h.must("upgrade", "apply", next) // nobody can use what there is no database for
	h.want("1.0.0 installed, 1.1.0 installed, 1.2.0 active")
}
