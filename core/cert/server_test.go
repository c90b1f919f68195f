package cert_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/core/cert"
	"github.com/go-magnum/magnum/core/magnum"
)

func requestOf(t *testing.T, template *x509.CertificateRequest, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
}

func curveKey(t *testing.T, curve elliptic.Curve) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// What a driver gets signed is a server of the cluster and nothing else,
// whatever it asks for and whatever operators allow users.
func TestSignServer(t *testing.T) {
	f := newFixture(t, cert.Config{Validity: 48 * time.Hour, AllowCA: true, AllowedKeyUsage: []string{"Certificate Sign", "Digital Signature"}})
	refs := f.generate(t)
	text, err := f.SignServer(t.Context(), f.cluster, requestOf(t, &x509.CertificateRequest{
		Subject:     pkix.Name{CommonName: "api", Organization: []string{"system:masters"}},
		DNSNames:    []string{"api.example"},
		IPAddresses: []net.IP{net.IPv4(192, 0, 2, 1)}, EmailAddresses: []string{"root@example"},
		ExtraExtensions: []pkix.Extension{
			ext(true, usageSign, 2, 5, 29, 15), ext(true, caTrue, 2, 5, 29, 19), ext(true, ekuClient, 2, 5, 29, 37), ext(true, "\x05\x00", 1, 2, 3, 4),
		},
	}, curveKey(t, elliptic.P256())))
	if err != nil {
		t.Fatal(err)
	}
	c, ca := parse(t, text), parse(t, f.keypair(t, refs.CA).Certificate)
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	for _, name := range []string{"api.example", "192.0.2.1"} {
		if _, err := c.Verify(x509.VerifyOptions{Roots: roots, DNSName: name, CurrentTime: f.now}); err != nil {
			t.Errorf("as %s: %v", name, err)
		}
	}
	if _, err := c.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: f.now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err == nil {
		t.Error("it is a client")
	}
	if c.IsCA || !c.BasicConstraintsValid || c.Subject.String() != "CN=api" || c.KeyUsage != x509.KeyUsageDigitalSignature|x509.KeyUsageKeyEncipherment ||
		len(c.EmailAddresses) != 0 || !c.NotAfter.Equal(f.now.Add(48*time.Hour)) {
		t.Errorf("got %+v", c)
	}
	var known []string
	for _, e := range c.Extensions {
		known = append(known, e.Id.String())
	}
	if diff := cmp.Diff([]string{"2.5.29.15", "2.5.29.37", "2.5.29.19", "2.5.29.14", "2.5.29.35", "2.5.29.17"}, known); diff != "" {
		t.Errorf("extensions (-want +got):\n%s", diff)
	}
}

func TestSignServerRefuses(t *testing.T) {
	f := newFixture(t, cert.Config{})
	f.generate(t)
	named := &x509.CertificateRequest{DNSNames: []string{"a"}}
	many := &x509.CertificateRequest{}
	for i := range 101 {
		many.DNSNames = append(many.DNSNames, fmt.Sprint("n", i))
	}
	t.Setenv("GODEBUG", "rsa1024min=0")
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	almost := *many
	almost.DNSNames = many.DNSNames[:100]
	for _, tt := range []struct {
		name, want string
		csr        []byte
	}{
		{"rubbish", "Received invalid csr b'no'.", []byte("no")},
		{"no names", "has 0 names and addresses, and must have 1 to 100", requestOf(t, &x509.CertificateRequest{}, stock()[0])},
		{"too many names", "has 101 names and addresses", requestOf(t, many, stock()[0])},
		{"a short key", "a key that is not RSA of 2048 bits", requestOf(t, named, short)},
		{"a small curve", "a key that is not RSA of 2048 bits", requestOf(t, named, curveKey(t, elliptic.P224()))},
		{"many names", "", requestOf(t, &almost, stock()[0])},
		{"an address alone", "", requestOf(t, &x509.CertificateRequest{IPAddresses: []net.IP{net.IPv6loopback}}, curveKey(t, elliptic.P521()))},
	} {
		text, err := f.SignServer(t.Context(), f.cluster, tt.csr)
		refused := err != nil && magnum.KindOf(err) == magnum.Invalid && strings.Contains(err.Error(), tt.want)
		if good := tt.want == ""; good && err != nil || !good && !refused {
			t.Errorf("%s: got %q, %v", tt.name, text, err)
		}
	}
	// A cluster that has no authority yet.
	if _, err := f.SignServer(t.Context(), f.add(t, "fresh"), requestOf(t, named, stock()[0])); magnum.KindOf(err) != magnum.Conflict {
		t.Errorf("without an authority: %v", err)
	}
}
