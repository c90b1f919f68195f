package cert_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-magnum/magnum/core/cert"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
)

const keyBits = 2048

// stock returns keys made once for all tests, again and again: making one
// takes longer than everything else here.
var stock = sync.OnceValue(func() []*rsa.PrivateKey {
	keys := make([]*rsa.PrivateKey, 5)
	for i := range keys {
		key, err := rsa.GenerateKey(rand.Reader, keyBits)
		if err != nil {
			panic(err)
		}
		keys[i] = key
	}
	return keys
})

// fixture is an authority over a real database with one cluster in it.
type fixture struct {
	*cert.Authority
	db      *state.DB
	cluster *magnum.Cluster
	path    string // of the database
	now     time.Time
	keys    atomic.Int64 // made so far
}

func newFixture(t *testing.T, config cert.Config) *fixture {
	t.Helper()
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "m.sqlite")
	db, err := state.Open(ctx, state.Config{Connection: "sqlite:///" + path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, _, err := db.Upgrade(ctx); err != nil {
		t.Fatal(err)
	}
	f := &fixture{db: db, path: path, now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}
	config.Store = db
	config.Now = func() time.Time { return f.now }
	config.NewKey = func(bits int) (*rsa.PrivateKey, error) {
		if bits != keyBits {
			t.Errorf("a key of %d bits was asked for, want %d", bits, keyBits)
		}
		keys := stock()
		return keys[int(f.keys.Add(1)-1)%len(keys)], nil
	}
	f.Authority = cert.New(config)
	f.cluster = f.add(t, "prod")
	return f
}

// add makes another cluster, without certificates.
func (f *fixture) add(t *testing.T, name string) *magnum.Cluster {
	t.Helper()
	template := &magnum.ClusterTemplate{Name: "t", ProjectID: "p"}
	if err := f.db.CreateTemplate(t.Context(), template); err != nil {
		t.Fatal(err)
	}
	c := &magnum.Cluster{Name: name, ProjectID: "p", UserID: "u", ClusterTemplateID: template.UUID}
	if err := f.db.AcceptCreate(t.Context(), c, &magnum.Operation{Kind: magnum.OpCreate}, 100); err != nil {
		t.Fatal(err)
	}
	return c
}

// generate makes the cluster's certificates and refers to them in its row.
func (f *fixture) generate(t *testing.T) cert.Refs {
	t.Helper()
	refs, err := f.Generate(t.Context(), f.cluster)
	if err != nil {
		t.Fatal(err)
	}
	f.cluster.CACertRef, f.cluster.MagnumCertRef = refs.CA, refs.Magnum
	f.cluster.EtcdCACertRef, f.cluster.FrontProxyCertRef = refs.EtcdCA, refs.FrontProxyCA
	return refs
}

func (f *fixture) keypair(t *testing.T, uuid string) state.Keypair {
	t.Helper()
	pair, err := f.db.Keypair(t.Context(), uuid)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

func parse(t *testing.T, text string) *x509.Certificate {
	t.Helper()
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" || len(rest) > 0 {
		t.Fatalf("not one PEM certificate: %q", text)
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
