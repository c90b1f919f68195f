package serve_test

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/serve"
)

// fill gives every field of a value, however deep, a value of its own. A field
// that is added to the contract and forgotten on the wire then fails the round
// trip.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("text %d", *n))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8:
		v.SetUint(uint64(*n % 256))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 2 {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(key, n)
			fill(value, n)
			v.SetMapIndex(key, value)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
		// The few values that are not free.
		switch x := v.Addr().Interface().(type) {
		case *driver.Parameter:
			x.Value = "" // a parameter is plain or secret
		case *driver.Violation:
			x.Class = driver.ClassQuota
		}
	default:
		panic("the contract has a kind that this test does not know: " + v.Kind().String())
	}
}

func filled[T any]() T {
	var v T
	n := 0
	fill(reflect.ValueOf(&v).Elem(), &n)
	return v
}

// recorder answers every call with a filled response and keeps the request.
type recorder struct {
	got any
	err error
}

func answer[Req, Resp any](r *recorder, req Req) (Resp, error) {
	r.got = req
	if r.err != nil {
		var none Resp
		return none, r.err
	}
	return filled[Resp](), nil
}

func (r *recorder) Describe(_ context.Context, req driver.DescribeRequest) (driver.DescribeResponse, error) {
	resp, err := answer[driver.DescribeRequest, driver.DescribeResponse](r, req)
	// The names that package serve knows itself.
	resp.Description.Name, resp.Description.Version, resp.Description.Services = "recorder", "", nil
	return resp, err
}

func (r *recorder) Configure(_ context.Context, req driver.ConfigureRequest) (driver.ConfigureResponse, error) {
	return answer[driver.ConfigureRequest, driver.ConfigureResponse](r, req)
}

func (r *recorder) Probe(_ context.Context, req driver.ProbeRequest) (driver.ProbeResponse, error) {
	return answer[driver.ProbeRequest, driver.ProbeResponse](r, req)
}

func (r *recorder) Validate(_ context.Context, req driver.ValidateRequest) (driver.ValidateResponse, error) {
	return answer[driver.ValidateRequest, driver.ValidateResponse](r, req)
}

func (r *recorder) Render(_ context.Context, req driver.RenderRequest) (driver.RenderResponse, error) {
	return answer[driver.RenderRequest, driver.RenderResponse](r, req)
}

func (r *recorder) MapOutputs(_ context.Context, req driver.MapOutputsRequest) (driver.MapOutputsResponse, error) {
	return answer[driver.MapOutputsRequest, driver.MapOutputsResponse](r, req)
}

func (r *recorder) PreDelete(_ context.Context, req driver.PreDeleteRequest) (driver.PreDeleteResponse, error) {
	return answer[driver.PreDeleteRequest, driver.PreDeleteResponse](r, req)
}

func (r *recorder) SelectNodes(_ context.Context, req driver.SelectNodesRequest) (driver.SelectNodesResponse, error) {
	return answer[driver.SelectNodesRequest, driver.SelectNodesResponse](r, req)
}

func (r *recorder) CheckHealth(_ context.Context, req driver.CheckHealthRequest) (driver.CheckHealthResponse, error) {
	return answer[driver.CheckHealthRequest, driver.CheckHealthResponse](r, req)
}

func (r *recorder) Begin(_ context.Context, req driver.BeginRequest) (driver.BeginResponse, error) {
	return answer[driver.BeginRequest, driver.BeginResponse](r, req)
}

func (r *recorder) Watch(_ context.Context, req driver.WatchRequest, send func(driver.Event) error) error {
	event, err := answer[driver.WatchRequest, driver.Event](r, req)
	if err != nil {
		return err
	}
	if err := send(event); err != nil {
		return err
	}
	return send(driver.Event{Seq: 2, NodeGroups: []driver.NodeGroupPatch{{Name: "n", NodeAddresses: []string{}}, {}}})
}

func (r *recorder) Cancel(_ context.Context, req driver.CancelRequest) (driver.CancelResponse, error) {
	return answer[driver.CancelRequest, driver.CancelResponse](r, req)
}

func (r *recorder) Resume(_ context.Context, req driver.ResumeRequest) (driver.ResumeResponse, error) {
	return answer[driver.ResumeRequest, driver.ResumeResponse](r, req)
}

// dial serves a plugin on a unix socket with TLS, as in production but for the
// process, and connects to it.
func dial(t *testing.T, p serve.Plugin) *serve.Connection {
	t.Helper()
	return dialLogged(t, p, nil)
}

func dialLogged(t *testing.T, p serve.Plugin, logger hclog.Logger) *serve.Connection {
	t.Helper()
	host, process, err := serve.NewKeys(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	serverTLS, err := process.ServerConfig()
	if err != nil {
		t.Fatal(err)
	}
	clientTLS, err := host.ClientConfig()
	if err != nil {
		t.Fatal(err)
	}
	server, err := serve.NewServer(p, logger, grpc.Creds(credentials.NewTLS(serverTLS)))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	conn, err := grpc.NewClient("unix:"+listener.Addr().String(),
		append(serve.DialOptions(), grpc.WithTransportCredentials(credentials.NewTLS(clientTLS)))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		server.Stop()
		<-done
	})
	c, err := serve.Dial(t.Context(), conn, driver.HandshakeRequest{CoreVersion: "2.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func whole(r *recorder) serve.Plugin {
	return serve.Plugin{
		Name: "recorder", Version: "1.2.3", Commit: "abc",
		Driver: r, Templates: r, Scaling: r, Monitoring: r, Lifecycle: r,
	}
}

// call makes a call with a filled request and compares both directions.
func call[Req, Resp any](t *testing.T, r *recorder, method func(context.Context, Req) (Resp, error)) {
	t.Helper()
	t.Run(fmt.Sprintf("%T", *new(Req)), func(t *testing.T) {
		req := filled[Req]()
		resp, err := method(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(any(req), r.got); diff != "" {
			t.Errorf("the request changed on its way (-sent +received):\n%s", diff)
		}
		if diff := cmp.Diff(filled[Resp](), resp); diff != "" {
			t.Errorf("the response changed on its way (-sent +received):\n%s", diff)
		}
	})
}

func TestRoundTrip(t *testing.T) {
	r := &recorder{}
	c := dial(t, whole(r))
	call(t, r, c.Control.Configure)
	call(t, r, c.Control.Probe)
	call(t, r, c.Set.Templates.Validate)
	call(t, r, c.Set.Templates.Render)
	call(t, r, c.Set.Templates.MapOutputs)
	call(t, r, c.Set.Templates.PreDelete)
	call(t, r, c.Set.Scaling.SelectNodes)
	call(t, r, c.Set.Monitoring.CheckHealth)
	call(t, r, c.Set.Lifecycle.Begin)
	call(t, r, c.Set.Lifecycle.Cancel)
	call(t, r, c.Set.Lifecycle.Resume)
}

func TestRoundTripPlainParameter(t *testing.T) {
	r := &plainParameter{}
	c := dial(t, serve.Plugin{Name: "recorder", Version: "1.2.3", Driver: r, Templates: r})
	out, err := c.Set.Templates.Render(t.Context(), driver.RenderRequest{})
	want := map[string]driver.Parameter{"a": driver.Value("b"), "empty": driver.Value("")}
	if diff := cmp.Diff(want, out.Parameters); diff != "" || err != nil {
		t.Errorf("%v, (-sent +received):\n%s", err, diff)
	}
}

type plainParameter struct{ recorder }

func (*plainParameter) Render(context.Context, driver.RenderRequest) (driver.RenderResponse, error) {
	return driver.RenderResponse{Parameters: map[string]driver.Parameter{"a": driver.Value("b"), "empty": driver.Value("")}}, nil
}

func TestDescribeRoundTrip(t *testing.T) {
	r := &recorder{}
	c := dial(t, whole(r))
	out, err := c.Set.Driver.Describe(t.Context(), driver.DescribeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	want := filled[driver.DescribeResponse]().Description
	want.Name, want.Version, want.Services = "recorder", "1.2.3", c.Handshake.Services
	if diff := cmp.Diff(want, out.Description); diff != "" {
		t.Errorf("(-sent +received):\n%s", diff)
	}
}

func TestWatchRoundTrip(t *testing.T) {
	r := &recorder{}
	c := dial(t, whole(r))
	req := filled[driver.WatchRequest]()
	var got []driver.Event
	err := c.Set.Lifecycle.Watch(t.Context(), req, func(e driver.Event) error {
		got = append(got, e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(any(req), r.got); diff != "" {
		t.Errorf("request (-sent +received):\n%s", diff)
	}
	want := []driver.Event{
		filled[driver.Event](),
		// An empty list clears, an absent one leaves alone.
		{Seq: 2, NodeGroups: []driver.NodeGroupPatch{{Name: "n", NodeAddresses: []string{}}, {}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-sent +received):\n%s", diff)
	}
}

func TestHandshake(t *testing.T) {
	r := &recorder{}
	c := dial(t, whole(r))
	want := driver.HandshakeResponse{
		Name: "recorder", Version: "1.2.3", Commit: "abc", SDKVersion: c.Handshake.SDKVersion,
		Services: []string{
			driver.ServiceDriver, driver.ServiceTemplates, driver.ServiceScaling,
			driver.ServiceMonitoring, driver.ServiceLifecycle,
		},
		ProtocolMinor: driver.ProtocolMinor,
	}
	if diff := cmp.Diff(want, c.Handshake); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if c.Handshake.SDKVersion == "" {
		t.Error("no SDK version")
	}

	c = dial(t, serve.Plugin{Name: "recorder", Version: "1.2.3", Driver: r, Templates: r})
	if c.Set.Templates == nil || c.Set.Scaling != nil || c.Set.Monitoring != nil || c.Set.Lifecycle != nil {
		t.Errorf("services that the driver does not have are in the set: %+v", c.Set)
	}
}
