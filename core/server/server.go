// Package server builds and runs the API and the conductor from a
// configuration and a source of drivers. Executables are recipes over it.
package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/go-magnum/magnum/core/api"
	"github.com/go-magnum/magnum/core/cert"
	"github.com/go-magnum/magnum/core/conductor"
	"github.com/go-magnum/magnum/core/config"
	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/notify"
	"github.com/go-magnum/magnum/core/obs"
	"github.com/go-magnum/magnum/core/openstack"
	"github.com/go-magnum/magnum/core/state"
)

// Drivers starts drivers and knows what is installed.
type Drivers interface {
	conductor.Drivers
	// Installed lists the packages of this host, without running any.
	Installed() ([]state.Driver, error)
	// Standing tells how they stand, and Changed that it may be otherwise now.
	Standing() ([]state.HostDriver, error)
	Changed() <-chan struct{}
}

// Config is what a process needs.
type Config struct {
	Config  *config.Config
	Logger  hclog.Logger
	Drivers Drivers // only for the conductor
	// Build is told in the metrics; Collectors are metrics of parts that the
	// core does not know.
	Build      obs.Build
	Collectors []prometheus.Collector
	// Ready is called once, with the API's address, when it takes requests.
	Ready func(url string)
	// Hook is called before and after each phase of an operation; Lease is how
	// long an operation stays with a conductor that died. Tests set them.
	Hook  conductor.Hook
	Lease time.Duration
}

// API answers requests until the context ends; requests under way are then
// finished within ten seconds.
func API(ctx context.Context, c Config) error {
	if err := verifiedOnly(c); err != nil {
		return err
	}
	p, err := open(ctx, c)
	if err != nil {
		return err
	}
	defer p.db.Close()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return p.serveMetrics(ctx, c.Config.Metrics.APIPort) })
	g.Go(func() error { return p.serveAPI(ctx, nil) })
	return g.Wait()
}

// Conductor carries out operations until the context ends.
func Conductor(ctx context.Context, c Config) error {
	if err := verifiedOnly(c); err != nil {
		return err
	}
	p, err := open(ctx, c)
	if err != nil {
		return err
	}
	defer p.db.Close()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return p.serveMetrics(ctx, c.Config.Metrics.ConductorPort) })
	g.Go(func() error { return p.conduct(ctx, nil) })
	return g.Wait()
}

// verifiedOnly refuses drivers that nobody has verified: they are for a service
// that has an embedded cloud.
func verifiedOnly(c Config) error {
	if len(c.Config.Drivers.Attach) > 0 {
		return errors.New("[drivers] attach is for magnum-dev only: a driver that is attached is neither verified nor confined. Take it out, and install the driver's package")
	}
	return nil
}

// Both runs API and conductor in one process on one database; a new schema is
// made where there is none. What the API accepts is taken up at once.
func Both(ctx context.Context, c Config) error {
	p, err := open(ctx, c)
	if err != nil {
		return err
	}
	defer p.db.Close()
	// Before the first request: a template made at once must find its driver.
	if err := p.publisher.publish(ctx); err != nil {
		return err
	}
	wake := make(chan struct{}, 1)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return p.serveMetrics(ctx, c.Config.Metrics.APIPort) })
	g.Go(func() error { return p.serveMetrics(ctx, c.Config.Metrics.ConductorPort) })
	g.Go(func() error { return p.serveAPI(ctx, wake) })
	g.Go(func() error { return p.conduct(ctx, wake) })
	return g.Wait()
}

// process is what API and conductor share.
type process struct {
	Config
	db        *state.DB
	keystone  *keystone.Client
	authority *cert.Authority
	publisher *publisher
	senders   []notify.Sender // of notifications; none: nobody is told
	metrics   *prometheus.Registry
}

func open(ctx context.Context, c Config) (*process, error) {
	host, err := host(c.Config)
	if err != nil {
		return nil, err
	}
	senders, err := notify.Senders(c.Config, c.Logger)
	if err != nil {
		return nil, err
	}
	database := state.Config{
		Connection: c.Config.Database.Connection.Reveal(), SilentAfter: time.Duration(c.Config.Default.ServiceDownTime) * time.Second,
	}
	if len(senders) > 0 {
		database.Message = notify.Encoder(host)
	}
	db, err := state.Open(ctx, database)
	if err != nil {
		return nil, err
	}
	p := &process{Config: c, db: db, senders: senders, publisher: &publisher{
		host: host, db: db, drivers: c.Drivers, options: c.Config.Drivers, every: time.Duration(c.Config.Default.PeriodicIntervalMax) * time.Second,
		logger: c.Logger, news: make(chan struct{}, 1),
	}}
	if err := p.checkSchema(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	p.metrics = obs.NewRegistry(c.Build)
	p.metrics.MustRegister(c.Collectors...)
	db.Measure(p.metrics)
	account := keystoneConfig(c)
	account.Metrics, account.Calls = p.metrics, obs.NewCalls(p.metrics, c.Logger)
	if p.keystone, err = keystone.New(account); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	certificates, err := certConfig(c.Config, db)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	p.authority = cert.New(certificates)
	return p, nil
}

func (p *process) checkSchema(ctx context.Context) error {
	have, err := p.db.Version(ctx)
	if err != nil {
		return err
	}
	if want := p.db.Latest(); have != want {
		return fmt.Errorf("the database's schema is at revision %d and this release needs %d: run magnum-db-manage upgrade", have, want)
	}
	return nil
}

func (p *process) serveAPI(ctx context.Context, wake chan<- struct{}) error {
	handler, err := p.apiHandler(wake)
	if err != nil {
		return err
	}
	addr := net.JoinHostPort(p.Config.Config.API.Host, strconv.Itoa(p.Config.Config.API.Port))
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("listen for the API: %w", err)
	}
	url := "http://" + l.Addr().String()
	p.Logger.Info("the API takes requests", "address", url)
	if p.Ready != nil {
		p.Ready(url)
	}
	if err := p.serve(ctx, l, handler); err != nil {
		return fmt.Errorf("serve the API: %w", err)
	}
	return nil
}

// serve answers requests until the context ends; those under way are then
// finished within ten seconds.
func (p *process) serve(ctx context.Context, l net.Listener, handler http.Handler) error {
	srv := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       60 * time.Second,
		WriteTimeout:      120 * time.Second,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          p.Logger.StandardLogger(&hclog.StandardLoggerOptions{ForceLevel: hclog.Debug}),
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		stopped <- srv.Shutdown(end)
	}()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

// serveMetrics answers /metrics on a port of its own: who may read them is
// another matter than who may use the API. Port 0 is off.
func (p *process) serveMetrics(ctx context.Context, port int) error {
	if port == 0 {
		return nil
	}
	addr := net.JoinHostPort(p.Config.Config.Metrics.Host, strconv.Itoa(port))
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("listen for [metrics]: %w", err)
	}
	p.Logger.Info("metrics can be read", "address", "http://"+l.Addr().String()+"/metrics")
	if err := p.serve(ctx, l, obs.MetricsHandler(p.metrics, p.Logger.Named("metrics"))); err != nil {
		return fmt.Errorf("serve metrics: %w", err)
	}
	return nil
}

func (p *process) apiHandler(wake chan<- struct{}) (http.Handler, error) {
	c := p.Config.Config
	return api.New(api.Config{
		DB:       p.db,
		Keystone: p.keystone,
		Lookup:   openstack.New(lookupConfig(c, p.keystone)),
		Cert:     p.authority,
		Options:  c,
		Notify: func() {
			select {
			case wake <- struct{}{}:
			default: // no conductor here, or one that is awake already
			}
		},
		Logger:  p.Logger.Named("api"),
		Metrics: p.metrics,
	})
}

func (p *process) conduct(ctx context.Context, wake <-chan struct{}) error {
	if err := p.publisher.publish(ctx); err != nil {
		return err
	}
	worker, err := p.conductor(wake)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return worker.Run(ctx) })
	g.Go(func() error { return p.publisher.run(ctx) })
	report := &reporter{
		db: p.db, drivers: p.Drivers, host: p.publisher.host, every: p.publisher.every, news: p.publisher.news, logger: p.Logger,
	}
	g.Go(func() error { return report.run(ctx) })
	if drain := p.drain(); drain != nil {
		g.Go(func() error { return drain.Run(ctx) })
	}
	return g.Wait()
}

// drain sends notifications; nil if nobody wants them.
func (p *process) drain() *notify.Drain {
	if len(p.senders) == 0 {
		return nil
	}
	return notify.New(notify.Config{DB: p.db, Senders: p.senders, Logger: p.Logger.Named("notify"), Metrics: p.metrics})
}

// host is the name by which services on this host report.
func host(c *config.Config) (string, error) {
	if c.Default.Host != "" {
		return c.Default.Host, nil
	}
	name, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("find this host's name; set [DEFAULT] host: %w", err)
	}
	return name, nil
}

func (p *process) conductor(wake <-chan struct{}) (*conductor.Conductor, error) {
	return conductor.New(conductor.Config{
		DB:       p.db,
		Drivers:  p.Drivers,
		Keystone: p.keystone,
		Cert:     p.authority,
		Options:  p.Config.Config,
		Host:     p.publisher.host,
		Wake:     wake,
		Hook:     p.Hook,
		Lease:    p.Lease,
		Logger:   p.Logger.Named("conductor"),
		Metrics:  p.metrics,
	})
}
