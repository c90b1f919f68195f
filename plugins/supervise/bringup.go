package supervise

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/plugins/launch"
	"github.com/go-magnum/magnum/plugins/store"
	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/serve"
)

// readyPoll is how often a driver that is starting is probed.
const readyPoll = 50 * time.Millisecond

// bringUp starts a process and makes it ready: handshake, configuration,
// probe. What does not get so far is ended.
func (i *instance) bringUp(ctx context.Context) (*process, error) {
	cfg := i.cfg.Launch
	cfg.Name, cfg.Binary, cfg.SHA256 = i.pkg.Name, i.pkg.Binary(), i.pkg.BinaryDigest
	cfg.Logger = i.cfg.Logger
	level := i.cfg.LogLevel(i.pkg.Name)
	if level != hclog.NoLevel {
		cfg.Logger = i.cfg.Logger.With() // a copy, with a level of its own
		cfg.Logger.SetLevel(level)
	}
	cfg.Package = i.pkg.Path
	if named(i.cfg.Unconfined, i.pkg.Name) {
		cfg.Confine = launch.ConfineOff
	}
	if named(i.cfg.Granted, i.pkg.Name) {
		cfg.Sandbox, cfg.Limits = cfg.Sandbox.With(i.pkg.Manifest.Asks.Sandbox), i.pkg.Manifest.Asks.Resources
	}
	if err := i.cfg.Store.CheckOwner(i.pkg); err != nil {
		return nil, err
	}
	config, err := i.configuration()
	if err != nil {
		return nil, err
	}
	p, err := launch.Start(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := i.prepare(ctx, serve.NewControl(p.Conn()), config); err != nil {
		return nil, errors.Join(err, p.Kill())
	}
	now := i.cfg.Now()
	return &process{Process: p, started: now, used: now, config: config, level: level, open: map[int]openCall{}}, nil
}

// named reports whether a list has a name, or all.
func named(list []string, name string) bool {
	return slices.Contains(list, name) || slices.Contains(list, "*")
}

func (i *instance) prepare(ctx context.Context, control serve.Control, config []byte) error {
	hello, err := control.Handshake(ctx, driver.HandshakeRequest{
		CoreVersion:   i.cfg.CoreVersion,
		ProtocolMinor: driver.ProtocolMinor,
	})
	if err != nil {
		return fmt.Errorf("shake hands: %w", err)
	}
	if err := matches(hello, i.pkg.Manifest); err != nil {
		return rejection{err}
	}
	if len(config) > 0 {
		out, err := control.Configure(ctx, driver.ConfigureRequest{Config: config})
		if err != nil {
			return fmt.Errorf("configure: %w", err)
		}
		if out.NeedsRestart {
			return errors.New("configure: the driver asks for a restart, but it has only just been started")
		}
	}
	return i.ready(ctx, control)
}

// matches proves that the process is what the manifest says.
func matches(hello driver.HandshakeResponse, m store.Manifest) error {
	differ := func(what string, process, manifest any) error {
		return fmt.Errorf("the process says its %s is %v, but the manifest says %v: the package is wrong, build it again",
			what, process, manifest)
	}
	services := func(s []string) []string { return slices.Sorted(slices.Values(s)) }
	switch {
	case hello.Name != m.Name:
		return differ("name", hello.Name, m.Name)
	case hello.Version != m.Version:
		return differ("version", hello.Version, m.Version)
	case !slices.Equal(services(hello.Services), services(m.Services)):
		return differ("list of services", hello.Services, m.Services)
	}
	return nil
}

// ready probes until the driver is.
func (i *instance) ready(ctx context.Context, control serve.Control) error {
	tick := time.NewTicker(readyPoll)
	defer tick.Stop()
	var last *driver.ProbeResponse
	for {
		out, err := control.Probe(ctx, driver.ProbeRequest{})
		switch {
		case err == nil && out.Ready:
			return nil
		case err == nil:
			last = &out
		case last == nil, ctx.Err() == nil && driver.ClassOf(err) != driver.ClassTimeout:
			// gRPC may see that the time is up before the context does.
			return fmt.Errorf("probe: %w", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("probe: the driver is not ready in time, it waits for %s: %w", waits(last.Dependencies), ctx.Err())
		}
	}
}

func waits(dependencies []driver.Dependency) string {
	var names []string
	for _, d := range dependencies {
		if !d.Ready {
			names = append(names, strings.TrimSuffix(d.Name+": "+d.Message, ": "))
		}
	}
	if len(names) == 0 {
		return "nothing it names"
	}
	return strings.Join(names, "; ")
}
