package cert_test

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/core/cert"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
)

func TestAuthorities(t *testing.T) {
	f := newFixture(t, cert.Config{})
	refs := f.generate(t)
	for _, tc := range []struct {
		ref, cn string
		types   []string
	}{
		{refs.CA, "prod", []string{"", "kubernetes", "bogus"}},
		{refs.EtcdCA, "prod-etcd-ca", []string{"etcd"}},
		{refs.FrontProxyCA, "prod-front-proxy-ca", []string{"front_proxy", "front-proxy"}},
	} {
		t.Run(tc.cn, func(t *testing.T) {
			stored := f.keypair(t, tc.ref)
			for _, caType := range tc.types {
				got, err := f.CA(t.Context(), f.cluster, caType)
				if err != nil {
					t.Fatal(err)
				}
				if got != stored.Certificate || strings.HasSuffix(got, "\n") {
					t.Errorf("type %q gives %q, want %q", caType, got, stored.Certificate)
				}
			}
			c := parse(t, stored.Certificate)
			if got := c.Subject.String(); got != "CN="+tc.cn {
				t.Errorf("subject is %s", got)
			}
			if c.Issuer.String() != c.Subject.String() {
				t.Errorf("issuer is %s", c.Issuer)
			}
			if err := c.CheckSignatureFrom(c); err != nil {
				t.Errorf("not signed by itself: %v", err)
			}
			if !c.IsCA || c.MaxPathLen != 0 || !c.MaxPathLenZero || c.KeyUsage != x509.KeyUsageCertSign {
				t.Errorf("CA %v, path length %d, usage %b", c.IsCA, c.MaxPathLen, c.KeyUsage)
			}
			if c.SignatureAlgorithm != x509.SHA256WithRSA || c.PublicKey.(*rsa.PublicKey).Size() != keyBits/8 || c.PublicKey.(*rsa.PublicKey).E != 65537 {
				t.Errorf("signed with %s, key of %d bytes", c.SignatureAlgorithm, c.PublicKey.(*rsa.PublicKey).Size())
			}
			if got, want := c.NotBefore, f.now.AddDate(0, 0, -1); !got.Equal(want) {
				t.Errorf("valid from %s, want %s", got, want)
			}
			if got, want := c.NotAfter, f.now.Add(1825*24*time.Hour); !got.Equal(want) {
				t.Errorf("valid to %s, want %s", got, want)
			}
			if len(c.SubjectKeyId) != 20 {
				t.Errorf("subject key identifier is %x", c.SubjectKeyId)
			}
			var critical []string
			for _, e := range c.Extensions {
				if e.Critical {
					critical = append(critical, e.Id.String())
				}
			}
			if diff := cmp.Diff([]string{"2.5.29.19", "2.5.29.15"}, critical); diff != "" {
				t.Errorf("critical extensions (-want +got):\n%s", diff)
			}
			checkUUID4(t, c.SerialNumber)
		})
	}
}

func checkUUID4(t *testing.T, serial *big.Int) {
	t.Helper()
	b := serial.FillBytes(make([]byte, 16))
	if b[6]>>4 != 4 || b[8]>>6 != 2 {
		t.Errorf("serial number %x is no random uuid", b)
	}
}

func TestServiceCertificate(t *testing.T) {
	f := newFixture(t, cert.Config{})
	refs := f.generate(t)
	c := parse(t, f.keypair(t, refs.Magnum).Certificate)
	ca := parse(t, f.keypair(t, refs.CA).Certificate)
	if got := c.Subject.String(); got != "CN=admin,O=system:masters" {
		t.Errorf("subject is %s", got)
	}
	if got := c.Issuer.String(); got != "CN=prod" {
		t.Errorf("issuer is %s", got)
	}
	if !bytes.Equal(c.AuthorityKeyId, ca.SubjectKeyId) || len(c.SubjectKeyId) == 0 {
		t.Errorf("authority key identifier is %x, the CA's key is %x", c.AuthorityKeyId, ca.SubjectKeyId)
	}
	if c.KeyUsage != x509.KeyUsageDigitalSignature|x509.KeyUsageKeyEncipherment || c.IsCA || !c.BasicConstraintsValid {
		t.Errorf("usage %b, CA %v", c.KeyUsage, c.IsCA)
	}
	verify(t, c, ca, f.now)
	// The other authorities have not signed it, whatever a bundle's order.
	for _, other := range []string{refs.EtcdCA, refs.FrontProxyCA} {
		roots := x509.NewCertPool()
		roots.AddCert(parse(t, f.keypair(t, other).Certificate))
		if _, err := c.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: f.now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err == nil {
			t.Errorf("verified by %s", other)
		}
	}
}

func verify(t *testing.T, c, ca *x509.Certificate, now time.Time) {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	_, err := c.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if err != nil {
		t.Errorf("verify: %v", err)
	}
}

func TestCommonNames(t *testing.T) {
	f := newFixture(t, cert.Config{})
	long := strings.Repeat("x", 242)
	for _, tc := range []struct {
		name          string
		main, etcdEnd string
	}{
		{"a", "a", "a-etcd-ca"},
		{strings.Repeat("y", 64), strings.Repeat("y", 64), "-etcd-ca"},
		{long, "", "-etcd-ca"},
	} {
		c := f.add(t, tc.name)
		refs, err := f.Generate(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		main := parse(t, f.keypair(t, refs.CA).Certificate).Subject.CommonName
		etcd := parse(t, f.keypair(t, refs.EtcdCA).Certificate).Subject.CommonName
		if tc.main == "" {
			tc.main = strings.Repeat("x", 55) + "-" + c.UUID[:8]
		}
		if main != tc.main {
			t.Errorf("%.10s: common name %s, want %s", tc.name, main, tc.main)
		}
		if !strings.HasSuffix(etcd, tc.etcdEnd) || len(etcd) > 64 || len(main) > 64 || etcd == main {
			t.Errorf("%.10s: etcd's common name %s", tc.name, etcd)
		}
	}
}

func TestNamelessClusterIsNamedByUUID(t *testing.T) {
	f := newFixture(t, cert.Config{})
	c := f.add(t, "")
	refs, err := f.Generate(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if got := parse(t, f.keypair(t, refs.CA).Certificate).Subject.CommonName; got != c.UUID {
		t.Errorf("common name %s, want %s", got, c.UUID)
	}
}

func TestGenerateTwiceIsOnce(t *testing.T) {
	f := newFixture(t, cert.Config{})
	first := f.generate(t)
	made := f.keys.Load()
	if second := f.generate(t); second != first {
		t.Errorf("second time %v, first %v", second, first)
	}
	if f.keys.Load() != made {
		t.Error("the second time made keys")
	}
}

func TestGenerateAtOnceIsOnce(t *testing.T) {
	f := newFixture(t, cert.Config{})
	all := make([]cert.Refs, 8)
	var group sync.WaitGroup
	for i := range all {
		group.Go(func() {
			refs, err := f.Generate(t.Context(), f.cluster)
			if err != nil {
				t.Error(err)
			}
			all[i] = refs
		})
	}
	group.Wait()
	for _, refs := range all {
		if refs != all[0] {
			t.Errorf("%v and %v", refs, all[0])
		}
	}
	ca, client := parse(t, f.keypair(t, all[0].CA).Certificate), parse(t, f.keypair(t, all[0].Magnum).Certificate)
	verify(t, client, ca, f.now)
}

func TestKeysAreMadeAtOnceButNotTooMany(t *testing.T) {
	f := newFixture(t, cert.Config{})
	var running, most atomic.Int64
	both := make(chan struct{}) // closed when two keys are being made
	var once sync.Once
	a := cert.New(cert.Config{Store: f.db, NewKey: func(int) (*rsa.PrivateKey, error) {
		n := running.Add(1)
		defer running.Add(-1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		if n > 1 || runtime.GOMAXPROCS(0) == 1 {
			once.Do(func() { close(both) })
		}
		<-both
		return stock()[0], nil
	}})
	if _, err := a.Generate(t.Context(), f.cluster); err != nil {
		t.Fatal(err)
	}
	if limit := int64(runtime.GOMAXPROCS(0)); most.Load() > limit {
		t.Errorf("%d keys at once on %d processors", most.Load(), limit)
	}
}

func TestGenerateFails(t *testing.T) {
	f := newFixture(t, cert.Config{})
	broken := errors.New("no entropy")
	a := cert.New(cert.Config{Store: f.db, NewKey: func(int) (*rsa.PrivateKey, error) { return nil, broken }})
	if _, err := a.Generate(t.Context(), f.cluster); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Generate(ctx, f.cluster); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if pairs, err := f.db.ClusterKeypairs(t.Context(), f.cluster.UUID); err != nil || len(pairs) > 0 {
		t.Errorf("left behind %v, %v", pairs, err)
	}
	gone := &magnum.Cluster{UUID: "b0c0ffee-0000-4000-8000-000000000001", Name: "gone"}
	if _, err := f.Generate(t.Context(), gone); magnum.KindOf(err) != magnum.NotFound {
		t.Errorf("certificates for a cluster that is gone: %v", err)
	}
}

func TestStoredKeyIsReadByOpenSSL(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("no openssl")
	}
	f := newFixture(t, cert.Config{})
	pair := f.keypair(t, f.generate(t).CA)
	if !strings.HasPrefix(pair.PrivateKey, "-----BEGIN ENCRYPTED PRIVATE KEY-----\n") {
		t.Fatalf("stored as %.40q", pair.PrivateKey)
	}
	dir := t.TempDir()
	pass := filepath.Join(dir, "pass")
	if err := os.WriteFile(pass, []byte(pair.Passphrase), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(in string, args ...string) string {
		cmd := exec.Command(openssl, args...)
		cmd.Stdin = strings.NewReader(in)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("openssl %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	plain := run(pair.PrivateKey, "pkcs8", "-passin", "file:"+pass)
	if got, err := f.CAKey(t.Context(), f.cluster); err != nil || got != plain {
		t.Errorf("CAKey (%v) and openssl differ", err)
	}
	// The key is the certificate's.
	if fromKey, fromCert := run(plain, "pkey", "-pubout"), run(pair.Certificate, "x509", "-noout", "-pubkey"); fromKey != fromCert {
		t.Error("key and certificate do not belong together")
	}
	text := run(pair.Certificate, "x509", "-noout", "-ext", "basicConstraints,keyUsage")
	if want := "X509v3 Basic Constraints: critical\n    CA:TRUE, pathlen:0\nX509v3 Key Usage: critical\n    Certificate Sign"; text != want {
		t.Errorf("openssl reads %q, want %q", text, want)
	}
	// And the other way: a key as upstream's library writes it.
	foreign := run(plain, "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA256", "-passout", "file:"+pass)
	pair.UUID, pair.PrivateKey = "b0c0ffee-0000-4000-8000-000000000002", foreign
	if err := f.db.SaveKeypair(t.Context(), pair); err != nil {
		t.Fatal(err)
	}
	f.cluster.CACertRef = pair.UUID
	if got, err := f.CAKey(t.Context(), f.cluster); err != nil || got != plain {
		t.Errorf("an adopted key: %v", err)
	}
}

func TestPassphrasesDiffer(t *testing.T) {
	f := newFixture(t, cert.Config{})
	f.generate(t)
	pairs, err := f.db.ClusterKeypairs(t.Context(), f.cluster.UUID)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for purpose, pair := range pairs {
		if len(pair.Passphrase) < 12 || seen[pair.Passphrase] {
			t.Errorf("%s: passphrase of %d letters, used twice %v", purpose, len(pair.Passphrase), seen[pair.Passphrase])
		}
		seen[pair.Passphrase] = true
		if pair.ProjectID != "p" || pair.UserID != "u" {
			t.Errorf("%s belongs to %s, %s", purpose, pair.ProjectID, pair.UserID)
		}
	}
	if len(pairs) != 5 {
		t.Errorf("%d keypairs", len(pairs))
	}
}

func TestDelete(t *testing.T) {
	f := newFixture(t, cert.Config{})
	refs := f.generate(t)
	adopted := state.Keypair{UUID: "b0c0ffee-0000-4000-8000-000000000003", Certificate: "x"}
	if err := f.db.SaveKeypair(t.Context(), adopted); err != nil {
		t.Fatal(err)
	}
	f.cluster.EtcdCACertRef = adopted.UUID
	for range 2 {
		if err := f.Delete(t.Context(), f.cluster); err != nil {
			t.Fatal(err)
		}
	}
	for _, uuid := range []string{refs.CA, refs.Magnum, refs.EtcdCA, refs.FrontProxyCA, adopted.UUID} {
		if _, err := f.db.Keypair(t.Context(), uuid); magnum.KindOf(err) != magnum.NotFound {
			t.Errorf("%s: %v", uuid, err)
		}
	}
}
