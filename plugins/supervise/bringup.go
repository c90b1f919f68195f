package supervise

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/go-magnum/magnum/plugins/launch"
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
	p, err := launch.Start(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := i.prepare(ctx, serve.NewControl(p.Conn())); err != nil {
		return nil, errors.Join(err, p.Kill())
	}
	now := i.cfg.Now()
	return &process{Process: p, started: now, used: now, open: map[int]openCall{}}, nil
}

// named reports whether a list has a name, or all.
func named(list []string, name string) bool {
	return slices.Contains(list, name) || slices.Contains(list, "*")
}

func (i *instance) prepare(ctx context.Context, control serve.Control) error {
	hello, err := control.Handshake(ctx, driver.HandshakeRequest{
		CoreVersion:   i.cfg.CoreVersion,
		ProtocolMinor: driver.ProtocolMinor,
	})
	if err != nil {
		return fmt.Errorf("shake hands: %w", err)
	}
	if err := i.matches(hello); err != nil {
		return rejection{err}
	}
	if config := i.cfg.Config[i.pkg.Name]; len(config) > 0 {
		if err := checkConfig(i.pkg.Description.ConfigSchema, config); err != nil {
			return rejection{err}
		}
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
func (i *instance) matches(hello driver.HandshakeResponse) error {
	m := i.pkg.Manifest
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
	case hello.ProtocolMinor != m.Protocol.Minor:
		return differ("minor version of the protocol", hello.ProtocolMinor, m.Protocol.Minor)
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

// checkConfig holds the operator's configuration against the driver's schema.
// Its errors name places and never values, which may be secret.
func checkConfig(schema driver.RawJSON, config []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(config))
	if err != nil {
		return errors.New("the configuration is not valid JSON")
	}
	if _, ok := value.(map[string]any); !ok {
		return errors.New("the configuration is not a JSON object")
	}
	if len(schema) == 0 {
		return nil
	}
	const name = "config-schema.json"
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		return fmt.Errorf("the driver's config_schema is not valid JSON: %w", err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(noLoader{})
	if err := compiler.AddResource(name, document); err != nil {
		return fmt.Errorf("the driver's config_schema: %w", err)
	}
	compiled, err := compiler.Compile(name)
	if err != nil {
		return fmt.Errorf("the driver's config_schema is not a JSON Schema: %w", err)
	}
	err = compiled.Validate(value)
	if invalid := (*jsonschema.ValidationError)(nil); errors.As(err, &invalid) {
		return fmt.Errorf("the configuration does not fit the driver's config_schema at %s",
			strings.Join(slices.Compact(slices.Sorted(slices.Values(places(invalid)))), ", "))
	}
	return err
}

// places lists where in the configuration the innermost faults are.
func places(e *jsonschema.ValidationError) []string {
	if len(e.Causes) == 0 {
		return []string{"/" + strings.Join(e.InstanceLocation, "/")}
	}
	var all []string
	for _, cause := range e.Causes {
		all = append(all, places(cause)...)
	}
	return all
}

// noLoader keeps a schema from reading anything beyond itself.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("references to %s are not allowed in a driver's schema", url)
}
