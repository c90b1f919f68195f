package api

import "testing"

// TestRootDisks: wherever a flavor is named, one without a disk needs servers that
// boot from a volume.
func TestRootDisks(t *testing.T) {
	const (
		refusal   = "Flavor with zero root volume size is not supported when boot_volume_size is zero."
		templates = "/v1/clustertemplates"
		boots     = `"labels": {"boot_volume_size": "10"}`
	)
	f := newFixture(t)
	template := func(more string) string {
		return `{"name": "t", "coe": "kubernetes", "image_id": "fedora-atomic-latest"` + more + `}`
	}
	cluster := func(template, more string) string {
		return `{"name": "c", "cluster_template_id": "` + template + `"` + more + `}`
	}
	disks := f.newTemplate(`"flavor_id": "m1.small", "master_flavor_id": "m1.small"`)
	volumes := f.newTemplate(`"flavor_id": "no.disk", "master_flavor_id": "no.disk", ` + boots)
	for _, field := range []string{"flavor_id", "master_flavor_id"} {
		bare := `, "` + field + `": "no.disk"`
		f.refused(400, refusal, "demo", "POST", templates, template(bare))
		f.refused(400, refusal, "demo", "POST", templates, template(bare+`, "labels": {"boot_volume_size": "0"}`))
		f.refused(400, "boot_volume_size must be an integer, not 'big'.", "demo", "POST", templates, template(bare+`, "labels": {"boot_volume_size": "big"}`))
		// The right to publish is asked for before.
		f.refused(403, "Not authorized to set public or hidden flag for cluster template.", "demo", "POST", templates, template(bare+`, "public": true`))
		f.refused(400, refusal, "demo", "PATCH", templates+"/"+disks, `[{"op": "replace", "path": "/`+field+`", "value": "no.disk"}]`)
		f.refused(400, refusal, "demo", "POST", "/v1/clusters", cluster(disks, bare))
		f.must(202, "demo", "POST", "/v1/clusters", cluster(disks, bare+", "+boots))
	}
	f.refused(400, refusal, "demo", "PATCH", templates+"/"+volumes, `[{"op": "remove", "path": "/labels/boot_volume_size"}]`)
	f.refused(400, refusal, "demo", "POST", "/v1/clusters", cluster(volumes, `, "labels": {"a": "b"}`))

	id := f.newCluster(disks, "")
	f.withAddress(id)
	f.refused(400, refusal, "demo", "POST", "/v1/clusters/"+id+"/nodegroups", `{"name": "g", "flavor_id": "no.disk"}`, "OpenStack-API-Version", "container-infra 1.9")
	f.must(202, "demo", "POST", "/v1/clusters/"+id+"/nodegroups", `{"name": "g", "flavor_id": "no.disk", `+boots+`}`, "OpenStack-API-Version", "container-infra 1.9")

	f.config.Options.Cinder.DefaultBootVolumeSize = 10
	f.must(201, "demo", "POST", templates, template(`, "flavor_id": "no.disk"`))
	f.refused(400, refusal, "demo", "POST", templates, template(`, "flavor_id": "no.disk", "labels": {"boot_volume_size": "0"}`))
}

// TestFlavorsOfPatches: nodes to come are not promised of a flavor that is no more,
// or has lost its disk.
func TestFlavorsOfPatches(t *testing.T) {
	f := newFixture(t)
	id := f.newCluster(f.newTemplate(`"flavor_id": "m1.small", "master_flavor_id": "m1.large"`), "")
	f.withAddress(id)
	group := "/v1/clusters/" + id + "/nodegroups/default-worker"
	for _, c := range []struct {
		flavor, refusal string
		disk            int
	}{
		{"m1.small", "Flavor with zero root volume size is not supported when boot_volume_size is zero.", 0},
		{"m1.small", "Unable to find flavor m1.small.", -1},
		{"m1.large", "Unable to find flavor m1.large.", -1},
	} {
		was := f.cloud.flavors[c.flavor]
		if f.cloud.flavors[c.flavor] = c.disk; c.disk < 0 {
			delete(f.cloud.flavors, c.flavor)
		}
		f.refused(400, c.refusal, "demo", "PATCH", "/v1/clusters/"+id, `[{"op": "replace", "path": "/node_count", "value": 3}]`)
		if c.flavor == "m1.small" {
			f.refused(400, c.refusal, "demo", "PATCH", group, `[{"op": "replace", "path": "/max_node_count", "value": 3}]`, "OpenStack-API-Version", "container-infra 1.9")
		}
		// What changes no node asks for none.
		f.must(202, "demo", "PATCH", "/v1/clusters/"+id, `[{"op": "replace", "path": "/health_status", "value": "HEALTHY"}]`)
		f.cloud.flavors[c.flavor] = was
	}
}
