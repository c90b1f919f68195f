package cert_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/core/cert"
	"github.com/go-magnum/magnum/core/magnum"
)

func request(t testing.TB, extensions []pkix.Extension) []byte {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject:         pkix.Name{CommonName: "dev", Organization: []string{"system:masters"}},
		ExtraExtensions: extensions,
	}, stock()[4])
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
}

func ext(critical bool, value string, id ...int) pkix.Extension {
	return pkix.Extension{Id: id, Critical: critical, Value: []byte(value)}
}

// Extensions in DER.
const (
	usageServer   = "\x03\x02\x05\xa0"     // digital signature, key encipherment
	usageAgree    = "\x03\x02\x03\x88"     // digital signature, key agreement
	usageSign     = "\x03\x02\x02\x04"     // certificate sign
	usageNone     = "\x03\x01\x00"         //
	usageFirst    = "\x03\x02\x07\x80"     // digital signature
	caTrue        = "\x30\x03\x01\x01\xff" //
	caTrueLength0 = "\x30\x06\x01\x01\xff\x02\x01\x00"
	caFalse       = "\x30\x00"
	sanExample    = "\x30\x0b\x82\x09a.example"
	ekuClient     = "\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02"
	skiGiven      = "\x04\x03abc"
)

func TestSignExtensions(t *testing.T) {
	for _, tc := range []struct {
		name   string
		config cert.Config
		asked  []pkix.Extension
		want   []pkix.Extension // but for key identifiers
		err    string
	}{
		{name: "none"},
		{
			name:  "allowed ones keep order and criticality",
			asked: []pkix.Extension{ext(false, sanExample, 2, 5, 29, 17), ext(true, usageServer, 2, 5, 29, 15), ext(true, ekuClient, 2, 5, 29, 37), ext(true, caFalse, 2, 5, 29, 19)},
			want:  []pkix.Extension{ext(false, sanExample, 2, 5, 29, 17), ext(true, usageServer, 2, 5, 29, 15), ext(true, ekuClient, 2, 5, 29, 37), ext(true, caFalse, 2, 5, 29, 19)},
		},
		{name: "unknown is dropped", asked: []pkix.Extension{ext(false, "\x05\x00", 1, 2, 3, 4)}},
		{
			name: "unknown and critical", asked: []pkix.Extension{ext(true, "\x05\x00", 1, 2, 3, 4)},
			err: `Extension '<Extension(oid=<ObjectIdentifier(oid=1.2.3.4, name=Unknown OID)>, critical=True, value=<UnrecognizedExtension(oid=<ObjectIdentifier(oid=1.2.3.4, name=Unknown OID)>, value=b'\x05\x00')>)>' not allowed`,
		},
		{name: "the issuer's key is not the request's to name", asked: []pkix.Extension{ext(false, "\x30\x00", 2, 5, 29, 35)}},
		{
			name: "usage is cut", asked: []pkix.Extension{ext(false, usageAgree, 2, 5, 29, 15)},
			want: []pkix.Extension{ext(false, usageFirst, 2, 5, 29, 15)},
		},
		{
			name: "usage is cut to nothing", asked: []pkix.Extension{ext(false, usageSign, 2, 5, 29, 15)},
			want: []pkix.Extension{ext(false, usageNone, 2, 5, 29, 15)},
		},
		{
			name: "critical usage", asked: []pkix.Extension{ext(true, usageAgree, 2, 5, 29, 15)},
			err: `Extension '<Extension(oid=<ObjectIdentifier(oid=2.5.29.15, name=keyUsage)>, critical=True, value=<KeyUsage(digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=True, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False)>)>' not allowed`,
		},
		{
			name:   "operators allow more usage",
			config: cert.Config{AllowedKeyUsage: []string{"Digital Signature", " Key Agreement", "Certificate Sign"}},
			asked:  []pkix.Extension{ext(true, usageAgree, 2, 5, 29, 15)},
			want:   []pkix.Extension{ext(true, usageAgree, 2, 5, 29, 15)},
		},
		{
			name:   "signing is not allowed by its name alone",
			config: cert.Config{AllowedKeyUsage: []string{"Certificate Sign"}},
			asked:  []pkix.Extension{ext(true, usageSign, 2, 5, 29, 15)}, err: "key_cert_sign=True",
		},
		{
			name:   "signing is allowed by allow_ca and its name",
			config: cert.Config{AllowCA: true, AllowedKeyUsage: []string{"Certificate Sign"}},
			asked:  []pkix.Extension{ext(true, usageSign, 2, 5, 29, 15), ext(true, caTrue, 2, 5, 29, 19)},
			want:   []pkix.Extension{ext(true, usageSign, 2, 5, 29, 15), ext(true, caTrue, 2, 5, 29, 19)},
		},
		{
			name: "CA becomes none", asked: []pkix.Extension{ext(false, caTrueLength0, 2, 5, 29, 19)},
			want: []pkix.Extension{ext(false, caFalse, 2, 5, 29, 19)},
		},
		{
			name: "critical CA", asked: []pkix.Extension{ext(true, caTrue, 2, 5, 29, 19)},
			err: `Extension '<Extension(oid=<ObjectIdentifier(oid=2.5.29.19, name=basicConstraints)>, critical=True, value=<BasicConstraints(ca=True, path_length=None)>)>' not allowed`,
		},
		{
			name: "critical CA with a length", asked: []pkix.Extension{ext(true, caTrueLength0, 2, 5, 29, 19)},
			err: `value=<BasicConstraints(ca=True, path_length=0)>)>' not allowed`,
		},
		{
			name: "operators allow other extensions by OID", config: cert.Config{AllowedExtensions: []string{"1.2.3.4"}},
			asked: []pkix.Extension{ext(true, "\x05\x00", 1, 2, 3, 4), ext(false, sanExample, 2, 5, 29, 17)},
			want:  []pkix.Extension{ext(true, "\x05\x00", 1, 2, 3, 4)},
		},
		{
			name: "operators allow none", config: cert.Config{AllowedExtensions: []string{}},
			asked: []pkix.Extension{ext(true, usageServer, 2, 5, 29, 15)}, err: "not allowed",
		},
		{name: "usage is rubbish", asked: []pkix.Extension{ext(false, "rubbish", 2, 5, 29, 15)}, err: "not allowed"},
		{name: "constraints are rubbish", asked: []pkix.Extension{ext(false, "rubbish", 2, 5, 29, 19)}, err: "not allowed"},
		{name: "extended usage is rubbish", asked: []pkix.Extension{ext(false, "rubbish", 2, 5, 29, 37)}, err: "Received invalid csr b'-----BEGIN"},
		{name: "twice", asked: []pkix.Extension{ext(false, usageServer, 2, 5, 29, 15), ext(false, usageServer, 2, 5, 29, 15)}, err: "Received invalid csr b'-----BEGIN"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFixture(t, tc.config)
			refs := f.generate(t)
			text, err := f.Sign(t.Context(), f.cluster, "", request(t, tc.asked))
			if tc.err != "" {
				if magnum.KindOf(err) != magnum.Invalid || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("got %q, %v; want %s", text, err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			ca, c := parse(t, f.keypair(t, refs.CA).Certificate), parse(t, text)
			if err := c.CheckSignatureFrom(ca); err != nil {
				t.Error(err)
			}
			var got []pkix.Extension
			for _, e := range c.Extensions {
				if id := e.Id.String(); id != "2.5.29.14" && id != "2.5.29.35" {
					got = append(got, e)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("extensions (-want +got):\n%s", diff)
			}
			if !bytes.Equal(c.AuthorityKeyId, ca.SubjectKeyId) {
				t.Errorf("authority key identifier %x, want %x", c.AuthorityKeyId, ca.SubjectKeyId)
			}
		})
	}
}

func TestSignedCertificate(t *testing.T) {
	f := newFixture(t, cert.Config{Validity: 48 * time.Hour})
	refs := f.generate(t)
	for caType, ref := range map[string]string{"": refs.CA, "kubernetes": refs.CA, "etcd": refs.EtcdCA, "front_proxy": refs.FrontProxyCA, "front-proxy": refs.FrontProxyCA} {
		text, err := f.Sign(t.Context(), f.cluster, caType, request(t, nil))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(text, "\n") {
			t.Error("a newline at the end")
		}
		ca, c := parse(t, f.keypair(t, ref).Certificate), parse(t, text)
		if err := c.CheckSignatureFrom(ca); err != nil {
			t.Errorf("%q: %v", caType, err)
		}
		if c.Subject.String() != "CN=dev,O=system:masters" || !bytes.Equal(c.RawIssuer, ca.RawSubject) {
			t.Errorf("%q: subject %s, issuer %s", caType, c.Subject, c.Issuer)
		}
		if !c.NotBefore.Equal(f.now.Add(-24*time.Hour)) || !c.NotAfter.Equal(f.now.Add(48*time.Hour)) {
			t.Errorf("%q: valid from %s to %s", caType, c.NotBefore, c.NotAfter)
		}
		if len(c.SubjectKeyId) != 20 || c.SignatureAlgorithm != x509.SHA256WithRSA {
			t.Errorf("%q: key %x, signed with %s", caType, c.SubjectKeyId, c.SignatureAlgorithm)
		}
		checkUUID4(t, c.SerialNumber)
	}
}

func TestSignKeepsSubjectKeyIdentifierOnce(t *testing.T) {
	f := newFixture(t, cert.Config{})
	f.generate(t)
	text, err := f.Sign(t.Context(), f.cluster, "", request(t, []pkix.Extension{ext(false, skiGiven, 2, 5, 29, 14)}))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range parse(t, text).Extensions {
		if e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 14}) {
			n++
			if string(e.Value) != skiGiven {
				t.Errorf("is %x", e.Value)
			}
		}
	}
	if n != 1 {
		t.Errorf("there %d times", n)
	}
}

func TestSignRefusesBadRequests(t *testing.T) {
	f := newFixture(t, cert.Config{})
	f.generate(t)
	good := request(t, nil)
	block, _ := pem.Decode(good)
	forged := bytes.Clone(block.Bytes)
	forged[len(forged)-1] ^= 1
	for _, tc := range []struct{ name, csr, want string }{
		{"word", "bad", `Received invalid csr b'bad'.`},
		{"empty", "", `Received invalid csr b''.`},
		{"quotes", "it's\n\\\x00é", `Received invalid csr b"it's\n\\\x00\xc3\xa9".`},
		{"both quotes", `'"`, `Received invalid csr b'\'"'.`},
		{"certificate", strings.ReplaceAll(string(good), "CERTIFICATE REQUEST", "CERTIFICATE"), "Received invalid csr b'-----BEGIN CERTIFICATE-----"},
		{"rubbish in PEM", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: []byte("rubbish")})), "Received invalid csr b'-----BEGIN"},
		{"forged", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: forged})), "Received invalid csr b'-----BEGIN"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := f.Sign(t.Context(), f.cluster, "", []byte(tc.csr))
			if magnum.KindOf(err) != magnum.Invalid || !strings.HasPrefix(err.Error(), tc.want) {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}

func TestSignedCertificateSatisfiesOpenSSL(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("no openssl")
	}
	f := newFixture(t, cert.Config{})
	f.now = time.Now() // openssl has its own clock
	refs := f.generate(t)
	dir := t.TempDir()
	// A request as the nodes make it, with a subject key identifier, which
	// upstream cannot sign.
	conf := filepath.Join(dir, "req.conf")
	write(t, conf, "[req]\ndistinguished_name=dn\nreq_extensions=ext\nprompt=no\n[dn]\nCN=node\nO=system:nodes\n"+
		"[ext]\nsubjectKeyIdentifier=hash\nsubjectAltName=DNS:node,IP:10.0.0.5\nkeyUsage=critical,digitalSignature,keyEncipherment\nextendedKeyUsage=clientAuth,serverAuth\n")
	run(t, openssl, "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", filepath.Join(dir, "key.pem"), "-config", conf, "-out", filepath.Join(dir, "csr.pem"))
	csr, err := os.ReadFile(filepath.Join(dir, "csr.pem"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := f.Sign(t.Context(), f.cluster, "kubernetes", csr)
	if err != nil {
		t.Fatal(err)
	}
	bundle := ""
	for _, ref := range []string{refs.FrontProxyCA, refs.EtcdCA, refs.CA} {
		bundle += f.keypair(t, ref).Certificate + "\n"
	}
	write(t, filepath.Join(dir, "ca.pem"), bundle)
	write(t, filepath.Join(dir, "cert.pem"), text+"\n")
	for _, purpose := range []string{"sslclient", "sslserver"} {
		run(t, openssl, "verify", "-x509_strict", "-purpose", purpose, "-CAfile", filepath.Join(dir, "ca.pem"), filepath.Join(dir, "cert.pem"))
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

func FuzzSign(f *testing.F) {
	f.Add(request(f, []pkix.Extension{ext(false, usageAgree, 2, 5, 29, 15), ext(false, caTrueLength0, 2, 5, 29, 19)}))
	f.Add([]byte("bad"))
	f.Fuzz(func(t *testing.T, csr []byte) {
		// No certificates: whatever gets past the checks stops there.
		a := cert.New(cert.Config{NewKey: func(int) (*rsa.PrivateKey, error) { return stock()[0], nil }})
		_, err := a.Sign(t.Context(), &magnum.Cluster{Name: "c"}, "", csr)
		if kind := magnum.KindOf(err); kind != magnum.Invalid && kind != magnum.Conflict {
			t.Errorf("got %v", err)
		}
	})
}
