package api

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

func TestRotateCA(t *testing.T) {
	f := newFixture(t)
	id := f.signable("c")
	f.withAddress(id, magnum.NodeGroup{Name: "g", Role: "gpu", Status: magnum.CreateComplete})
	path := "/v1/certificates/" + id
	pem := f.must(200, "demo", "GET", path, "").str("pem")

	f.refused(404, "Cluster nope could not be found.", "demo", "PATCH", "/v1/certificates/nope", "")
	f.refused(404, "Cluster "+id+" could not be found.", "alt", "PATCH", path, "")
	f.refused(403, "Policy doesn't allow certificate:rotate_ca to be performed.", "reader", "PATCH", path, "")
	f.refused(400, `Unknown argument: "foo"`, "demo", "PATCH", path+"?foo=1", "")
	f.refused(400, `Unknown argument: "foo"`, "demo", "PATCH", path, `{"foo": 1}`)
	f.refused(400, "Request must be a JSON dict", "demo", "PATCH", path, "[]")
	f.refused(400, `Missing argument: "cluster_ident"`, "demo", "PATCH", "/v1/certificates", "")
	for _, s := range []magnum.Status{"CREATE_IN_PROGRESS", "CREATE_FAILED", "UPDATE_IN_PROGRESS", "UPDATE_FAILED", "DELETE_IN_PROGRESS"} {
		f.setStatus(id, s)
		f.refused(400, `Updating a cluster when status is "`+string(s)+`" is not supported.`, "demo", "PATCH", path, "")
	}
	bare := f.newCluster(f.newTemplate(`"tls_disabled": true`), `"name": "bare"`)
	f.refused(400, "Rotating the CA certificate on a non-TLS cluster is not supported", "demo", "PATCH", "/v1/certificates/"+bare, "")
	f.setStatus(id, magnum.CreateComplete)
	f.change("k8s_fedora_atomic_v1", driver.CapResize, driver.CapRotateCredential)
	f.refused(400, "'rotate_ca_certificate' is not supported by this driver.", "demo", "PATCH", path, "")
	f.change("k8s_fedora_atomic_v1", driver.CapRotateCA)

	before, woken := f.stored(id), f.woken.Load()
	// At every version, by anybody of the project, with a body that says nothing.
	got := f.must(202, "friend", "PATCH", "/v1/certificates/c", "{}", "OpenStack-API-Version", "container-infra 1.1")
	if got.text != `{"uuid": "`+id+`"}` || f.woken.Load() != woken+1 {
		t.Errorf("answer %s, woken %d times", got.text, f.woken.Load()-woken)
	}
	if op := f.input(id, magnum.OpRotateCA, nil); len(op.Input) != 0 || len(op.SealedToken) != 0 {
		t.Errorf("operation %+v", op)
	}
	// Neither the references nor other groups change, and the old authority
	// goes on answering.
	before.Status, before.NodeGroups[0].Status, before.NodeGroups[1].Status = magnum.UpdateInProgress, magnum.UpdateInProgress, magnum.UpdateInProgress
	after := f.stored(id)
	after.UpdatedAt = before.UpdatedAt
	for i := range after.NodeGroups {
		after.NodeGroups[i].UpdatedAt = before.NodeGroups[i].UpdatedAt
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	if again := f.must(200, "demo", "GET", path, "").str("pem"); again != pem {
		t.Error("another certificate is shown before anything was rotated")
	}
	f.setStatus(id, magnum.UpdateComplete)
	if err := f.db.PublishDrivers(context.Background(), "h", nil); err != nil {
		t.Fatal(err)
	}
	f.must(202, "admin", "PATCH", path, "")
}

func TestRotateCredential(t *testing.T) {
	f := newFixture(t)
	f.version = "1.12"
	f.newTemplate(`"name": "t"`)
	id := f.newCluster("t", `"name": "c"`)
	f.withAddress(id)
	path := "/v1/credentials/" + id

	f.refused(406, "Version 1.11 was requested but the requested API patch is not supported for this version.", "demo", "PATCH", path, "", "OpenStack-API-Version", "container-infra 1.11")
	f.refused(404, "Cluster nope could not be found.", "demo", "PATCH", "/v1/credentials/nope", "")
	f.refused(404, "Cluster "+id+" could not be found.", "alt", "PATCH", path, "")
	f.refused(403, "Policy doesn't allow credential:rotate to be performed.", "reader", "PATCH", path, "")
	f.refused(400, `Unknown argument: "foo"`, "demo", "PATCH", path+"?foo=1", "")
	f.refused(400, `Missing argument: "cluster_ident"`, "demo", "PATCH", "/v1/credentials", "")
	if allow := f.must(405, "demo", "GET", path, "").header.Get("Allow"); allow != "PATCH" {
		t.Errorf("Allow: %s", allow)
	}
	for _, s := range []magnum.Status{"CREATE_IN_PROGRESS", "CREATE_FAILED", "DELETE_IN_PROGRESS"} {
		f.setStatus(id, s)
		f.refused(400, `magnum.conductor.handlers.credential_conductor when cluster status is "`+string(s)+`" is not supported.`, "demo", "PATCH", path, "")
	}
	f.setStatus(id, magnum.UpdateFailed)
	f.change("k8s_fedora_atomic_v1", driver.CapRotateCA)
	f.refused(400, "Credential rotation is not supported by driver.", "demo", "PATCH", path, "")
	f.change("k8s_fedora_atomic_v1", driver.CapRotateCredential)

	woken := f.woken.Load()
	got := f.must(202, "friend", "PATCH", "/v1/credentials/c", `["ignored"]`)
	if got.text != `{"uuid": "`+id+`"}` || f.woken.Load() != woken+1 {
		t.Errorf("answer %s, woken %d times", got.text, f.woken.Load()-woken)
	}
	op := f.input(id, magnum.OpRotateCredential, nil)
	if token, err := keystone.Open(keystone.SealKey("service"), op.SealedToken); err != nil || token != "friend" || len(op.Input) != 0 {
		t.Errorf("operation %+v, token %q, %v", op, token, err)
	}
	if c := f.stored(id); c.Status != magnum.UpdateInProgress || c.NodeGroups[0].Status != magnum.UpdateFailed {
		t.Errorf("cluster %s, group %s", c.Status, c.NodeGroups[0].Status)
	}
	f.refused(409, "Cluster c already has an operation in progress.", "demo", "PATCH", path, "")
}
