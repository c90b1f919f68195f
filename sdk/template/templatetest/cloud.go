package templatetest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	password = `pa"ss\word-canary`
	token    = "token-canary"
	wait     = "wait-canary"
)

// Cloud is the part of Keystone, Magnum and Heat that a node speaks to.
type Cloud struct {
	URL string
	// Busy answers that many requests to Magnum with 503 first.
	Busy int

	t    *testing.T
	cas  map[string]*authority
	mu   sync.Mutex
	csrs []string
	told []Signal
}

// Signal is what a node told its wait condition.
type Signal struct{ Status, Reason, ID string }

// Signals are those that came, in order.
func (c *Cloud) Signals() []Signal {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.told)
}

// Signed are the certificates that were signed, in order, as "kind of CA|common
// name|organization".
func (c *Cloud) Signed() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.csrs)
}

// Authority is the certificate, in PEM, of one of the cluster's CAs: "", etcd,
// front-proxy.
func (c *Cloud) Authority(kind string) string { return c.cas[kind].pem }

type authority struct {
	cert *x509.Certificate
	key  *rsa.PrivateKey
	pem  string
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	tpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, tpl, tpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{cert: cert, key: key, pem: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}
}

// StartCloud starts one that ends with the test.
func StartCloud(t *testing.T) *Cloud {
	c := &Cloud{t: t, cas: map[string]*authority{}}
	for _, kind := range []string{"", "etcd", "front-proxy"} {
		c.cas[kind] = newAuthority(t, "CA "+kind)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v3/auth/tokens", c.login)
	mux.HandleFunc("GET /v1/certificates/{uuid}", c.magnum(c.authority))
	mux.HandleFunc("POST /v1/certificates", c.magnum(c.sign))
	mux.HandleFunc("POST /signal", c.signal)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	c.URL = s.URL
	return c
}

func (c *Cloud) login(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Auth struct {
			Scope    any
			Identity struct {
				Password struct{ User struct{ ID, Password string } }
			}
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		c.t.Errorf("login: %v", err)
	}
	user := body.Auth.Identity.Password.User
	if user.ID != "trustee" || user.Password != password || body.Auth.Scope != nil {
		http.Error(w, "no", http.StatusUnauthorized)
		return
	}
	w.Header().Set("X-Subject-Token", token)
	w.WriteHeader(http.StatusCreated)
}

func (c *Cloud) magnum(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.Busy > 0 {
			c.Busy--
			http.Error(w, `{"pem": "not a certificate"}`, http.StatusServiceUnavailable)
			return
		}
		if r.Header.Get("X-Auth-Token") != token || r.Header.Get("OpenStack-API-Version") != "container-infra latest" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		next(w, r)
	}
}

func (c *Cloud) authority(w http.ResponseWriter, r *http.Request) {
	ca := c.cas[r.URL.Query().Get("ca_cert_type")]
	if r.PathValue("uuid") != ClusterUUID || ca == nil {
		http.NotFound(w, r)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]string{"cluster_uuid": ClusterUUID, "pem": ca.pem})
}

func (c *Cloud) sign(w http.ResponseWriter, r *http.Request) {
	var body struct {
		ClusterUUID string `json:"cluster_uuid"`
		CSR         string `json:"csr"`
		Type        string `json:"ca_cert_type"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.ClusterUUID != ClusterUUID || c.cas[body.Type] == nil {
		c.t.Errorf("certificate request: %v: %+v", err, body)
		http.Error(w, "bad", http.StatusBadRequest)
		return
	}
	block, _ := pem.Decode([]byte(body.CSR))
	csr, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		c.t.Errorf("certificate request: %v", err)
		http.Error(w, "bad", http.StatusBadRequest)
		return
	}
	ca := c.cas[body.Type]
	tpl := &x509.Certificate{
		SerialNumber: big.NewInt(int64(len(c.csrs) + 2)), Subject: csr.Subject, ExtraExtensions: csr.Extensions,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, tpl, ca.cert, csr.PublicKey, ca.key)
	if err != nil {
		c.t.Errorf("sign: %v", err)
	}
	c.csrs = append(c.csrs, fmt.Sprintf("%s|%s|%s", body.Type, csr.Subject.CommonName, strings.Join(csr.Subject.Organization, ",")))
	_ = json.NewEncoder(w).Encode(map[string]string{"pem": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))})
}

func (c *Cloud) signal(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var s Signal
	if err := json.Unmarshal(body, &s); err != nil || r.Header.Get("X-Auth-Token") != wait {
		c.t.Errorf("signal %s with token %q: %v", body, r.Header.Get("X-Auth-Token"), err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told = append(c.told, s)
}
