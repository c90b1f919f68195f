package keystone

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/sync/singleflight"
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
	// (default 5 min) and NegativeTTL a refused one (default 10 s).
	CacheSize             int
	CacheTTL, NegativeTTL time.Duration

	Logger hclog.Logger
	Now    func() time.Time // default time.Now
	Rand   io.Reader        // default crypto/rand
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

// Client speaks to Keystone. It is safe for concurrent use.
type Client struct {
	cfg     Config
	http    *http.Client
	service *session
	admin   *session // of the trustee domain; nil where none is configured
	trusts  *lru[string, *session]
	flight  singleflight.Group
	valid   *lru[tokenKey, *validated]
	refused *lru[tokenKey, time.Time]
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
		http:    client,
		trusts:  newLRU[string, *session](1024),
		valid:   newLRU[tokenKey, *validated](c.CacheSize),
		refused: newLRU[tokenKey, time.Time](max(c.CacheSize/4, 16)),
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

// identityURL makes an address end in /v3: auth_url comes with and without.
func identityURL(s string) string {
	s = strings.TrimRight(s, "/")
	if !strings.HasSuffix(s, "/v3") {
		s += "/v3"
	}
	return s
}

func httpClient(c Config) (*http.Client, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 32
	t.TLSClientConfig = &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: c.Insecure, //nolint:gosec // the operator's [keystone_auth] insecure
	}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("keystone: read cafile: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("keystone: no certificate in cafile %s", c.CAFile)
		}
		t.TLSClientConfig.RootCAs = pool
	}
	// Sessions of this client also serve slower services: creating a stack
	// takes Heat longer than any of Keystone's own calls, which have Timeout.
	return &http.Client{Transport: t, Timeout: 4 * c.Timeout}, nil
}
