package cert

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"

	"github.com/go-magnum/magnum/core/magnum"
)

const (
	// minRSA is the shortest key that is certified, in bits.
	minRSA = 2048
	// maxNames is how many names and addresses a server may have.
	maxNames = 100
)

// SignServer signs the request of a cluster's server for a driver. It is a
// certificate for servers whatever the request says: of that are taken the key,
// the common name, and the names and addresses. Nobody can be a client with it,
// so what a driver gets signed makes it no user of the cluster. Invalid is a
// request that cannot be granted.
func (a *Authority) SignServer(ctx context.Context, c *magnum.Cluster, csr []byte) (string, error) {
	request, err := parseRequest(csr)
	if err != nil {
		return "", err
	}
	if n := len(request.DNSNames) + len(request.IPAddresses); n == 0 || n > maxNames {
		return "", magnum.Errorf(magnum.Invalid, "The certificate request has %d names and addresses, and must have 1 to %d.", n, maxNames)
	}
	if !strong(request.PublicKey) {
		return "", magnum.Errorf(magnum.Invalid, "The certificate request has a key that is not RSA of %d bits, on curve P-256, P-384 or P-521, or Ed25519, or better.", minRSA)
	}
	template, err := a.template(request.PublicKey, a.config.Validity)
	if err != nil {
		return "", err
	}
	template.Subject = pkix.Name{CommonName: request.Subject.CommonName}
	template.DNSNames, template.IPAddresses = request.DNSNames, request.IPAddresses
	template.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	template.BasicConstraintsValid = true
	ca, err := a.issuer(ctx, c, "")
	if err != nil {
		return "", err
	}
	signed, err := a.issue(ca, template, request.PublicKey)
	if err != nil {
		return "", fmt.Errorf("sign the certificate of a server of cluster %s: %w", c.UUID, err)
	}
	return signed, nil
}

func strong(public crypto.PublicKey) bool {
	switch key := public.(type) {
	case *rsa.PublicKey:
		return key.N.BitLen() >= minRSA
	case *ecdsa.PublicKey:
		return key.Curve.Params().BitSize >= 256
	case ed25519.PublicKey:
		return true
	}
	return false
}
