// Package enginetest tests the drivers of Docker engines: what they have in common
// is here once.
package enginetest

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template/templatetest"
)

// ClusterOutputs are what the stack of a cluster says to its node groups.
func ClusterOutputs() map[string]driver.RawJSON {
	return map[string]driver.RawJSON{
		"api_address": driver.RawJSON(`"172.24.4.6"`), "network": driver.RawJSON(`"4e4e4e4e-0000-4000-8000-000000000000"`),
		"subnet":               driver.RawJSON(`"4e4e4e4e-0000-4000-8000-000000000001"`),
		"node_security_groups": driver.RawJSON(`["5e5e5e5e-0000-4000-8000-000000000001"]`),
		"address_pairs":        driver.RawJSON(`[]`), "master_addresses": driver.RawJSON(`"10.0.0.10 10.0.0.11 10.0.0.12"`),
	}
}

// Manager is the API of a manager with recorded answers, by their paths.
type Manager struct {
	Answers map[string]string
	// Queries are those that an answer is for alone, by its path.
	Queries map[string]string
	// Status is the answer to everything, if not 0.
	Status int
	// Slow answers nothing at all.
	Slow bool
}

func (m Manager) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if m.Slow {
		<-r.Context().Done()
		return
	}
	if m.Status != 0 {
		http.Error(w, `{"message":"This node is not a swarm manager."}`, m.Status)
		return
	}
	answer, ok := m.Answers[r.URL.Path]
	switch {
	case !ok:
		http.NotFound(w, r)
	case r.URL.RawQuery != m.Queries[r.URL.Path]:
		http.Error(w, "another query than "+m.Queries[r.URL.Path], http.StatusBadRequest)
	default:
		fmt.Fprint(w, answer)
	}
}

// Without has one answer less, and With another one.
func (m Manager) Without(path string) Manager { return m.with(path, nil) }

// With has another answer at that path.
func (m Manager) With(path, answer string) Manager { return m.with(path, &answer) }

func (m Manager) with(path string, answer *string) Manager {
	answers := map[string]string{}
	for p, a := range m.Answers {
		answers[p] = a
	}
	delete(answers, path)
	if answer != nil {
		answers[path] = *answer
	}
	m.Answers = answers
	return m
}

// Start serves it with TLS to clients that have a certificate.
func (m Manager) Start(t *testing.T) driver.COEAccess {
	t.Helper()
	s := httptest.NewUnstartedServer(m)
	s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	s.StartTLS()
	t.Cleanup(s.Close)
	encode := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	pair := s.TLS.Certificates[0] // as good as any other: the server looks only whether there is one
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return driver.COEAccess{
		Endpoint: strings.Replace(s.URL, "https://", "tcp://", 1), CACert: encode("CERTIFICATE", pair.Certificate[0]),
		ClientCert: encode("CERTIFICATE", pair.Certificate[0]), ClientKey: encode("PRIVATE KEY", key),
	}
}

// Servers are those of the recorded clusters' workers, as Heat has them.
func Servers() []driver.Node {
	return []driver.Node{
		{Name: "s-node-0", Address: "10.77.0.20", HeatIndex: "0"},
		{Name: "S_node-1", Address: "10.77.0.21", HeatIndex: "1"},
		{Name: "s-node-2", Address: "10.77.0.22", HeatIndex: "2"},
	}
}

// Machine is a node of Fedora Atomic, or another image, with the values that Heat
// would give it: index and role are its own, masters the addresses of all.
func Machine(t *testing.T, c *templatetest.Cloud, role, index, masters string, more map[string]string) *templatetest.Machine {
	t.Helper()
	params := map[string]string{
		"name": "Prod_1-" + role + "-" + index, "role": role, "address": "10.0.0.1" + index, "master_addresses": masters,
		"docker_storage_driver": "overlay2", "nodegroup_name": "default-" + role, "nodegroup_role": role, "tls_disabled": "False",
	}
	if role == "master" {
		params["index"], params["external_address"] = index, "172.24.4.9"
		params["api_private_address"], params["api_public_address"] = "10.0.0.5", "172.24.4.5"
	}
	for name, value := range more {
		params[name] = value
	}
	m := templatetest.NewMachine(t, c, params)
	for _, p := range []string{"restorecon", "update-ca-trust", "docker-storage-setup"} {
		m.Program(p, "cat >/dev/null")
	}
	m.Write("etc/sysconfig/docker", "OPTIONS='--selinux-enabled --log-driver=journald --live-restore'\n")
	return m
}
