package cert_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/go-magnum/magnum/core/cert"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
)

func TestServiceAccountIsStable(t *testing.T) {
	f := newFixture(t, cert.Config{})
	check := func(c *magnum.Cluster) {
		t.Helper()
		public, private, err := f.ServiceAccount(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode([]byte(private))
		key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		block, _ = pem.Decode([]byte(public))
		parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		if !key.PublicKey.Equal(parsed) {
			t.Error("the two do not belong together")
		}
		again, privateAgain, err := f.ServiceAccount(t.Context(), c)
		if err != nil || again != public || privateAgain != private {
			t.Errorf("another time other keys (%v)", err)
		}
	}
	f.generate(t)
	check(f.cluster)
	check(f.add(t, "adopted")) // one without any keys yet
}

func TestMint(t *testing.T) {
	f := newFixture(t, cert.Config{})
	refs := f.generate(t)
	access, err := f.Mint(t.Context(), f.cluster, "magnum", "system:masters", 10*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	ca, c := parse(t, access.CACert), parse(t, access.ClientCert)
	if access.CACert != f.keypair(t, refs.CA).Certificate {
		t.Error("the CA is not the cluster's")
	}
	if got := c.Subject.String(); got != "CN=magnum,O=system:masters" {
		t.Errorf("subject is %s", got)
	}
	if got := c.NotAfter; !got.Equal(f.now.Add(10 * time.Minute)) {
		t.Errorf("valid to %s", got)
	}
	verify(t, c, ca, f.now)
	// A TLS handshake would take the pair.
	if _, err := tls.X509KeyPair([]byte(access.ClientCert), []byte(access.ClientKey)); err != nil {
		t.Error(err)
	}
}

func TestNoCertificatesYet(t *testing.T) {
	f := newFixture(t, cert.Config{})
	_, err := f.CA(t.Context(), f.cluster, "etcd")
	if magnum.KindOf(err) != magnum.Conflict || err.Error() != "The certificates of cluster prod are not available yet." {
		t.Errorf("got %v", err)
	}
}

func TestErrorsHoldNoSecrets(t *testing.T) {
	f := newFixture(t, cert.Config{})
	pair := f.keypair(t, f.generate(t).CA)
	for name, spoil := range map[string]func(*state.Keypair){
		"passphrase":  func(p *state.Keypair) { p.Passphrase = "canary-passphrase" },
		"key":         func(p *state.Keypair) { p.PrivateKey = "canary-key" },
		"truncated":   func(p *state.Keypair) { p.PrivateKey = p.PrivateKey[:600] + "\n-----END ENCRYPTED PRIVATE KEY-----" },
		"certificate": func(p *state.Keypair) { p.Certificate = "canary-certificate" },
	} {
		t.Run(name, func(t *testing.T) {
			bad := pair
			bad.UUID = "bad-" + name
			spoil(&bad)
			if err := f.db.SaveKeypair(t.Context(), bad); err != nil {
				t.Fatal(err)
			}
			f.cluster.CACertRef = bad.UUID
			_, err := f.Sign(t.Context(), f.cluster, "", request(t, nil))
			if err == nil {
				t.Fatal("signed")
			}
			for _, secret := range []string{"canary", pair.Passphrase, pair.PrivateKey[80:120]} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error shows a secret: %v", err)
				}
			}
		})
	}
}
