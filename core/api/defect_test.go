package api

import (
	"context"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/sdk/driver"
)

// TestDefects has one line for each of upstream's known defects: how we answer
// where upstream does the wrong or an odd thing. Those that nobody sees through
// the API are held elsewhere:
//
//   - key `docker_volume_size:` in events: TestMessage of core/notify
//   - periodic emission of duplicate notifications: TestDrainTwo of core/notify, TestTold of core/conductor
//   - no timeouts: TestDeadline, TestDefaultDeadline of core/conductor
//   - load balancers left behind: TestPreDelete, TestPreDeletePattern of core/conductor
//   - health monitor never made, a label that cannot disable floating IPs: TestDescription, TestGolden of drivers-k8s-fedora-atomic
//   - certificates left behind: TestDelete, TestRotate, TestDeleteDuringRotation of core/cert; TestDelete of core/conductor
//   - the order of a rotation: TestRotateCAFails, TestRotateCASurvivesCrash of core/conductor
func TestDefects(t *testing.T) {
	for _, defect := range []struct {
		row   string
		prove func(t *testing.T, f *fixture, id string) // of a settled cluster c of demo's
	}{
		{"202-then-ignored updates", refusesAtOnce},
		{"500 on malformed input", malformedIsBad},
		{"keypair missing = 404", func(_ *testing.T, f *fixture, _ string) {
			f.refused(404, "Unable to find keypair nope.", "demo", "POST", "/v1/clusters", `{"cluster_template_id": "t", "keypair": "nope"}`)
		}},
		{"POST certificate unknown cluster = 400", func(_ *testing.T, f *fixture, _ string) {
			f.refused(400, "Cluster nope could not be found.", "demo", "POST", "/v1/certificates", `{"cluster_uuid": "nope", "csr": "x"}`)
			f.refused(404, "Cluster nope could not be found.", "demo", "GET", "/v1/certificates/nope", "")
		}},
		{"template missing 400/404 by version", func(_ *testing.T, f *fixture, _ string) {
			for v, status := range map[string]int{"1.1": 400, "1.9": 400, "1.10": 404, "1.14": 404} {
				f.refused(status, "ClusterTemplate nope could not be found.", "demo", "POST", "/v1/clusters", `{"cluster_template_id": "nope"}`,
					"OpenStack-API-Version", "container-infra "+v)
			}
		}},
		{"quota PATCH resets hard_limit to 1", func(t *testing.T, f *fixture, _ string) {
			f.setQuota("project-demo", 7)
			f.refused(400, "Invalid input for field/attribute hard_limit. Value: 'None'. Mandatory field missing.", "admin", "PATCH", "/v1/quotas/project-demo/Cluster", `{}`)
			if got := f.must(202, "admin", "PATCH", "/v1/quotas/project-demo/Cluster", `{"hard_limit": "9"}`).body["hard_limit"]; got != 9.0 {
				t.Errorf("the limit is %v", got)
			}
		}},
		{"stats counts masters", func(t *testing.T, f *fixture, _ string) {
			if got := f.must(200, "demo", "GET", "/v1/stats", "").text; got != `{"clusters": 1, "nodes": 2}` {
				t.Errorf("one master and one worker count as %s", got)
			}
		}},
		{"stringified dict in PATCH", func(t *testing.T, f *fixture, _ string) {
			f.newTemplate(`"name": "free"`)
			for _, v := range []string{`"{'a': 'b'}"`, `{"a": "b"}`} {
				got := f.must(200, "demo", "PATCH", "/v1/clustertemplates/free", `[{"op": "replace", "path": "/labels", "value": `+v+`}]`)
				if labels := fmt.Sprint(got.body["labels"]); labels != "map[a:b]" {
					t.Errorf("%s: %s", v, labels)
				}
			}
		}},
		{"Python literal parsing", func(t *testing.T, f *fixture, _ string) {
			f.newTemplate(`"name": "free"`)
			for literal, want := range map[string]string{
				`{"a": true, "b": null}`: "", // labels are not null, in either notation
				`{'a': True, 'b': None}`: "",
				`{"a": true, "b": 1.50}`: "map[a:True b:1.5]",
				`{'a': True, 'b': 1.50}`: "map[a:True b:1.5]",
				`{'a': "it's", }`:        "map[a:it's]",
				`{'a': open('/etc')}`:    "",
				`{'a': 1 + 1}`:           "",
			} {
				text, err := json.Marshal(literal)
				if err != nil {
					t.Fatal(err)
				}
				got := f.send("demo", "PATCH", "/v1/clustertemplates/free", `[{"op": "replace", "path": "/labels", "value": `+string(text)+`}]`)
				if want == "" && got.status != 400 || want != "" && fmt.Sprint(got.body["labels"]) != want {
					t.Errorf("%s: %d %v, want %s", literal, got.status, got.body["labels"], want)
				}
			}
		}},
		{"enum order in texts, arbitrary handler name in 406", func(_ *testing.T, f *fixture, _ string) {
			f.refused(400, "Invalid input for field/attribute server_type. Value: 'x'. Value should be one of: bm, vm", "demo", "POST", "/v1/clustertemplates",
				`{"image_id": "i", "server_type": "x"}`)
			f.refused(406, "Version 1.8 was requested but the requested API get_one is not supported for this version.", "demo", "GET", "/v1/clusters/c/nodegroups/g", "",
				"OpenStack-API-Version", "container-infra 1.8")
		}},
		{"nodegroup status gate", func(_ *testing.T, f *fixture, id string) {
			// A group that is well, in a cluster that is not, and the other way round.
			f.set(id, func(c *magnum.Cluster) { c.Status = magnum.DeleteInProgress })
			f.refused(400, `Creating a nodegroup when cluster status is "DELETE_IN_PROGRESS" is not supported.`, "demo", "POST", "/v1/clusters/c/nodegroups", `{"name": "new"}`)
			f.refused(400, `Updating a nodegroup when cluster status is "DELETE_IN_PROGRESS" is not supported.`, "demo", "PATCH", "/v1/clusters/c/nodegroups/extra", setMinimum)
			f.refused(400, `Deleting a nodegroup when cluster status is "DELETE_IN_PROGRESS" is not supported.`, "demo", "DELETE", "/v1/clusters/c/nodegroups/extra", "")
			f.set(id, func(c *magnum.Cluster) { c.Status, c.NodeGroups[2].Status = magnum.UpdateComplete, magnum.CreateFailed })
			f.must(202, "demo", "PATCH", "/v1/clusters/c/nodegroups/extra", setMinimum)
		}},
		{"nodegroup `is_default`, `status`, `version` writable", func(_ *testing.T, f *fixture, _ string) {
			for name, v := range map[string]string{"is_default": "true", "status": `"CREATE_COMPLETE"`, "version": `"1"`} {
				shown := strings.Trim(v, `"`)
				if name == "is_default" {
					shown = "True"
				}
				f.refused(400, "Invalid input for field/attribute "+name+". Value: '"+shown+"'. Cannot set read only field.", "demo", "POST", "/v1/clusters/c/nodegroups",
					`{"name": "new", "`+name+`": `+v+`}`)
				f.refused(400, "'/"+name+"' is an internal attribute and can not be updated", "demo", "PATCH", "/v1/clusters/c/nodegroups/extra",
					`[{"op": "replace", "path": "/`+name+`", "value": `+v+`}]`)
			}
		}},
		{"cert leaks, rotate ordering, cache not refreshed, `local` backend", rotationKeepsTheOld},
		{"SKI in CSR", func(t *testing.T, f *fixture, id string) {
			own := []byte{4, 4, 1, 2, 3, 4} // an OCTET STRING
			csr := request509(t, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 14}, Value: own})
			body, err := json.Marshal(map[string]string{"cluster_uuid": id, "csr": csr})
			if err != nil {
				t.Fatal(err)
			}
			cert, found := parse509(t, f.must(201, "demo", "POST", "/v1/certificates", string(body)).str("pem")), 0
			for _, e := range cert.Extensions {
				if e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 14}) {
					found++
				}
			}
			if found != 1 {
				t.Errorf("the certificate has %d subject key identifiers", found)
			}
		}},
		{"no AKI, same-subject CAs", func(t *testing.T, f *fixture, id string) {
			subjects := map[string]bool{}
			for _, kind := range []string{"", "etcd", "front_proxy"} {
				ca := parse509(t, f.must(200, "demo", "GET", "/v1/certificates/c?ca_cert_type="+kind, "").str("pem"))
				subjects[ca.Subject.String()] = true
				body, err := json.Marshal(map[string]string{"cluster_uuid": id, "csr": request509(t), "ca_cert_type": kind})
				if err != nil {
					t.Fatal(err)
				}
				signed := parse509(t, f.must(201, "demo", "POST", "/v1/certificates", string(body)).str("pem"))
				if len(signed.AuthorityKeyId) == 0 || !cmp.Equal(signed.AuthorityKeyId, ca.SubjectKeyId) {
					t.Errorf("%q: the certificate names issuer %x, the authority is %x", kind, signed.AuthorityKeyId, ca.SubjectKeyId)
				}
			}
			if len(subjects) != 3 {
				t.Errorf("the authorities are %v", subjects)
			}
		}},
		{"delete when driver is missing", func(_ *testing.T, f *fixture, id string) {
			f.publish()
			f.must(204, "demo", "DELETE", "/v1/clusters/c", "")
			f.input(id, magnum.OpDelete, nil)
			f.must(204, "demo", "DELETE", "/v1/clusters/c", "")
		}},
		{"admin cannot resize/manage groups of other projects", func(t *testing.T, f *fixture, id string) {
			for _, c := range [][3]string{
				{"POST", "/actions/resize", `{"node_count": 2}`}, {"POST", "/nodegroups", `{"name": "new"}`},
				{"PATCH", "/nodegroups/extra", setMinimum}, {"DELETE", "/nodegroups/extra", ""},
			} {
				f.setStatus(id, magnum.UpdateComplete)
				if got := f.send("admin", c[0], "/v1/clusters/"+id+c[1], c[2]); got.status != 202 && got.status != 204 {
					t.Errorf("%s %s: %d %s", c[0], c[1], got.status, got.text)
				}
			}
			for _, g := range f.stored(id).NodeGroups {
				if g.ProjectID != "project-demo" {
					t.Errorf("group %s is of %s", g.Name, g.ProjectID)
				}
			}
		}},
		{"driver tuple vs name", func(t *testing.T, f *fixture, _ string) {
			// Two drivers of one type: the template's name decides, for the
			// cluster as well.
			rival := testDrivers()[0]
			rival.Name, rival.Description.Name = "rival", "rival"
			f.publish(append(testDrivers(), rival)...)
			f.newTemplate(`"name": "named", "driver": "rival"`)
			if d := f.stored(f.newCluster("named", "")).Driver.Name; d != "rival" {
				t.Errorf("the cluster is %s's", d)
			}
		}},
		{"public/hidden/tags edits on referenced template", func(_ *testing.T, f *fixture, id string) {
			template := "/v1/clustertemplates/" + f.stored(id).ClusterTemplateID
			for _, p := range []string{`"path": "/public", "value": true`, `"path": "/hidden", "value": true`, `"path": "/hidden", "value": false`, `"path": "/tags", "value": "a"`, `"path": "/name", "value": "u"`} {
				f.must(200, "admin", "PATCH", template, `[{"op": "replace", `+p+`}]`)
			}
			for _, p := range []string{`[]`, `[{"op": "replace", "path": "/public", "value": false}]`, `[{"op": "remove", "path": "/tags"}]`, `[{"op": "add", "path": "/labels/x", "value": "y"}]`} {
				f.refused(400, "ClusterTemplate "+f.stored(id).ClusterTemplateID+" is referenced by one or multiple clusters.", "admin", "PATCH", template, p)
			}
		}},
		{"GET quota echoes `Cluster` for any resource", func(t *testing.T, f *fixture, _ string) {
			if got := f.must(200, "demo", "GET", "/v1/quotas/project-demo/Anything", "").str("resource"); got != "Cluster" {
				t.Errorf("the resource is %q", got)
			}
		}},
		{"bays", func(t *testing.T, f *fixture, id string) {
			for _, v := range []string{"1.1", "1.10"} {
				if got := f.must(200, "demo", "GET", "/v1/bays/c", "", "OpenStack-API-Version", "container-infra "+v).str("uuid"); got != id {
					t.Errorf("bay %s", got)
				}
			}
			f.must(202, "demo", "PATCH", "/v1/bays/c", `[{"op": "replace", "path": "/node_count", "value": 2}]`)
			f.must(406, "demo", "GET", "/v1/bays/c", "", "OpenStack-API-Version", "container-infra 1.11")
		}},
	} {
		t.Run(defect.row, func(t *testing.T) {
			f := newFixture(t)
			f.newTemplate(`"name": "t"`)
			id := f.signable("c")
			f.withAddress(id)
			if defect.row != "stats counts masters" {
				f.withAddress(id, magnum.NodeGroup{Name: "extra", Role: "gpu", NodeCount: 1, Status: magnum.CreateComplete})
			}
			defect.prove(t, f, id)
		})
	}
}

const setMinimum = `[{"op": "replace", "path": "/min_node_count", "value": 1}]`

// refusesAtOnce: what upstream's conductor drops after the API said 202.
func refusesAtOnce(_ *testing.T, f *fixture, id string) {
	const nodes = `[{"op": "replace", "path": "/node_count", "value": 2}]`
	f.setStatus(id, magnum.CreateFailed)
	f.refused(400, `Updating a cluster when status is "CREATE_FAILED" is not supported.`, "demo", "PATCH", "/v1/clusters/c", nodes)
	f.refused(400, `Resizing a cluster when status is "CREATE_FAILED" is not supported.`, "demo", "POST", "/v1/clusters/c/actions/resize", `{"node_count": 2}`)
	f.refused(400, `Upgrading a cluster when status is "CREATE_FAILED" is not supported.`, "demo", "POST", "/v1/clusters/c/actions/upgrade", `{"cluster_template": "t"}`)
	// A resize is let in where an update is not.
	f.setStatus(id, magnum.UpdateFailed)
	f.refused(400, `Updating a cluster when status is "UPDATE_FAILED" is not supported.`, "demo", "PATCH", "/v1/clusters/c", nodes)
	f.must(202, "demo", "POST", "/v1/clusters/c/actions/resize", `{"node_count": 2}`)
}

// malformedIsBad: what upstream answers with 500.
func malformedIsBad(_ *testing.T, f *fixture, id string) {
	const input = "Invalid input for field/attribute "
	f.refused(400, input+"labels. Value: '{'a': None}'. Wrong type. Expected '(<class 'str'>, (<class 'int'>,), <class 'bool'>, <class 'float'>)', got '<class 'NoneType'>'",
		"demo", "POST", "/v1/clusters", `{"cluster_template_id": "t", "labels": {"a": null}}`)
	f.refused(400, input+"csr. Value: 'None'. Mandatory field missing.", "demo", "POST", "/v1/certificates", `{"cluster_uuid": "`+id+`"}`)
	f.refused(400, input+"name. Value: 'None'. Mandatory field missing.", "demo", "POST", "/v1/clusters/c/nodegroups", `{}`)
	f.refused(400, input+"floating_ip_enabled. Value: 'maybe'. "+notBool("maybe"), "demo", "POST", "/v1/clusters", `{"cluster_template_id": "t", "floating_ip_enabled": "maybe"}`)
	f.refused(400, input+"cluster. Value: '[]'. Value not a valid dict: []", "demo", "POST", "/v1/clusters", `[]`)
	f.refused(400, `Missing argument: "cluster_upgrade_req"`, "demo", "POST", "/v1/clusters/c/actions/upgrade", `{}`)
	f.refused(400, input+"cluster_template. Value: 'None'. Mandatory field missing.", "demo", "POST", "/v1/clusters/c/actions/upgrade", `{"max_batch_size": 1}`)
	f.refused(400, "Must provide a valid project ID.", "admin", "POST", "/v1/quotas", `{}`)
}

// rotationKeepsTheOld: upstream has stored new authorities by the time that it
// finds out that the driver cannot rotate, and leaves the cluster failed.
func rotationKeepsTheOld(t *testing.T, f *fixture, id string) {
	before := f.stored(id)
	shown := f.must(200, "demo", "GET", "/v1/certificates/c", "").str("pem")
	f.change("k8s_fedora_atomic_v1", driver.CapResize)
	f.refused(400, "'rotate_ca_certificate' is not supported by this driver.", "demo", "PATCH", "/v1/certificates/c", "")
	f.publish(testDrivers()...)
	f.must(202, "demo", "PATCH", "/v1/certificates/c", "")
	after, err := f.db.Cluster(context.Background(), state.Scope{All: true}, id)
	if err != nil {
		t.Fatal(err)
	}
	refs := func(c *magnum.Cluster) []string {
		return []string{c.CACertRef, c.MagnumCertRef, c.EtcdCACertRef, c.FrontProxyCertRef}
	}
	if diff := cmp.Diff(refs(before), refs(after)); diff != "" {
		t.Errorf("references (-before +after):\n%s", diff)
	}
	if got := f.must(200, "demo", "GET", "/v1/certificates/c", "").str("pem"); got != shown {
		t.Error("another authority is shown before the nodes have it")
	}
}
