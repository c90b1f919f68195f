package cert

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // RFC 5280's way to name a key, not a signature
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"

	"github.com/go-magnum/magnum/core/magnum"
)

const sha256Hash = crypto.SHA256

// issuer is an authority that is about to sign.
type issuer struct {
	certificate *x509.Certificate
	key         *rsa.PrivateKey
}

// maxName is the longest common name that X.520 has room for.
const maxName = 64

// commonName is the name of a cluster's authority.
func commonName(c *magnum.Cluster, purpose string) string {
	suffix := ""
	if purpose != forCA {
		suffix = "-" + purpose
	}
	name := c.Name
	if name == "" {
		name = c.UUID
	}
	if len(name)+len(suffix) > maxName {
		// The start of the uuid keeps clusters of the same long name apart.
		suffix = "-" + c.UUID[:min(8, len(c.UUID))] + suffix
		name = strings.ToValidUTF8(name[:maxName-len(suffix)], "")
	}
	return name + suffix
}

func (a *Authority) selfSign(c *magnum.Cluster, purpose string, key *rsa.PrivateKey) (*issuer, error) {
	template, err := a.template(&key.PublicKey, a.config.Validity)
	if err != nil {
		return nil, err
	}
	template.Subject = pkix.Name{CommonName: commonName(c, purpose)}
	template.IsCA, template.BasicConstraintsValid = true, true
	template.MaxPathLenZero = true
	template.KeyUsage = x509.KeyUsageCertSign
	// Given as they are for their order, which is upstream's.
	constraints, err := extension(oidBasicConstraints, true, basicConstraints{IsCA: true, MaxPathLen: 0})
	if err != nil {
		return nil, err
	}
	usage, err := extension(oidKeyUsage, true, usageString(1<<usageCertSign))
	if err != nil {
		return nil, err
	}
	template.ExtraExtensions = []pkix.Extension{constraints, usage}
	der, err := x509.CreateCertificate(a.config.Rand, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("sign a certificate: %w", err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read a new certificate: %w", err)
	}
	return &issuer{certificate: parsed, key: key}, nil
}

// serviceSubject is who this service is to a cluster.
var serviceSubject = pkix.Name{CommonName: "admin", Organization: []string{"system:masters"}}

// issueClient signs a client certificate.
func (a *Authority) issueClient(ca *issuer, public crypto.PublicKey, subject pkix.Name, validity time.Duration) (string, error) {
	template, err := a.template(public, validity)
	if err != nil {
		return "", err
	}
	template.Subject = subject
	template.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	template.BasicConstraintsValid = true
	return a.issue(ca, template, public)
}

// template has what all certificates share.
func (a *Authority) template(public crypto.PublicKey, validity time.Duration) (*x509.Certificate, error) {
	serial, err := a.serial()
	if err != nil {
		return nil, err
	}
	id, err := keyID(public)
	if err != nil {
		return nil, err
	}
	now := a.config.Now().UTC()
	return &x509.Certificate{
		SerialNumber: serial,
		SubjectKeyId: id,
		// The day before: nodes' clocks may be behind.
		NotBefore: now.Add(-24 * time.Hour),
		NotAfter:  now.Add(validity),
	}, nil
}

func (a *Authority) issue(ca *issuer, template *x509.Certificate, public crypto.PublicKey) (string, error) {
	template.SignatureAlgorithm = x509.SHA256WithRSA
	der, err := x509.CreateCertificate(a.config.Rand, template, ca.certificate, public, ca.key)
	if err != nil {
		return "", fmt.Errorf("sign a certificate: %w", err)
	}
	return certificatePEM(der), nil
}

// serial is a random number of 128 bits, in the form of a uuid as upstream's.
func (a *Authority) serial() (*big.Int, error) {
	var b [16]byte
	if _, err := io.ReadFull(a.config.Rand, b[:]); err != nil {
		return nil, fmt.Errorf("make a serial number: %w", err)
	}
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return new(big.Int).SetBytes(b[:]), nil
}

// keyID names a public key, by the first method of RFC 5280, 4.2.1.2, which is
// upstream's too.
func keyID(public crypto.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("name a public key: %w", err)
	}
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &info); err != nil {
		return nil, fmt.Errorf("name a public key: %w", err)
	}
	sum := sha1.Sum(info.Key.Bytes) //nolint:gosec // see above
	return sum[:], nil
}

// ref is where a cluster keeps the authority that a type asks for. Unknown
// types are the main authority, as upstream has it.
func ref(c *magnum.Cluster, caType string) string {
	switch caType {
	case "etcd":
		return c.EtcdCACertRef
	case "front_proxy", "front-proxy":
		return c.FrontProxyCertRef
	default:
		return c.CACertRef
	}
}

// CA returns the certificate of a cluster's authority.
func (a *Authority) CA(ctx context.Context, c *magnum.Cluster, caType string) (string, error) {
	pair, err := a.stored(ctx, c, caType)
	if err != nil {
		return "", err
	}
	return strings.TrimRight(pair.Certificate, "\n"), nil
}
