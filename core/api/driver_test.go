package api

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/sdk/driver"
)

// publish says which drivers there are.
func (f *fixture) publish(drivers ...state.Driver) {
	f.Helper()
	if err := f.db.PublishDrivers(context.Background(), "h", drivers); err != nil {
		f.Fatal(err)
	}
}

// TestTemplateDriver holds that a template's driver is resolved once, and that
// naming one is no way around being enabled and of the right type.
func TestTemplateDriver(t *testing.T) {
	f := newFixture(t)
	drivers := testDrivers()
	// A rival for the first one's type, of lower priority, and a driver that
	// is installed but not enabled.
	rival, disabled := drivers[0], drivers[0]
	rival.Name, rival.Description.Name = "rival", "rival"
	disabled.Name, disabled.Description.Name, disabled.Active = "disabled", "disabled", false
	drivers[0].Description.ClusterTypes = append(drivers[0].Description.ClusterTypes[:0:0], drivers[0].Description.ClusterTypes...)
	drivers[0].Description.ClusterTypes[0].Priority = 1
	drivers = append(drivers, rival, disabled)
	f.publish(drivers...)
	const body = `{"name": "%s", "coe": "kubernetes", "image_id": "fedora-atomic-latest"%s}`
	create := func(name, more string) reply {
		return f.must(201, "demo", "POST", "/v1/clustertemplates", fmt.Sprintf(body, name, more))
	}
	for name, refusal := range map[string]string{
		"nope":                   "Cluster driver (nope) not supported.",
		"disabled":               "Cluster driver (disabled) not supported.",
		"swarm_fedora_atomic_v1": "Cluster driver (swarm_fedora_atomic_v1) not supported.", // of another type
		"RIVAL":                  "Cluster driver (RIVAL) not supported.",
		"":                       "Invalid input for field/attribute driver. Value: ''. Value should have a minimum character requirement of 1",
	} {
		f.refused(400, refusal, "demo", "POST", "/v1/clustertemplates", fmt.Sprintf(body, "x", `, "driver": "`+name+`"`))
	}
	// The type that counts is the image's, whatever the body says of it.
	f.refused(400, "Cluster driver (k8s_fedora_coreos_v1) not supported.", "demo", "POST", "/v1/clustertemplates",
		fmt.Sprintf(body, "x", `, "driver": "k8s_fedora_coreos_v1", "cluster_distro": "fedora-coreos"`))

	for more, want := range map[string]string{
		"":                                    "k8s_fedora_atomic_v1",
		`, "driver": null`:                    "k8s_fedora_atomic_v1",
		`, "driver": "rival"`:                 "rival",
		`, "driver": "k8s_fedora_atomic_v1"`:  "k8s_fedora_atomic_v1",
		`, "cluster_distro": "fedora-coreos"`: "k8s_fedora_atomic_v1",
	} {
		got := create("t", more)
		if got.str("driver") != want {
			t.Errorf("%s: %v", more, got.body["driver"])
		}
		if list := f.must(200, "demo", "GET", "/v1/clustertemplates?sort_key=id&sort_dir=desc&limit=1", ""); list.body["clustertemplates"].([]any)[0].(map[string]any)["driver"] != want {
			t.Errorf("%s: listed as %s", more, list.text)
		}
		if got := f.stored(f.newCluster(got.str("uuid"), "")).Driver.Name; got != want {
			t.Errorf("%s: the cluster is %s's", more, got)
		}
	}

	// A driver that was named is not replaced by another one when it goes.
	named := create("named", `, "driver": "rival"`).str("uuid")
	f.publish(testDrivers()...)
	f.refused(400, "Cluster driver (rival) not supported.", "demo", "POST", "/v1/clusters", `{"cluster_template_id": "`+named+`"}`)
	f.must(200, "demo", "PATCH", "/v1/clustertemplates/"+named, `[{"op": "replace", "path": "/name", "value": "still patched"}]`)
	f.publish(drivers...)

	patch := func(id, p string) string {
		return fmt.Sprint(f.must(200, "demo", "PATCH", "/v1/clustertemplates/"+id, p).body["driver"])
	}
	id := create("patched", "").str("uuid")
	set := func(path, v string) string { return `{"op": "replace", "path": "/` + path + `", "value": "` + v + `"}` }
	for _, c := range []struct{ patch, want string }{
		{set("name", "patched"), "k8s_fedora_atomic_v1"},
		{set("driver", "rival"), "rival"},
		{set("name", "patched"), "rival"},
		{`{"op": "remove", "path": "/driver"}`, "k8s_fedora_atomic_v1"},
		{set("coe", "swarm") + ", " + set("network_driver", "docker"), "swarm_fedora_atomic_v1"},
		{set("coe", "kubernetes") + ", " + set("network_driver", "calico") + ", " + set("driver", "rival"), "rival"},
		{set("cluster_distro", "other"), "<nil>"}, // no driver has that type
		{set("cluster_distro", "fedora-coreos"), "k8s_fedora_coreos_v1"},
	} {
		if got := patch(id, "["+c.patch+"]"); got != c.want {
			t.Errorf("%s: driver %s, want %s", c.patch, got, c.want)
		}
	}
	for _, name := range []string{"nope", "disabled", "rival"} {
		f.refused(400, "Cluster driver ("+name+") not supported.", "demo", "PATCH", "/v1/clustertemplates/"+id, "["+set("driver", name)+"]")
	}
	// A template that clusters are made from keeps its driver.
	f.newCluster(id, "")
	f.newCluster(named, "")
	f.refused(400, "ClusterTemplate "+named+" is referenced by one or multiple clusters.", "demo", "PATCH", "/v1/clustertemplates/"+named, `[{"op": "remove", "path": "/driver"}]`)
	f.must(200, "demo", "PATCH", "/v1/clustertemplates/"+id, "["+set("name", "renamed")+"]")

	// One of an adopted database has no driver, and gets none from a patch
	// that is about something else.
	if _, err := f.db.UpdateTemplate(context.Background(), id, func(t *magnum.ClusterTemplate, _ bool) error { t.Driver = ""; return nil }); err != nil {
		t.Fatal(err)
	}
	if got := patch(id, "["+set("name", "adopted")+"]"); got != "<nil>" {
		t.Errorf("driver %s", got)
	}
	if got := f.stored(f.newCluster(id, "")).Driver.Name; got != "k8s_fedora_coreos_v1" {
		t.Errorf("the cluster is %s's", got)
	}
}

// testDriversAnd adds rivals of the first driver.
func testDriversAnd(rivals ...string) []state.Driver {
	drivers := testDrivers()
	for _, name := range rivals {
		d := drivers[0]
		d.Name, d.Description.Name = name, name
		drivers = append(drivers, d)
	}
	return drivers
}

// TestImageDriver holds that an image can name the driver of its clusters, within
// the same bounds as a user.
func TestImageDriver(t *testing.T) {
	f := newFixture(t)
	drivers := testDriversAnd("rival", "third")
	drivers[0].Description.ClusterTypes = slices.Clone(drivers[0].Description.ClusterTypes)
	drivers[0].Description.ClusterTypes[0].Priority = 1
	f.publish(drivers...)
	const path, image = "/v1/clustertemplates", "fedora-atomic-latest"
	const body = `{"name": "t", "coe": "kubernetes", "image_id": "` + image + `"%s}`
	for _, c := range []struct{ image, more, want string }{
		{"rival", "", "rival"},
		{"rival", `, "driver": "third"`, "third"},
		{"rival", `, "cluster_distro": "fedora-atomic"`, "rival"},
		{"nope", `, "driver": "third"`, "third"},
	} {
		f.cloud.drivers[image] = c.image
		if got := f.must(201, "demo", "POST", path, fmt.Sprintf(body, c.more)).str("driver"); got != c.want {
			t.Errorf("image's driver %s%s: %s, want %s", c.image, c.more, got, c.want)
		}
	}
	for _, name := range []string{"nope", "swarm_fedora_atomic_v1"} {
		f.cloud.drivers[image] = name
		f.refused(400, "Cluster driver ("+name+") not supported.", "demo", "POST", path, fmt.Sprintf(body, ""))
	}
}

// TestDefaultDriver holds that [drivers] default_driver goes before all others of
// its types, whatever their priority, and means nothing to other types.
func TestDefaultDriver(t *testing.T) {
	f := newFixture(t)
	drivers := testDriversAnd("rival")
	drivers[0].Description.ClusterTypes = slices.Clone(drivers[0].Description.ClusterTypes)
	drivers[0].Description.ClusterTypes[0].Priority = 1000
	f.publish(drivers...)
	for standard, want := range map[string][2]string{
		"":      {"k8s_fedora_atomic_v1", "k8s_fedora_coreos_v1"},
		"rival": {"rival", "k8s_fedora_coreos_v1"},
		"nope":  {"k8s_fedora_atomic_v1", "k8s_fedora_coreos_v1"},
	} {
		f.config.Options.Drivers.DefaultDriver = standard
		for i, image := range []string{"fedora-atomic-latest", "fedora-coreos-latest"} {
			got := f.must(201, "demo", "POST", "/v1/clustertemplates", `{"name": "t", "coe": "kubernetes", "image_id": "`+image+`"}`).str("driver")
			if got != want[i] {
				t.Errorf("default %q, %s: %s, want %s", standard, image, got, want[i])
			}
		}
	}
}

// TestDriverConflict holds that no driver is chosen by chance, and that the
// refusal names all there are to choose from.
func TestDriverConflict(t *testing.T) {
	f := newFixture(t)
	drivers := testDriversAnd("rival", "third")
	id := f.must(201, "demo", "POST", "/v1/clustertemplates", `{"name": "t", "coe": "kubernetes", "image_id": "fedora-atomic-latest"}`).str("uuid")
	if _, err := f.db.UpdateTemplate(context.Background(), id, func(t *magnum.ClusterTemplate, _ bool) error { t.Driver = ""; return nil }); err != nil {
		t.Fatal(err)
	}
	f.publish(drivers...)
	f.refused(409, "Cluster type (vm, fedora-atomic, kubernetes) is supported by k8s_fedora_atomic_v1 and by rival and by third; "+
		"ask an operator to give one of them priority.", "demo", "POST", "/v1/clusters", `{"cluster_template_id": "`+id+`"}`)
	f.must(200, "demo", "PATCH", "/v1/clustertemplates/"+id, `[{"op": "add", "path": "/driver", "value": "third"}]`)
	if got := f.stored(f.newCluster(id, "")).Driver.Name; got != "third" {
		t.Errorf("the cluster is %s's", got)
	}
}

// TestRemovedDriver holds that a cluster whose driver is gone can be shown and
// deleted, and that a version that is being removed gets no new one.
func TestRemovedDriver(t *testing.T) {
	f := newFixture(t)
	id := f.must(201, "demo", "POST", "/v1/clustertemplates", `{"name": "t", "coe": "kubernetes", "image_id": "fedora-atomic-latest"}`).str("uuid")
	cluster := f.newCluster(id, "")
	ref := f.stored(cluster).Driver
	if _, err := f.db.Withdraw(context.Background(), ref, true); err != nil {
		t.Fatal(err)
	}
	f.refused(409, "Driver k8s_fedora_atomic_v1 1.0.0 is being removed and takes no more clusters. Please try again in a few minutes.",
		"demo", "POST", "/v1/clusters", `{"cluster_template_id": "`+id+`"}`)
	f.publish()
	f.refused(400, "Cluster driver (k8s_fedora_atomic_v1) not supported.", "demo", "POST", "/v1/clusters", `{"cluster_template_id": "`+id+`"}`)
	if got := f.must(200, "demo", "GET", "/v1/clusters/"+cluster, "").str("uuid"); got != cluster {
		t.Errorf("shown as %s", got)
	}
	if list := f.must(200, "demo", "GET", "/v1/clusters/detail", ""); len(list.body["clusters"].([]any)) != 1 {
		t.Errorf("listed as %s", list.text)
	}
	f.must(200, "demo", "GET", "/v1/clusters/"+cluster+"/nodegroups", "")
	f.must(204, "demo", "DELETE", "/v1/clusters/"+cluster, "")
	if got := f.stored(cluster).Status; got != magnum.DeleteInProgress {
		t.Errorf("its status is %s", got)
	}
}

// TestHostsThatDiffer holds that new clusters and labels are checked by what
// conductors can serve, also while hosts are upgraded one after the other.
func TestHostsThatDiffer(t *testing.T) {
	f := newFixture(t)
	const k8s, template = "k8s_fedora_atomic_v1", `{"name": "t", "coe": "%s", "image_id": "fedora-atomic-latest", "labels": {%s}}`
	on := func(host string, drivers ...state.Driver) {
		f.Helper()
		for _, err := range []error{
			f.db.Heartbeat(context.Background(), host, state.ConductorBinary), f.db.PublishDrivers(context.Background(), host, drivers),
		} {
			if err != nil {
				f.Fatal(err)
			}
		}
	}
	check := func(why, version, label, refusal, coe, unsupported string) {
		t.Helper()
		path := f.must(201, "demo", "POST", "/v1/clustertemplates", fmt.Sprintf(template, "kubernetes", label)).str("uuid")
		if got := f.stored(f.newCluster(path, "")).Driver; got != (magnum.DriverRef{Name: k8s, Version: version}) {
			t.Errorf("%s: a new cluster gets %v", why, got)
		}
		f.refused(400, refusal, "demo", "POST", "/v1/clustertemplates", fmt.Sprintf(template, "kubernetes", `"ratio": "x"`))
		f.must(201, "demo", "POST", "/v1/clustertemplates", fmt.Sprintf(template, coe, ""))
		if unsupported != "" {
			f.refused(400, "Requested COE type "+unsupported+" is not supported.", "demo", "POST", "/v1/clustertemplates", fmt.Sprintf(template, unsupported, ""))
		}
	}
	const byOld, byNew = `property "labels/ratio" with value "x" is not supported, expecting: number`,
		`property "labels/ratio" with value "x" is not supported, supported values are: a, unspecified`
	all := testDrivers()
	old, swarm := all[0], all[2]
	fresh, idle := old, old
	fresh.Version, fresh.Description.Version = "1.1.0", "1.1.0"
	fresh.Description.LabelSchema = driver.RawJSON(`{"properties": {"ratio": {"enum": ["a"]}}}`)
	idle.Active = false

	f.publish()
	on("a", fresh, idle)
	on("b", old, swarm)
	check("b is to be upgraded", "1.0.0", `"ratio": "1"`, byOld, "swarm", "swarm-mode")
	fresh.Active = true
	on("b", idle, fresh, swarm)
	check("b is upgraded", "1.1.0", `"ratio": "a"`, byNew, "swarm", "")
	on("b", idle, fresh)
	check("b comes back with less", "1.1.0", `"ratio": "a"`, byNew, "kubernetes", "swarm")
	on("a", old)
	check("a comes back with less", "1.0.0", `"ratio": "1"`, byOld, "kubernetes", "swarm")
}
