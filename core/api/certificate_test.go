package api

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/magnum"
)

// signable makes a cluster of demo's that has certificates and a trustee.
func (f *fixture) signable(name string) string {
	f.Helper()
	id := f.newCluster(f.newTemplate(""), `"name": "`+name+`"`)
	refs, err := f.cert.Generate(context.Background(), f.stored(id))
	if err != nil {
		f.Fatal(err)
	}
	f.set(id, func(c *magnum.Cluster) {
		c.CACertRef, c.MagnumCertRef, c.EtcdCACertRef, c.FrontProxyCertRef = refs.CA, refs.Magnum, refs.EtcdCA, refs.FrontProxyCA
		c.TrusteeUserID, c.Status = "trustee-"+name, magnum.CreateComplete
	})
	f.people["trustee-"+name] = keystone.Identity{
		UserID: "trustee-" + name, UserName: keystone.TrusteeName(id, "project-demo"), UserDomainID: "magnum", ProjectID: "project-demo", ClusterUUID: id,
	}
	return id
}

func request509(t *testing.T, extensions ...pkix.Extension) string {
	t.Helper()
	key, err := stockKey()
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: "me", Organization: []string{"system:masters"}}, ExtraExtensions: extensions,
	}, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
}

func parse509(t *testing.T, text string) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode([]byte(text + "\n"))
	if block == nil {
		t.Fatalf("no PEM: %q", text)
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCertificates(t *testing.T) {
	f := newFixture(t)
	id := f.signable("c")
	got := f.must(200, "demo", "GET", "/v1/certificates/c", "")
	ca := parse509(t, got.str("pem"))
	if ca.Subject.CommonName != "c" || !ca.IsCA || got.str("cluster_uuid") != id || got.str("bay_uuid") != id || got.body["csr"] != nil || got.body["ca_cert_type"] != nil {
		t.Errorf("CA: %s", got.text)
	}
	if links, _ := json.Marshal(got.body["links"]); !strings.Contains(string(links), `"http://magnum:9511/v1/certificates/`+id+`"`) {
		t.Errorf("links %s", links)
	}
	seen := map[string]bool{got.str("pem"): true}
	for _, kind := range []string{"etcd", "front_proxy"} {
		other := f.must(200, "demo", "GET", "/v1/certificates/c?ca_cert_type="+kind, "").str("pem")
		if seen[other] {
			t.Errorf("the CA for %s is another's", kind)
		}
		seen[other] = true
	}
	if dash := f.must(200, "demo", "GET", "/v1/certificates/c?ca_cert_type=front-proxy", ""); !seen[dash.str("pem")] {
		t.Error("front-proxy is not front_proxy")
	}
	csr := request509(t)
	for _, name := range []string{"cluster_uuid", "bay_uuid"} {
		body, _ := json.Marshal(map[string]string{name: id, "csr": csr})
		signed := f.must(201, "demo", "POST", "/v1/certificates", string(body))
		c := parse509(t, signed.str("pem"))
		if err := c.CheckSignatureFrom(ca); err != nil || c.Subject.CommonName != "me" || signed.str("csr") != csr || signed.str("cluster_uuid") != id {
			t.Errorf("signed: %v %s", err, signed.text)
		}
	}
	body, _ := json.Marshal(map[string]string{"cluster_uuid": "c", "csr": csr, "ca_cert_type": "etcd"})
	signed := f.must(201, "demo", "POST", "/v1/certificates", string(body))
	if parse509(t, signed.str("pem")).Issuer.CommonName == ca.Subject.CommonName || signed.str("ca_cert_type") != "etcd" {
		t.Errorf("signed for etcd: %s", signed.text)
	}
}

func TestCertificatesRefused(t *testing.T) {
	f := newFixture(t)
	id := f.signable("c")
	odd := request509(t, pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}})
	body := func(members ...string) string {
		m := map[string]string{}
		for i := 0; i < len(members); i += 2 {
			m[members[i]] = members[i+1]
		}
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	const input = "Invalid input for field/attribute "
	for _, c := range []struct{ body, detail string }{
		{body("cluster_uuid", "nope", "csr", "x"), "Cluster nope could not be found."},
		{body("cluster_uuid", "b0c0ffee-0000-4000-8000-00000000000a", "csr", "x"), "Cluster b0c0ffee-0000-4000-8000-00000000000a could not be found."},
		{body("cluster_uuid", id), input + "csr. Value: 'None'. Mandatory field missing."},
		{body("csr", "x"), input + "cluster_uuid. Value: 'None'. Mandatory field missing."},
		{body("cluster_uuid", id, "csr", ""), input + "csr. Value: ''. Value should have a minimum character requirement of 1"},
		{body("cluster_uuid", id, "csr", "bad"), "Received invalid csr b'bad'."},
		{body("cluster_uuid", id, "foo", "x"), "Unknown attribute for argument certificate: foo"},
		{`{"cluster_uuid": 1}`, input + "cluster_uuid. Value: '1'. Wrong type. Expected '<class 'str'>', got '<class 'int'>'"},
		{body("links", "x"), input + "links. Value: 'x'. Cannot set read only field."},
	} {
		f.refused(400, c.detail, "demo", "POST", "/v1/certificates", c.body)
	}
	if got := f.must(400, "demo", "POST", "/v1/certificates", body("cluster_uuid", id, "csr", odd)); !strings.Contains(got.detail(), "not allowed") {
		t.Errorf("a critical extension: %s", got.text)
	}
	f.refused(404, "Cluster nope could not be found.", "demo", "GET", "/v1/certificates/nope", "")
	f.refused(400, `Unknown argument: "foo"`, "demo", "GET", "/v1/certificates/c?foo=1", "")
	young := f.newCluster(f.newTemplate(""), "")
	f.must(409, "demo", "GET", "/v1/certificates/"+young, "")
}

// TestCertificateOwners holds who gets a certificate: the owner, an
// administrator, and the nodes of that very cluster.
func TestCertificateOwners(t *testing.T) {
	f := newFixture(t)
	id, other := f.signable("c"), f.signable("d")
	csr, err := json.Marshal(request509(t))
	if err != nil {
		t.Fatal(err)
	}
	sign := func(id string) string { return `{"cluster_uuid": "` + id + `", "csr": ` + string(csr) + `}` }
	f.people["owner-reader"] = keystone.Identity{UserID: "user-demo", ProjectID: "project-demo", Roles: []string{"reader"}}
	f.people["impostor"] = keystone.Identity{UserID: "impostor", UserName: keystone.TrusteeName(id, "project-demo"), UserDomainID: "magnum", ProjectID: "project-demo", ClusterUUID: id}
	for who, want := range map[string][2]int{
		"demo": {200, 201}, "admin": {200, 201}, "friend": {403, 403}, "reader": {403, 403}, "owner-reader": {200, 403}, "alt": {404, 400},
		"trustee-c": {200, 201}, "trustee-d": {403, 403}, "impostor": {403, 403},
	} {
		if got := f.send(who, "GET", "/v1/certificates/"+id, ""); got.status != want[0] {
			t.Errorf("%s reads: %d, want %d", who, got.status, want[0])
		}
		if got := f.send(who, "POST", "/v1/certificates", sign(id)); got.status != want[1] {
			t.Errorf("%s signs: %d, want %d\n%s", who, got.status, want[1], got.text)
		}
	}
	// Nodes get nothing else, not even of their own cluster.
	for _, path := range []string{"/v1/clusters", "/v1/clusters/" + id, "/v1/clustertemplates", "/v1/certificates/" + other} {
		f.refused(403, "Policy doesn't allow "+map[string]string{
			"/v1/clusters": "cluster:get_all", "/v1/clusters/" + id: "cluster:get", "/v1/clustertemplates": "clustertemplate:get_all",
			"/v1/certificates/" + other: "certificate:get",
		}[path]+" to be performed.", "trustee-c", "GET", path, "")
	}
	f.refused(403, "Policy doesn't allow cluster:delete to be performed.", "trustee-c", "DELETE", "/v1/clusters/"+id, "")
	f.refused(403, "Policy doesn't allow certificate:create to be performed.", "friend", "POST", "/v1/certificates", sign(id))
}
