package keystone

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"

	"github.com/go-magnum/magnum/core/obs"
)

// Config says how the service logs in and where trustees live. Zero values
// that are not required have the defaults their comments name.
type Config struct {
	// AuthURL is Keystone's address, with or without /v3. Required.
	AuthURL string
	// The service's account, from [keystone_auth] or [keystone_authtoken].
	Username, Password                 string
	UserDomainID, UserDomainName       string
	ProjectID, ProjectName             string
	ProjectDomainID, ProjectDomainName string
	RegionName                         string

	// Trust is the [trust] section.
	Trust TrustConfig

	// CAFile and Insecure decide how Keystone's certificate is checked.
	CAFile   string
	Insecure bool
	// HTTPClient replaces the one made from CAFile and Insecure.
	HTTPClient *http.Client
	// Timeout bounds each single request; default 30 s.
	Timeout time.Duration

	// CacheSize bounds the number of tokens kept (default 4096, and a quarter
	// of it for refused ones), CacheTTL how long a valid one is believed
	// (default 5 min) and NegativeTTL a refused one (default 10 s). A negative
	// CacheTTL keeps neither.
	CacheSize             int
	CacheTTL, NegativeTTL time.Duration

	// Tokens is how callers are let in.
	Tokens TokenConfig

	Logger hclog.Logger
	// Calls measures all requests of this client and of its sessions, those to
	// other services too; Metrics takes the client's own. Both may be nil.
	Calls   *obs.Calls
	Metrics prometheus.Registerer
	Now     func() time.Time // default time.Now
	Rand    io.Reader        // default crypto/rand
}

// TrustConfig is where trustees are made and with what they may act.
type TrustConfig struct {
	DomainID, DomainName           string
	AdminID, AdminName             string
	AdminPassword                  string
	AdminDomainID, AdminDomainName string
	// Roles are what a trust delegates; none means all the initiator has.
	Roles []string
}

// TokenConfig is how Keystone is asked about callers' tokens, and which of them
// are taken.
type TokenConfig struct {
	// Timeout bounds one attempt (default 5 s), with a login of the service's
	// own where it needs one; Retries is how many more there are where no
	// answer came; Limit bounds all of it, waiting included (default 10 s).
	Timeout, Limit time.Duration
	Retries        int
	// Concurrent is how many questions Keystone gets at a time (default 32).
	Concurrent int
	// ServiceRoles make a token that of a service: one of them is enough, and
	// with none there are no services. AnyServiceToken takes other tokens in
	// that place too, though nothing is allowed for them.
	ServiceRoles    []string
	AnyServiceToken bool
	// ServiceType is this service's in the catalogue. Access rules of
	// application credentials name it; without, tokens that have such rules
	// are refused.
	ServiceType string
	// IgnoreBind takes tokens that are bound to a way to log in.
	IgnoreBind bool
	Memcached  MemcachedConfig
}

// Client speaks to Keystone. It is safe for concurrent use.
type Client struct {
	cfg     Config
	http    *http.Client
	service *session
	admin   *session // of the trustee domain; nil where none is configured
	trusts  *lru[string, *session]
	flight  singleflight.Group
	gate    *gate
	valid   *tokenCache
	refused *lru[tokenKey, time.Time]
	shared  *sharedCache // nil where none is configured
	lookups lookups
}

// New checks the configuration. Nothing is asked of Keystone before the first
// use, so that the service starts while Keystone is away.
func New(c Config) (*Client, error) {
	if c.AuthURL == "" {
		return nil, errors.New("keystone: auth_url is not set in [keystone_auth] or [keystone_authtoken]")
	}
	if c.Username == "" {
		return nil, errors.New("keystone: username is not set in [keystone_auth] or [keystone_authtoken]")
	}
	setDefaults(&c)
	client := c.HTTPClient
	if client == nil {
		var err error
		if client, err = httpClient(c); err != nil {
			return nil, err
		}
	}
	k := &Client{
		cfg:     c,
		http:    bounded(client, c.AuthURL, c.Calls),
		trusts:  newLRU[string, *session](1024),
		valid:   newTokenCache(c.CacheSize),
		refused: newLRU[tokenKey, time.Time](max(c.CacheSize/4, 16)),
		lookups: newLookups(c.Metrics),
	}
	k.gate = newGate(c.Tokens.Concurrent, c.Now, k.reportHealth)
	if c.CacheTTL > 0 {
		var err error
		if k.shared, err = newSharedCache(c.Tokens.Memcached, c.Now, c.Logger); err != nil {
			return nil, fmt.Errorf("keystone: %w", err)
		}
	}
	k.service = k.newSession(login{
		userName: c.Username, password: c.Password, userDomainID: c.UserDomainID, userDomainName: c.UserDomainName,
		projectID: c.ProjectID, projectName: c.ProjectName,
		projectDomainID: c.ProjectDomainID, projectDomainName: c.ProjectDomainName,
	})
	if t := c.Trust; (t.AdminID != "" || t.AdminName != "") && (t.DomainID != "" || t.DomainName != "") {
		k.admin = k.newSession(login{
			userID: t.AdminID, userName: t.AdminName, password: t.AdminPassword,
			userDomainID: t.AdminDomainID, userDomainName: t.AdminDomainName,
			domainID: t.DomainID, domainName: t.DomainName,
		})
	}
	return k, nil
}

func setDefaults(c *Config) {
	c.AuthURL = identityURL(c.AuthURL)
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	if c.CacheSize == 0 {
		c.CacheSize = 4096
	}
	if c.CacheTTL == 0 {
		c.CacheTTL = 5 * time.Minute
	}
	if c.NegativeTTL == 0 {
		c.NegativeTTL = 10 * time.Second
	}
	setTokenDefaults(&c.Tokens)
	if c.Logger == nil {
		c.Logger = hclog.NewNullLogger()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	// Upstream's admin lives in the trustee domain unless told otherwise.
	t := &c.Trust
	if t.AdminDomainID == "" && t.AdminDomainName == "" {
		t.AdminDomainID, t.AdminDomainName = t.DomainID, t.DomainName
	}
	if t.DomainID == "" && t.DomainName == "" {
		t.DomainID, t.DomainName = t.AdminDomainID, t.AdminDomainName
	}
}

func setTokenDefaults(t *TokenConfig) {
	if t.Timeout == 0 {
		t.Timeout = 5 * time.Second
	}
	if t.Limit == 0 {
		t.Limit = 10 * time.Second
	}
	if t.Concurrent == 0 {
		t.Concurrent = 32
	}
}

// reportHealth says once, not with every request, that nobody can be let in.
func (k *Client) reportHealth(away bool, err error) {
	if away {
		k.cfg.Logger.Error("Keystone is away: requests whose tokens are not cached are refused with 503 until it answers", "error", safe(err))
		return
	}
	k.cfg.Logger.Info("Keystone answers again")
}

// identityURL makes an address end in /v3: auth_url comes with and without.
func identityURL(s string) string {
	s = strings.TrimRight(s, "/")
	if !strings.HasSuffix(s, "/v3") {
		s += "/v3"
	}
	return s
}
