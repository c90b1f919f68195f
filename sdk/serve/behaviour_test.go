package serve_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/serve"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestErrorsRoundTrip(t *testing.T) {
	r := &recorder{}
	c := dial(t, whole(r))
	for _, class := range []driver.Class{
		driver.ClassInvalidInput, driver.ClassUnsupported, driver.ClassConflict, driver.ClassPrecondition,
		driver.ClassNotFound, driver.ClassQuota, driver.ClassThrottled, driver.ClassUnavailable,
		driver.ClassAuth, driver.ClassTimeout, driver.ClassBug, driver.ClassRestarted,
	} {
		for _, blame := range []driver.Blame{driver.BlameUser, driver.BlameOperator, driver.BlameDriver, driver.BlameDownstream} {
			want := &driver.Error{
				Class: class, Blame: blame, UserMessage: "user's " + string(class), OperatorMessage: "operator's",
				RetryAfter: 3 * time.Second,
			}
			r.err = want
			_, err := c.Set.Templates.Render(t.Context(), driver.RenderRequest{})
			var got *driver.Error
			if !errors.As(err, &got) {
				t.Fatalf("%s: got %T %v", class, err, err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-sent +received):\n%s", class, diff)
			}
		}
	}
}

func TestErrorsOfOtherKinds(t *testing.T) {
	long := strings.Repeat("l", 2*driver.MaxString)
	tests := []struct {
		name  string
		err   error
		class driver.Class
		user  string
		oper  string
	}{
		{"wrapped", fmt.Errorf("look up the image: %w", driver.Errorf(driver.ClassNotFound, "no image x")),
			driver.ClassNotFound, "no image x", "look up the image: no image x"},
		{"without a class", errors.New("index out of range"), driver.ClassBug, "driver recorder failed", "index out of range"},
		{"bad UTF-8", driver.Errorf(driver.ClassQuota, "a\xffb"), driver.ClassQuota, "a\uFFFDb", ""},
		{"too long", driver.Errorf(driver.ClassQuota, "%s", long), driver.ClassQuota, long[:driver.MaxString], ""},
		{"unknown class", driver.Errorf(driver.Class("NEWER"), "x"), driver.ClassBug, "x", ""},
	}
	r := &recorder{}
	c := dial(t, whole(r))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r.err = tt.err
			_, err := c.Set.Templates.Render(t.Context(), driver.RenderRequest{})
			var got *driver.Error
			if !errors.As(err, &got) {
				t.Fatalf("got %T %v", err, err)
			}
			if got.Class != tt.class || got.UserMessage != tt.user || got.OperatorMessage != tt.oper {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestTransportErrors(t *testing.T) {
	if _, said := serve.FromError(status.Error(codes.Unavailable, "connection refused")); said {
		t.Error("an error of the transport passes for the driver's")
	}
	if _, said := serve.FromError(errors.New("x")); said {
		t.Error("any error passes for the driver's")
	}
}

// odd misbehaves.
type odd struct {
	recorder
	render func(ctx context.Context, req driver.RenderRequest) (driver.RenderResponse, error)
	watch  func(ctx context.Context, send func(driver.Event) error) error
}

func (o *odd) Render(ctx context.Context, req driver.RenderRequest) (driver.RenderResponse, error) {
	return o.render(ctx, req)
}

func (o *odd) Watch(ctx context.Context, _ driver.WatchRequest, send func(driver.Event) error) error {
	return o.watch(ctx, send)
}

func (o *odd) plugin() serve.Plugin {
	return serve.Plugin{Name: "recorder", Version: "1.2.3", Driver: o, Templates: o, Lifecycle: o}
}

func dialOdd(t *testing.T, o *odd) *serve.Connection { return dial(t, o.plugin()) }

func TestPanic(t *testing.T) {
	o := &odd{
		render: func(context.Context, driver.RenderRequest) (driver.RenderResponse, error) { panic("boo") },
		watch:  func(context.Context, func(driver.Event) error) error { panic("hoo") },
	}
	c := dialOdd(t, o)
	_, err := c.Set.Templates.Render(t.Context(), driver.RenderRequest{})
	if driver.ClassOf(err) != driver.ClassBug || !strings.Contains(err.Error(), "boo") {
		t.Errorf("Render: %v", err)
	}
	err = c.Set.Lifecycle.Watch(t.Context(), driver.WatchRequest{}, func(driver.Event) error { return nil })
	if driver.ClassOf(err) != driver.ClassBug || !strings.Contains(err.Error(), "hoo") {
		t.Errorf("Watch: %v", err)
	}
	// It goes on living.
	if _, err := c.Set.Templates.Validate(t.Context(), driver.ValidateRequest{}); err != nil {
		t.Errorf("the call after a panic: %v", err)
	}
}

func TestDeadline(t *testing.T) {
	c := dialOdd(t, &odd{render: func(ctx context.Context, _ driver.RenderRequest) (driver.RenderResponse, error) {
		<-ctx.Done()
		return driver.RenderResponse{}, ctx.Err()
	}})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.Set.Templates.Render(ctx, driver.RenderRequest{}); driver.ClassOf(err) != driver.ClassTimeout {
		t.Errorf("got %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	if _, err := c.Set.Templates.Render(ctx, driver.RenderRequest{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestLargeMessages(t *testing.T) {
	var size int
	c := dialOdd(t, &odd{render: func(_ context.Context, req driver.RenderRequest) (driver.RenderResponse, error) {
		if len(req.Cluster.Name) != size && size < driver.MaxStack {
			return driver.RenderResponse{}, fmt.Errorf("got %d bytes", len(req.Cluster.Name))
		}
		return driver.RenderResponse{Template: strings.Repeat("t", size)}, nil
	}})
	render := func(request, response int) error {
		size = response
		if response == 0 {
			size = request
		}
		out, err := c.Set.Templates.Render(t.Context(), driver.RenderRequest{Cluster: driver.Cluster{Name: strings.Repeat("n", request)}})
		if err == nil && len(out.Template) != size {
			err = fmt.Errorf("got %d bytes back", len(out.Template))
		}
		return err
	}
	if err := render(7<<20, 0); err != nil {
		t.Errorf("7 MiB both ways: %v", err)
	}
	if err := render(1, driver.MaxStack+1); driver.ClassOf(err) != driver.ClassBug || !strings.Contains(err.Error(), "stack of 8388609 bytes") {
		t.Errorf("a stack over the limit: %v", err)
	}
	if err := render(driver.MaxMessage+1, 1); driver.ClassOf(err) != driver.ClassBug || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("a request over the limit: %v", err)
	}
	// 15 MiB in a message without a narrower limit.
	out := map[string]driver.RawJSON{"o": make(driver.RawJSON, 15<<20)}
	if _, err := c.Set.Templates.MapOutputs(t.Context(), driver.MapOutputsRequest{Outputs: out}); err != nil {
		t.Errorf("15 MiB: %v", err)
	}
}

func TestStateLimit(t *testing.T) {
	c := dialOdd(t, &odd{watch: func(_ context.Context, send func(driver.Event) error) error {
		return send(driver.Event{State: make([]byte, driver.MaxState+1)})
	}})
	err := c.Set.Lifecycle.Watch(t.Context(), driver.WatchRequest{}, func(driver.Event) error { return nil })
	if driver.ClassOf(err) != driver.ClassBug || !strings.Contains(err.Error(), "state of") {
		t.Errorf("got %v", err)
	}
}

func TestWatchEndsWithItsReader(t *testing.T) {
	ended := make(chan struct{})
	c := dialOdd(t, &odd{watch: func(ctx context.Context, send func(driver.Event) error) error {
		defer close(ended)
		if err := send(driver.Event{Seq: 1}); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	}})
	full := errors.New("full")
	err := c.Set.Lifecycle.Watch(t.Context(), driver.WatchRequest{}, func(driver.Event) error { return full })
	if !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
	<-ended
}

func TestDrain(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	o := &odd{
		render: func(context.Context, driver.RenderRequest) (driver.RenderResponse, error) {
			close(begun)
			<-release
			return driver.RenderResponse{Template: "done"}, nil
		},
		watch: func(ctx context.Context, send func(driver.Event) error) error {
			if err := send(driver.Event{Seq: 1}); err != nil {
				return err
			}
			<-ctx.Done()
			return ctx.Err()
		},
	}
	c := dialOdd(t, o)
	rendered := make(chan error, 1)
	go func() {
		_, err := c.Set.Templates.Render(context.Background(), driver.RenderRequest{})
		rendered <- err
	}()
	<-begun
	watching, watched := make(chan struct{}), make(chan error, 1)
	go func() {
		watched <- c.Set.Lifecycle.Watch(context.Background(), driver.WatchRequest{}, func(driver.Event) error {
			close(watching)
			return nil
		})
	}()
	<-watching

	out, err := c.Control.Drain(t.Context(), driver.DrainRequest{Timeout: 20 * time.Millisecond})
	if err != nil || out.InFlight != 1 {
		t.Errorf("drain with a call in flight: %+v, %v", out, err)
	}
	if err := <-watched; driver.ClassOf(err) != driver.ClassUnavailable {
		t.Errorf("the watch goes on, or ends with %v", err)
	}
	if _, err := c.Set.Templates.Validate(t.Context(), driver.ValidateRequest{}); driver.ClassOf(err) != driver.ClassUnavailable {
		t.Errorf("a new call while draining: %v", err)
	}
	if out, err := c.Control.Probe(t.Context(), driver.ProbeRequest{}); err != nil {
		t.Errorf("a probe while draining: %+v, %v", out, err)
	}
	drained := make(chan driver.DrainResponse, 1)
	go func() {
		out, _ := c.Control.Drain(context.Background(), driver.DrainRequest{Timeout: time.Minute})
		drained <- out
	}()
	close(release)
	if out := <-drained; out.InFlight != 0 {
		t.Errorf("%d calls left", out.InFlight)
	}
	if err := <-rendered; err != nil {
		t.Errorf("the call in flight: %v", err)
	}
}

func TestOptionalDriverCalls(t *testing.T) {
	c := dial(t, serve.Plugin{Name: "bare", Version: "1.2.3", Driver: bare{}, Templates: &recorder{}})
	if out, err := c.Control.Probe(t.Context(), driver.ProbeRequest{}); err != nil || !out.Ready {
		t.Errorf("probe: %+v, %v", out, err)
	}
	if _, err := c.Control.Configure(t.Context(), driver.ConfigureRequest{Config: []byte("{}")}); driver.ClassOf(err) != driver.ClassUnsupported {
		t.Errorf("configure: %v", err)
	}
	if _, err := c.Set.Driver.Describe(t.Context(), driver.DescribeRequest{}); driver.ClassOf(err) != driver.ClassBug || !strings.Contains(err.Error(), "no cluster types") {
		t.Errorf("describe: %v", err)
	}
}

type bare struct{}

func (bare) Describe(context.Context, driver.DescribeRequest) (driver.DescribeResponse, error) {
	return driver.DescribeResponse{}, nil
}

func TestPluginIsChecked(t *testing.T) {
	r := &recorder{}
	good := serve.Plugin{Name: "a", Version: "1.0.0", Driver: r, Templates: r}
	tests := []struct {
		name   string
		change func(*serve.Plugin)
		want   string
	}{
		{"name", func(p *serve.Plugin) { p.Name = "Not/Good" }, `Name "Not/Good" must match`},
		{"version", func(p *serve.Plugin) { p.Version = "v1" }, `must be a semantic version`},
		{"driver", func(p *serve.Plugin) { p.Driver = nil }, "has no Driver"},
		{"work", func(p *serve.Plugin) { p.Templates = nil }, "neither Templates nor Lifecycle"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := good
			tt.change(&p)
			if _, err := serve.NewServer(p, nil); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A peer with other keys, such as another process of the same user, is turned
// away by both sides.
func TestKeysAreForOnePair(t *testing.T) {
	_, process, err := serve.NewKeys(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	otherHost, _, err := serve.NewKeys(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := connectTLS(t, otherHost, process); err == nil {
		t.Error("strangers talk to each other")
	}
	host, process, err := serve.NewKeys(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := connectTLS(t, host, process); err != nil {
		t.Errorf("the pair cannot talk: %v", err)
	}
	// A host that trusts the driver but is not the one it was started by.
	impostor := otherHost
	impostor.Peer = host.Peer
	if err := connectTLS(t, impostor, process); err == nil {
		t.Error("the driver lets a stranger in")
	}
}
