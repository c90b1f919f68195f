package drivertest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"github.com/go-magnum/magnum/sdk/driver"
	pb "github.com/go-magnum/magnum/sdk/driverpb"
	"github.com/go-magnum/magnum/sdk/serve"
)

// details is all that travels with an error.
func details(err error) string {
	return fmt.Sprintf("%v %v", status.Convert(err).Proto(), status.Convert(err).Details())
}

func checkErrorForm(ctx context.Context, s *session) error {
	client, err := s.templates(ctx)
	if err != nil {
		return err
	}
	_, err = client.Render(ctx, s.request(use{intent: driver.IntentUpdate, group: unknownGroup}))
	if err == nil {
		return skip("the request that has to be refused is answered: see DRV-035")
	}
	var info *errdetails.ErrorInfo
	var said *pb.DriverError
	for _, d := range status.Convert(err).Details() {
		switch d := d.(type) {
		case *errdetails.ErrorInfo:
			info = d
		case *pb.DriverError:
			said = d
		}
	}
	c := class(err)
	switch {
	case info == nil || said == nil:
		return fmt.Errorf("a refusal needs an ErrorInfo and a DriverError, and has %s", details(err))
	case info.GetDomain() != serve.ErrorDomain:
		return fmt.Errorf("the domain is %q, not %q", info.GetDomain(), serve.ErrorDomain)
	case said.GetClass() == pb.Class_CLASS_UNSPECIFIED || c == driver.ClassRestarted:
		return fmt.Errorf("the class %s is not one for a driver to send", said.GetClass())
	case said.GetUserMessage() == "":
		return fmt.Errorf("there is no message for the user")
	case status.Code(err) != serve.CodeOf(c):
		return fmt.Errorf("class %s goes with the code %s, not %s", c, serve.CodeOf(c), status.Code(err))
	}
	return nil
}

// alive is how every attack ends: the driver must still be there.
func (s *session) alive(ctx context.Context, conn *grpc.ClientConn, after string) error {
	if _, err := pb.NewDriverClient(conn).Probe(ctx, &pb.ProbeRequest{}); err != nil {
		return fmt.Errorf("after %s it is not there any more: %s", after, said(err))
	}
	return nil
}

func checkEmpty(ctx context.Context, s *session) error {
	conn, err := s.ask(ctx, driver.ServiceTemplates)
	if err != nil {
		return err
	}
	client := pb.NewTemplatesClient(conn)
	for _, call := range []struct {
		name string
		do   func() error
	}{
		{"Validate", func() error { _, err := client.Validate(ctx, &pb.ValidateRequest{}); return err }},
		{"Render", func() error { _, err := client.Render(ctx, &pb.RenderRequest{}); return err }},
		{"MapOutputs", func() error { _, err := client.MapOutputs(ctx, &pb.MapOutputsRequest{}); return err }},
		{"PreDelete", func() error { _, err := client.PreDelete(ctx, &pb.PreDeleteRequest{}); return err }},
	} {
		if err := decent("an empty "+call.name, call.do()); err != nil {
			return err
		}
	}
	return s.alive(ctx, conn, "empty requests")
}

// hostile are texts that somebody may put into a name or a label.
func hostile() map[string]string {
	return map[string]string{
		"control characters": "a\x00b\x07c\x1b[31m\r\nd\u202e",
		"YAML":               "\": {a: [&x *x]}\n- !!binary |\n\t#",
		"a template":         "{{ .Cluster }}${IFS}$(id)`id`%s%n",
		"64 KiB":             strings.Repeat("x", driver.MaxString),
	}
}

func checkHostile(ctx context.Context, s *session) error {
	conn, err := s.ask(ctx, driver.ServiceTemplates)
	if err != nil {
		return err
	}
	client := pb.NewTemplatesClient(conn)
	for kind, text := range hostile() {
		r := s.request(uses()[0])
		c, t := r.GetCluster(), r.GetTemplate()
		c.Name, c.Keypair, c.FlavorId, c.MasterFlavorId, c.FixedNetwork, c.DiscoveryUrl = text, text, text, text, text, text
		t.Name, t.ImageId, t.DnsNameserver, t.HttpProxy, t.NoProxy, t.InsecureRegistry = text, text, text, text, text, text
		for _, name := range s.propertyNames() {
			c.Labels[name] = text
		}
		for _, g := range r.GetNodeGroups() {
			g.FlavorId, g.ImageId, g.NodeCount = text, text, -1
		}
		_, err := client.Validate(ctx, &pb.ValidateRequest{Intent: r.GetIntent(), Cluster: c, Template: t, NodeGroups: r.GetNodeGroups()})
		if err := decent("Validate with "+kind, err); err != nil {
			return err
		}
		_, err = client.Render(ctx, r)
		if err := decent("Render with "+kind, err); err != nil {
			return err
		}
		m := s.mapping()
		m.Cluster, m.Outputs, m.Parameters = c, map[string][]byte{text: []byte(text)}, map[string]string{text: text}
		_, err = client.MapOutputs(ctx, m)
		if err := decent("MapOutputs with "+kind, err); err != nil {
			return err
		}
		_, err = client.PreDelete(ctx, &pb.PreDeleteRequest{Cluster: c, Template: t})
		if err := decent("PreDelete with "+kind, err); err != nil {
			return err
		}
	}
	return s.alive(ctx, conn, "hostile requests")
}

func checkLargeMessage(ctx context.Context, s *session) error {
	conn, err := s.ask(ctx, driver.ServiceTemplates)
	if err != nil {
		return err
	}
	r := s.mapping()
	r.Outputs = map[string][]byte{"conform": []byte(`"` + strings.Repeat("x", 15<<20) + `"`)}
	_, err = pb.NewTemplatesClient(conn).MapOutputs(ctx, r)
	if err := decent("15 MiB", err); err != nil {
		return err
	}
	return s.alive(ctx, conn, "a message of 15 MiB")
}

// concurrent is how many calls a driver must take at once.
const concurrent = 64

func checkConcurrent(ctx context.Context, s *session) error {
	client, err := s.templates(ctx)
	if err != nil {
		return err
	}
	if _, err := s.good(ctx); err != nil {
		return err
	}
	// Four clusters, so that an answer meant for another would be noticed.
	var alone []stack
	for _, name := range []string{"one", "two", "three", "four"} {
		r := s.request(uses()[0])
		r.Cluster.Name = "conform-" + name
		out, err := client.Render(ctx, r)
		if err != nil {
			return skip("a cluster cannot be rendered: see DRV-032")
		}
		alone = append(alone, stack{about: "cluster " + name, request: r, response: out})
	}
	errs := make([]error, concurrent)
	var calls sync.WaitGroup
	gate := make(chan struct{})
	for i := range concurrent {
		calls.Go(func() {
			<-gate
			errs[i] = same(ctx, client, alone[i%len(alone)])
		})
	}
	close(gate)
	calls.Wait()
	return first(errs)
}

// abandoned is how many calls are given up.
const abandoned = 16

func checkAbandoned(ctx context.Context, s *session) error {
	if _, err := s.templates(ctx); err != nil {
		return err
	}
	p, end, err := s.fresh(ctx)
	if err != nil {
		return err
	}
	defer end()
	client := pb.NewTemplatesClient(p.Conn())
	var calls sync.WaitGroup
	for range abandoned {
		calls.Go(func() {
			short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
			defer cancel()
			_, _ = client.Render(short, s.request(uses()[0]))
		})
	}
	calls.Wait()
	out, err := pb.NewDriverClient(p.Conn()).Drain(ctx, &pb.DrainRequest{Timeout: seconds(s.cfg.Patience)})
	if err != nil {
		return skip("the driver does not drain: see DRV-100")
	}
	if n := out.GetInFlight(); n != 0 {
		return fmt.Errorf("%d of %d calls go on %s after nobody waits for them any more", n, abandoned, s.cfg.Patience)
	}
	return nil
}
