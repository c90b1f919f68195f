package drivertest

import (
	stdbytes "bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/Masterminds/semver/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/go-magnum/magnum/sdk/driver"
	pb "github.com/go-magnum/magnum/sdk/driverpb"
	"github.com/go-magnum/magnum/sdk/serve"
)

func (s *session) described(ctx context.Context) (driver.Description, error) {
	var d driver.Description
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Patience)
	defer cancel()
	text, err := s.cfg.Describe(ctx)
	if err != nil {
		return d, err
	}
	if err := json.Unmarshal(text, &d); err != nil {
		return d, fmt.Errorf("what it prints is no description: %w", err)
	}
	return d, nil
}

func checkDescribeCommand(ctx context.Context, s *session) error {
	d, err := s.described(ctx)
	if err == nil && d.Name == "" {
		err = errors.New("the description has no name")
	}
	return err
}

func checkStart(ctx context.Context, s *session) error {
	p, err := s.start(ctx)
	if err != nil {
		return err
	}
	return p.Kill()
}

func checkHandshake(ctx context.Context, s *session) error {
	conn, err := s.conn(ctx)
	if err != nil {
		return err
	}
	hello, err := pb.NewDriverClient(conn).Handshake(ctx, handshake())
	if err != nil {
		return fmt.Errorf("refused: %s", said(err))
	}
	services := hello.GetServices()
	switch {
	case hello.GetName() == "" || hello.GetVersion() == "":
		return errors.New("the answer lacks name or version")
	case !slices.Contains(services, driver.ServiceDriver):
		return fmt.Errorf("the services lack %s", driver.ServiceDriver)
	case !slices.Contains(services, driver.ServiceTemplates) && !slices.Contains(services, driver.ServiceLifecycle):
		return errors.New("there is neither Templates nor Lifecycle among the services")
	case hello.GetProtocolMinor() < 0:
		return fmt.Errorf("the protocol's minor version is %d", hello.GetProtocolMinor())
	}
	return nil
}

func checkNewerCore(ctx context.Context, s *session) error {
	if err := s.learn(ctx); err != nil {
		return err
	}
	conn, err := s.conn(ctx)
	if err != nil {
		return err
	}
	hello, err := pb.NewDriverClient(conn).Handshake(ctx, &pb.HandshakeRequest{
		CoreVersion: "99.0.0", ProtocolMinor: 99, Features: []string{"of-the-future"},
	})
	if err != nil {
		return fmt.Errorf("a core with minor version 99 is refused: %s", said(err))
	}
	if hello.GetName() != s.hello.GetName() || !slices.Equal(hello.GetServices(), s.hello.GetServices()) {
		return errors.New("to a core with minor version 99 it says something else of itself")
	}
	return nil
}

// absent reports that a service is not there at all, as opposed to a call that
// the driver refuses in its own words.
func absent(err error) bool { return status.Code(err) == codes.Unimplemented && class(err) == "" }

func checkServices(ctx context.Context, s *session) error {
	if err := s.learn(ctx); err != nil {
		return err
	}
	conn, err := s.conn(ctx)
	if err != nil {
		return err
	}
	for _, one := range []struct {
		service string
		call    func() error
	}{
		{driver.ServiceTemplates, func() error {
			_, err := pb.NewTemplatesClient(conn).Validate(ctx, s.validation())
			return err
		}},
		{driver.ServiceScaling, func() error {
			_, err := pb.NewScalingClient(conn).SelectNodes(ctx, &pb.SelectNodesRequest{Cluster: cluster(), Template: s.template()})
			return err
		}},
		{driver.ServiceMonitoring, func() error {
			_, err := pb.NewMonitoringClient(conn).CheckHealth(ctx, &pb.CheckHealthRequest{Cluster: cluster(), Template: s.template(), Access: s.access()})
			return err
		}},
		{driver.ServiceLifecycle, func() error {
			_, err := pb.NewLifecycleClient(conn).Cancel(ctx, &pb.CancelRequest{OperationId: "conform"})
			return err
		}},
	} {
		switch there := !absent(one.call()); {
		case s.has(one.service) && !there:
			return fmt.Errorf("%s is named in the handshake but not served", one.service)
		case !s.has(one.service) && there:
			return fmt.Errorf("%s is served but not named in the handshake", one.service)
		}
	}
	return nil
}

func checkOneDescription(ctx context.Context, s *session) error {
	conn, err := s.conn(ctx)
	if err != nil {
		return err
	}
	set := serve.NewSet(conn, driver.HandshakeResponse{})
	out, err := set.Driver.Describe(ctx, driver.DescribeRequest{})
	if err != nil {
		return err
	}
	if err := s.learn(ctx); err != nil {
		return err
	}
	printed, err := s.described(ctx)
	if err != nil {
		return skip("the describe subcommand does not work: see DRV-002")
	}
	served, err := json.Marshal(out.Description)
	if err != nil {
		return fmt.Errorf("the description holds a schema that is no JSON: %w", err)
	}
	again, err := json.Marshal(printed)
	if err != nil {
		return err
	}
	var a, b stdbytes.Buffer
	if json.Compact(&a, served) != nil || json.Compact(&b, again) != nil || a.String() != b.String() {
		return fmt.Errorf("Describe and the describe subcommand differ: %s", difference(a.String(), b.String()))
	}
	if printed.Name != s.hello.GetName() || printed.Version != s.hello.GetVersion() || !sameSet(printed.Services, s.hello.GetServices()) {
		return fmt.Errorf("the description is of %s %s with %v, but the handshake of %s %s with %v", printed.Name, printed.Version,
			printed.Services, s.hello.GetName(), s.hello.GetVersion(), s.hello.GetServices())
	}
	if c := s.cfg.Claim; c != nil && (c.Name != printed.Name || c.Version != printed.Version || !sameSet(c.Services, printed.Services)) {
		return fmt.Errorf("the manifest is of %s %s with %v, but the driver is %s %s with %v", c.Name, c.Version, c.Services,
			printed.Name, printed.Version, printed.Services)
	}
	return nil
}

// difference shows where two texts part.
func difference(a, b string) string {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	from := max(0, i-20)
	return fmt.Sprintf("%.60q against %.60q", a[from:], b[from:])
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// describeLimit is the contract's, and describeTries how often the driver may
// try: a machine that is busy with something else is not its fault.
const (
	describeLimit = 100 * time.Millisecond
	describeTries = 20
)

func checkDescribeTime(ctx context.Context, s *session) error {
	if err := s.learn(ctx); err != nil {
		return err
	}
	conn, err := s.conn(ctx)
	if err != nil {
		return err
	}
	var best time.Duration
	for try := range describeTries {
		begun := time.Now()
		if _, err := pb.NewDriverClient(conn).Describe(ctx, &pb.DescribeRequest{}); err != nil {
			return err
		}
		if took := time.Since(begun); try == 0 || took < best {
			best = took
		}
		if best <= describeLimit {
			return nil
		}
	}
	return fmt.Errorf("it takes %s at best, more than %s", best.Round(time.Millisecond), describeLimit)
}

func checkSchemas(ctx context.Context, s *session) error {
	if err := s.learn(ctx); err != nil {
		return err
	}
	for name, text := range map[string][]byte{
		"label_schema": s.description.GetLabelSchema(), "config_schema": s.description.GetConfigSchema(),
	} {
		parsed, err := parseSchema(text)
		if err == nil {
			err = parsed.check()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func checkIdentity(ctx context.Context, s *session) error {
	if err := s.learn(ctx); err != nil {
		return err
	}
	d := s.description
	if !regexp.MustCompile(serve.NamePattern).MatchString(d.GetName()) {
		return fmt.Errorf("the name %q does not match %s", d.GetName(), serve.NamePattern)
	}
	if _, err := semver.StrictNewVersion(d.GetVersion()); err != nil {
		return fmt.Errorf("the version %q is not semantic, without a leading v: %w", d.GetVersion(), err)
	}
	maturities := []driver.Maturity{driver.MaturityStable, driver.MaturityBeta, driver.MaturityDeprecated}
	if !slices.Contains(maturities, driver.Maturity(d.GetMaturity())) {
		return fmt.Errorf("the maturity %q is none of %v", d.GetMaturity(), maturities)
	}
	if len(d.GetClusterTypes()) == 0 {
		return errors.New("there are no cluster types")
	}
	seen := map[[3]string]bool{}
	for _, t := range d.GetClusterTypes() {
		key := [3]string{t.GetServerType(), t.GetOs(), t.GetCoe()}
		if slices.Contains(key[:], "") || seen[key] {
			return fmt.Errorf("cluster type %q is not whole, or there twice", key)
		}
		seen[key] = true
	}
	return nil
}

func checkLimits(ctx context.Context, s *session) error {
	if err := s.learn(ctx); err != nil {
		return err
	}
	least, most := s.description.GetLimits().GetMinMasters(), s.description.GetLimits().GetMaxMasters()
	switch {
	case least < 0 || most < 0:
		return errors.New("a limit is below 0")
	case most > 0 && most < max(least, 1):
		return fmt.Errorf("there may be at most %d masters but must be at least %d", most, max(least, 1))
	case s.description.GetLimits().GetOddMasters() && most > 0 && most == least && most%2 == 0:
		return fmt.Errorf("there must be %d masters and an odd number of them", most)
	}
	return nil
}

func checkUpgradeLabels(ctx context.Context, s *session) error {
	if err := s.learn(ctx); err != nil {
		return err
	}
	for _, name := range s.description.GetUpgradeLabels() {
		if _, ok := s.labels.Properties[name]; !ok {
			return fmt.Errorf("the upgrade label %s is not in the label schema", name)
		}
	}
	return nil
}

func checkConfigure(ctx context.Context, s *session) error {
	if err := s.learn(ctx); err != nil {
		return err
	}
	p, end, err := s.fresh(ctx) // what is configured stays
	if err != nil {
		return err
	}
	defer end()
	wanted, err := parseSchema(s.description.GetConfigSchema())
	if err != nil {
		return skip("the configuration's schema cannot be read: see DRV-012")
	}
	config := map[string]any{}
	if wanted != nil {
		for _, name := range wanted.Required {
			if config[name] = wanted.Properties[name].Default; config[name] == nil {
				return skip("the configuration needs " + name + ", which has no default")
			}
		}
	}
	text, err := json.Marshal(config)
	if err != nil {
		return err
	}
	_, err = pb.NewDriverClient(p.Conn()).Configure(ctx, &pb.ConfigureRequest{Config: text})
	switch {
	case wanted == nil:
		return refusedAs("configuration of a driver without a schema for one", err, driver.ClassUnsupported)
	case err != nil:
		return fmt.Errorf("the least configuration that fits the schema, %s, is refused: %s", text, said(err))
	}
	return nil
}

func checkProbe(ctx context.Context, s *session) error {
	if err := s.learn(ctx); err != nil {
		return err
	}
	conn, err := s.conn(ctx)
	if err != nil {
		return err
	}
	out, err := pb.NewDriverClient(conn).Probe(ctx, &pb.ProbeRequest{})
	switch {
	case err != nil:
		return fmt.Errorf("it is broken: %s", said(err))
	case !out.GetReady() && !slices.ContainsFunc(out.GetDependencies(), func(d *pb.Dependency) bool { return !d.GetReady() }):
		return errors.New("it is not ready and does not say what it waits for")
	}
	return nil
}

func (s *session) propertyNames() []string { return slices.Sorted(maps.Keys(s.labels.Properties)) }

func seconds(d time.Duration) *durationpb.Duration { return durationpb.New(d) }
