package devcloud

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"
)

// Config is what a cloud may be told. The zero value works.
type Config struct {
	// Addr is where it listens; 127.0.0.1:0, any free port, if empty.
	Addr string
	// ServerDelay is how long Heat's servers take to come up.
	ServerDelay time.Duration
	// MagnumURL is the catalogue's container-infra endpoint, such as
	// http://127.0.0.1:9511/v1; none if empty. SetMagnumURL sets it later.
	MagnumURL string
	// Region is RegionOne if empty.
	Region string
	// Password is that of the accounts people log in with; "secret" if
	// empty. The service accounts get one of their own at each start.
	Password string
	// TokenTTL is how long a token lives; a day if zero.
	TokenTTL time.Duration

	Logger hclog.Logger     // none if nil
	Now    func() time.Time // time.Now if nil
	NewID  func() string    // random 32 hexadecimal digits if nil
	Rand   io.Reader        // where secrets come from; crypto/rand if nil
}

func (c Config) withDefaults() Config {
	if c.Addr == "" {
		c.Addr = "127.0.0.1:0"
	}
	if c.Region == "" {
		c.Region = "RegionOne"
	}
	if c.Password == "" {
		c.Password = "secret"
	}
	if c.TokenTTL == 0 {
		c.TokenTTL = 24 * time.Hour
	}
	if c.Logger == nil {
		c.Logger = hclog.NewNullLogger()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.NewID == nil {
		c.NewID = func() string { return strings.ReplaceAll(uuid.NewString(), "-", "") }
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	return c
}

// Cloud is a running embedded cloud.
type Cloud struct {
	config Config
	server *http.Server
	base   string // http://127.0.0.1:35357
	faults *Faults
	heat   http.Handler
	served chan error    // the listener's end
	closed chan struct{} // closed by Close: stalls end

	closing  sync.Once
	closeErr error

	mu        sync.Mutex // guards all below
	magnumURL string
	accounts  accounts
	tokens    map[string]*token
	stock     stock
}

// Start brings a cloud up. It serves until Close.
func Start(config Config) (*Cloud, error) {
	config = config.withDefaults()
	c := &Cloud{
		config:    config,
		magnumURL: config.MagnumURL,
		tokens:    map[string]*token{},
		served:    make(chan error, 1),
		closed:    make(chan struct{}),
	}
	c.faults = &Faults{closed: c.closed}
	if err := c.furnish(); err != nil {
		return nil, fmt.Errorf("furnish the embedded cloud: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", config.Addr)
	if err != nil {
		return nil, fmt.Errorf("start the embedded cloud: %w", err)
	}
	c.base = "http://" + listener.Addr().String()
	c.heat = newHeat(c)
	c.server = &http.Server{
		Handler:           c.handler(),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          hclog.NewNullLogger().StandardLogger(nil), // lost connections are its trade
	}
	go func() { c.served <- c.server.Serve(listener) }()
	config.Logger.Info("embedded cloud is up", "auth_url", c.AuthURL())
	return c, nil
}

// furnish fills a new cloud.
func (c *Cloud) furnish() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.openAccounts(); err != nil {
		return err
	}
	c.stockUp()
	return nil
}

// Close ends the cloud: stalled requests give up, others finish within ctx.
// A second call answers as the first.
func (c *Cloud) Close(ctx context.Context) error {
	c.closing.Do(func() { c.closeErr = c.close(ctx) })
	return c.closeErr
}

func (c *Cloud) close(ctx context.Context) error {
	close(c.closed)
	err := c.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, c.server.Close())
	}
	if served := <-c.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	if closer, ok := c.heat.(io.Closer); ok {
		err = errors.Join(err, closer.Close())
	}
	if err != nil {
		return fmt.Errorf("close the embedded cloud: %w", err)
	}
	return nil
}

// AuthURL is Keystone's, with its version.
func (c *Cloud) AuthURL() string { return c.base + "/identity/v3" }

// URL is the root under which all services answer.
func (c *Cloud) URL() string { return c.base }

// Faults bends what the services do.
func (c *Cloud) Faults() *Faults { return c.faults }

// SetMagnumURL sets the catalogue's container-infra endpoint, with its
// version: http://127.0.0.1:9511/v1.
func (c *Cloud) SetMagnumURL(url string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.magnumURL = strings.TrimRight(url, "/")
}

// secret makes up a password.
func (c *Cloud) secret() (string, error) {
	raw := make([]byte, 16)
	if _, err := io.ReadFull(c.config.Rand, raw); err != nil {
		return "", fmt.Errorf("make a secret: %w", err)
	}
	return hex.EncodeToString(raw), nil
}

// newUUID is an id as all services but Keystone write them.
func (c *Cloud) newUUID() string {
	id := c.config.NewID()
	if len(id) != 32 {
		return id
	}
	return id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:]
}
