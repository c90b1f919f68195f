package cert

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
)

// Store keeps keypairs; *state.DB does.
type Store interface {
	Keypair(ctx context.Context, uuid string) (state.Keypair, error)
	DeleteKeypair(ctx context.Context, uuid string) error
	SaveClusterKeypairs(ctx context.Context, clusterUUID string, pairs map[string]state.Keypair) error
	StageKeypairs(ctx context.Context, op *magnum.Operation, pairs map[string]state.Keypair) error
	ClusterKeypairs(ctx context.Context, clusterUUID string) (map[string]state.Keypair, error)
	DeleteClusterKeypairs(ctx context.Context, clusterUUID string) error
}

// Config has the settings of [x509]. Zero values are upstream's defaults.
type Config struct {
	Store Store // required
	// KeySize is in bits, of RSA; 2048.
	KeySize int
	// Validity is how long a certificate is valid from now; 1825 days.
	Validity time.Duration
	// AllowCA lets requests ask for an authority.
	AllowCA bool
	// AllowedExtensions are names as in OpenSSL, or OIDs. Nil is upstream's
	// list, an empty one allows none. AllowedKeyUsage likewise.
	AllowedExtensions []string
	AllowedKeyUsage   []string
	// Now is the clock; time.Now.
	Now func() time.Time
	// Rand is used for serial numbers and passphrases; crypto/rand.
	Rand io.Reader
	// NewID makes the uuids of rows; random ones.
	NewID func() string
	// NewKey makes RSA keys; tests have some in stock.
	NewKey func(bits int) (*rsa.PrivateKey, error)
}

// Authority makes and uses the certificates of clusters.
type Authority struct {
	config     Config
	extensions map[string]bool // allowed, by dotted OID
	usages     int             // allowed bits of keyUsage
}

// Upstream's defaults.
const (
	defaultKeySize  = 2048
	defaultValidity = 1825 * 24 * time.Hour
)

// New makes an Authority.
func New(c Config) *Authority {
	if c.KeySize == 0 {
		c.KeySize = defaultKeySize
	}
	if c.Validity == 0 {
		c.Validity = defaultValidity
	}
	if c.AllowedExtensions == nil {
		c.AllowedExtensions = []string{"keyUsage", "extendedKeyUsage", "subjectAltName", "basicConstraints", "subjectKeyIdentifier"}
	}
	if c.AllowedKeyUsage == nil {
		c.AllowedKeyUsage = []string{"Digital Signature", "Key Encipherment", "Non Repudiation"}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.NewID == nil {
		c.NewID = uuid.NewString
	}
	if c.NewKey == nil {
		c.NewKey = func(bits int) (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, bits) }
	}
	return &Authority{config: c, extensions: extensionSet(c.AllowedExtensions), usages: usageBits(c.AllowedKeyUsage, c.AllowCA)}
}

// Refs are where a cluster's certificates are kept, as its row names them.
type Refs struct {
	CA, Magnum, EtcdCA, FrontProxyCA string
}

// What a cluster's keypairs are for.
const (
	forCA             = "ca"
	forMagnum         = "magnum"
	forEtcdCA         = "etcd-ca"
	forFrontProxyCA   = "front-proxy-ca"
	forServiceAccount = "service-account"
)

// Generate makes the certificates of a cluster, and the service account's
// keys, and stores them. Where they are stored already it returns those.
func (a *Authority) Generate(ctx context.Context, c *magnum.Cluster) (Refs, error) {
	have, err := a.config.Store.ClusterKeypairs(ctx, c.UUID)
	if err != nil {
		return Refs{}, fmt.Errorf("make the certificates of cluster %s: %w", c.UUID, err)
	}
	if refs, ok := refsOf(have); ok {
		return refs, nil
	}
	made, err := a.makeAll(ctx, c)
	if err != nil {
		return Refs{}, fmt.Errorf("make the certificates of cluster %s: %w", c.UUID, err)
	}
	if err := a.config.Store.SaveClusterKeypairs(ctx, c.UUID, made); err != nil {
		return Refs{}, fmt.Errorf("store the certificates of cluster %s: %w", c.UUID, err)
	}
	// Read back: another process may have been first.
	if have, err = a.config.Store.ClusterKeypairs(ctx, c.UUID); err != nil {
		return Refs{}, fmt.Errorf("store the certificates of cluster %s: %w", c.UUID, err)
	}
	refs, ok := refsOf(have)
	if !ok {
		return Refs{}, fmt.Errorf("store the certificates of cluster %s: some of them are missing", c.UUID)
	}
	return refs, nil
}

func refsOf(pairs map[string]state.Keypair) (Refs, bool) {
	refs := Refs{CA: pairs[forCA].UUID, Magnum: pairs[forMagnum].UUID,
		EtcdCA: pairs[forEtcdCA].UUID, FrontProxyCA: pairs[forFrontProxyCA].UUID}
	return refs, refs.CA != "" && refs.Magnum != "" && refs.EtcdCA != "" && refs.FrontProxyCA != ""
}

func (a *Authority) makeAll(ctx context.Context, c *magnum.Cluster) (map[string]state.Keypair, error) {
	keys, err := a.makeKeys(ctx, len(purposes()))
	if err != nil {
		return nil, err
	}
	pairs := make(map[string]state.Keypair, len(keys))
	var main *issuer
	for i, purpose := range purposes() { // the main authority before what it signs
		var certificate string
		switch purpose {
		case forServiceAccount:
			certificate, err = publicPEM(&keys[i].PublicKey)
		case forMagnum:
			certificate, err = a.issueClient(main, &keys[i].PublicKey, serviceSubject, a.config.Validity)
		default:
			var ca *issuer
			if ca, err = a.selfSign(c, purpose, keys[i]); err == nil {
				certificate = certificatePEM(ca.certificate.Raw)
			}
			if purpose == forCA {
				main = ca
			}
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", purpose, err)
		}
		if pairs[purpose], err = a.keypair(c, certificate, keys[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", purpose, err)
		}
	}
	return pairs, nil
}

// makeKeys makes several keys at once: each takes a processor for tenths of a
// second.
func (a *Authority) makeKeys(ctx context.Context, n int) ([]*rsa.PrivateKey, error) {
	keys := make([]*rsa.PrivateKey, n)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range keys {
		group.Go(func() (err error) {
			if err := ctx.Err(); err != nil {
				return err
			}
			keys[i], err = a.config.NewKey(a.config.KeySize)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("make RSA keys: %w", err)
	}
	return keys, nil
}

func (a *Authority) keypair(c *magnum.Cluster, certificate string, key *rsa.PrivateKey) (state.Keypair, error) {
	passphrase, err := a.passphrase()
	if err != nil {
		return state.Keypair{}, err
	}
	encrypted, err := encryptKey(key, passphrase)
	if err != nil {
		return state.Keypair{}, err
	}
	return state.Keypair{UUID: a.config.NewID(), Certificate: certificate, PrivateKey: encrypted, Passphrase: passphrase,
		ProjectID: c.ProjectID, UserID: c.UserID}, nil
}

// Delete removes all keypairs of a cluster. It may be repeated.
func (a *Authority) Delete(ctx context.Context, c *magnum.Cluster) error {
	if err := a.config.Store.DeleteClusterKeypairs(ctx, c.UUID); err != nil {
		return fmt.Errorf("delete the certificates of cluster %s: %w", c.UUID, err)
	}
	// Those of an adopted cluster are known by the cluster's row only.
	for _, ref := range []string{c.CACertRef, c.MagnumCertRef, c.EtcdCACertRef, c.FrontProxyCertRef} {
		if ref == "" {
			continue
		}
		if err := a.config.Store.DeleteKeypair(ctx, ref); err != nil {
			return fmt.Errorf("delete the certificates of cluster %s: %w", c.UUID, err)
		}
	}
	return nil
}
