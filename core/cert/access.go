package cert

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"time"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/sdk/driver"
)

func (a *Authority) stored(ctx context.Context, c *magnum.Cluster, caType string) (state.Keypair, error) {
	uuid := ref(c, caType)
	if uuid == "" {
		return state.Keypair{}, magnum.Errorf(magnum.Conflict, "The certificates of cluster %s are not available yet.", c.Name)
	}
	pair, err := a.config.Store.Keypair(ctx, uuid)
	if err != nil {
		return state.Keypair{}, fmt.Errorf("load the CA of cluster %s: %w", c.UUID, err)
	}
	return pair, nil
}

func (a *Authority) issuer(ctx context.Context, c *magnum.Cluster, caType string) (*issuer, error) {
	pair, err := a.stored(ctx, c, caType)
	if err != nil {
		return nil, err
	}
	der, ok := oneBlock([]byte(pair.Certificate), "CERTIFICATE")
	if !ok {
		return nil, fmt.Errorf("load the CA of cluster %s: the stored certificate is not PEM", c.UUID)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("load the CA of cluster %s: %w", c.UUID, err)
	}
	key, err := decryptKey(pair.PrivateKey, pair.Passphrase)
	if err != nil {
		return nil, fmt.Errorf("load the CA of cluster %s: %w", c.UUID, err)
	}
	return &issuer{certificate: certificate, key: key}, nil
}

// CAKey returns the private key of a cluster's main authority, in clear, for
// masters that sign by themselves. PKCS#8 in PEM.
func (a *Authority) CAKey(ctx context.Context, c *magnum.Cluster) (string, error) {
	ca, err := a.issuer(ctx, c, "")
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKCS8PrivateKey(ca.key)
	if err != nil {
		return "", fmt.Errorf("write the CA key of cluster %s", c.UUID)
	}
	return trimmedPEM("PRIVATE KEY", der), nil
}

// ServiceAccount returns the pair that signs a cluster's service account
// tokens, in PEM: the public key, and the private one as PKCS#1. It is made
// where there is none yet, as in an adopted cluster, and stays the same then
// until the cluster's authorities are rotated.
func (a *Authority) ServiceAccount(ctx context.Context, c *magnum.Cluster) (public, private string, err error) {
	what := fmt.Sprintf("load the service account's keys of cluster %s", c.UUID)
	pairs, err := a.config.Store.ClusterKeypairs(ctx, c.UUID)
	if err != nil {
		return "", "", fmt.Errorf("%s: %w", what, err)
	}
	if _, ok := pairs[forServiceAccount]; !ok {
		if err := a.makeServiceAccount(ctx, c); err != nil {
			return "", "", fmt.Errorf("%s: %w", what, err)
		}
		// Read back: another process may have been first.
		if pairs, err = a.config.Store.ClusterKeypairs(ctx, c.UUID); err != nil {
			return "", "", fmt.Errorf("%s: %w", what, err)
		}
	}
	pair := pairs[forServiceAccount]
	key, err := decryptKey(pair.PrivateKey, pair.Passphrase)
	if err != nil {
		return "", "", fmt.Errorf("%s: %w", what, err)
	}
	return pair.Certificate, trimmedPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key)), nil
}

func (a *Authority) makeServiceAccount(ctx context.Context, c *magnum.Cluster) error {
	key, err := a.config.NewKey(a.config.KeySize)
	if err != nil {
		return fmt.Errorf("make an RSA key: %w", err)
	}
	public, err := publicPEM(&key.PublicKey)
	if err != nil {
		return err
	}
	pair, err := a.keypair(c, public, key)
	if err != nil {
		return err
	}
	return a.config.Store.SaveClusterKeypairs(ctx, c.UUID, map[string]state.Keypair{forServiceAccount: pair})
}

// Mint makes a client certificate for one use, with a key that is stored
// nowhere. The answer's Endpoint is the caller's to fill in.
func (a *Authority) Mint(ctx context.Context, c *magnum.Cluster, cn, org string, ttl time.Duration) (driver.COEAccess, error) {
	ca, err := a.issuer(ctx, c, "")
	if err != nil {
		return driver.COEAccess{}, err
	}
	// An elliptic curve: an RSA key would cost more than the call it is for.
	key, err := ecdsa.GenerateKey(elliptic.P256(), a.config.Rand)
	if err != nil {
		return driver.COEAccess{}, fmt.Errorf("make a client key for cluster %s: %w", c.UUID, err)
	}
	subject := pkix.Name{CommonName: cn}
	if org != "" {
		subject.Organization = []string{org}
	}
	certificate, err := a.issueClient(ca, &key.PublicKey, subject, ttl)
	if err != nil {
		return driver.COEAccess{}, fmt.Errorf("make a client certificate for cluster %s: %w", c.UUID, err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return driver.COEAccess{}, fmt.Errorf("write a client key for cluster %s", c.UUID)
	}
	return driver.COEAccess{CACert: certificatePEM(ca.certificate.Raw), ClientCert: certificate, ClientKey: trimmedPEM("PRIVATE KEY", der)}, nil
}
