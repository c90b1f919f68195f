package api

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-magnum/magnum/core/cert"
	"github.com/go-magnum/magnum/core/config"
	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/label"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/openstack"
	"github.com/go-magnum/magnum/core/policy"
	"github.com/go-magnum/magnum/core/state"
)

// Keystone says who calls, and which projects there are.
type Keystone interface {
	Authenticate(ctx context.Context, r keystone.Request) (*keystone.Identity, error)
	ProjectExists(ctx context.Context, id string) (bool, error)
}

// Lookup finds what a request names in the cloud, as the caller sees it.
type Lookup interface {
	Image(ctx context.Context, id *keystone.Identity, ident string) (openstack.Image, error)
	Flavor(ctx context.Context, id *keystone.Identity, ident string) (openstack.Flavor, error)
	Keypair(ctx context.Context, id *keystone.Identity, name string) error
	ExternalNetwork(ctx context.Context, id *keystone.Identity, ident string) (openstack.Network, error)
}

// Certificates are the clusters' authorities.
type Certificates interface {
	CA(ctx context.Context, c *magnum.Cluster, caType string) (string, error)
	Sign(ctx context.Context, c *magnum.Cluster, caType string, csr []byte) (string, error)
}

// Config is what the API needs. Fields without a remark must be set.
type Config struct {
	DB       *state.DB
	Keystone Keystone
	Lookup   Lookup
	Cert     Certificates
	Options  *config.Config
	// Notify is called after an operation was accepted, to wake a conductor
	// in the same process. May be nil.
	Notify func()
	Logger hclog.Logger // nil: no log
	// Metrics takes what is counted; nil: nobody reads it.
	Metrics prometheus.Registerer

	// Now, NewID and Pick are the clock, the source of uuids and a random
	// number below n; nil takes the real ones.
	Now   func() time.Time
	NewID func() string
	Pick  func(n int) int
}

var (
	_ Lookup       = (*openstack.Lookup)(nil)
	_ Certificates = (*cert.Authority)(nil)
	_ Keystone     = (*keystone.Client)(nil)
)

// api is the handler and all that its methods use.
type api struct {
	Config
	policy  *policy.Watcher
	sealKey []byte
	schemas label.Schemas
	parents parents
	router  *router
	table   []route
	uri     string // of Keystone, for WWW-Authenticate
	cors    *cors  // nil: off
	metrics *metrics
}

// New makes the API. It fails where the policy cannot be read or a route has
// no rule: neither may wait until somebody asks.
func New(c Config) (http.Handler, error) {
	if c.DB == nil || c.Keystone == nil || c.Lookup == nil || c.Cert == nil || c.Options == nil {
		return nil, errors.New("the API needs a database, Keystone, look-ups, certificates and options")
	}
	if c.Notify == nil {
		c.Notify = func() {}
	}
	if c.Logger == nil {
		c.Logger = hclog.NewNullLogger()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.NewID == nil {
		c.NewID = uuid.NewString
	}
	if c.Pick == nil {
		c.Pick = rand.IntN
	}
	rules, err := policy.Watch(policy.Of(c.Options), c.Logger.Named("policy"), c.Now)
	if err != nil {
		return nil, err
	}
	a := &api{
		Config:  c,
		policy:  rules,
		sealKey: keystone.SealKey(c.Options.KeystoneAuth.Password.Reveal()),
		uri:     c.Options.KeystoneAuthtoken.WWWAuthenticateURI,
		cors:    newCORS(&c.Options.Cors),
		metrics: newMetrics(c.Metrics),
	}
	if a.uri == "" {
		a.uri = c.Options.KeystoneAuthtoken.AuthURL
	}
	a.table = a.routes()
	if a.router, err = newRouter(a, a.table); err != nil {
		return nil, fmt.Errorf("build the route table: %w", err)
	}
	return a, nil
}
