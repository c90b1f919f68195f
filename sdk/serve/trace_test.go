package serve_test

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/sdk/driver"
)

const (
	traceID = "0af7651916cd43dd8448eb211c80319c"
	parent  = "00-" + traceID + "-b7ad6b7169203331-00"
)

// A call tells of its trace, and what a driver logs in it says so.
func TestTrace(t *testing.T) {
	tests := map[string]struct {
		sent, got driver.Trace
		logged    map[string]any
	}{
		"of a request":       {driver.Trace{RequestID: "req-1", Parent: parent}, driver.Trace{RequestID: "req-1", Parent: parent}, map[string]any{"request_id": "req-1", "trace_id": traceID}},
		"nobody asked":       {driver.Trace{Parent: parent}, driver.Trace{Parent: parent}, map[string]any{"trace_id": traceID}},
		"none":               {driver.Trace{}, driver.Trace{}, map[string]any{}},
		"not a trace":        {driver.Trace{RequestID: "req-1", Parent: "00-xyz"}, driver.Trace{RequestID: "req-1"}, map[string]any{"request_id": "req-1"}},
		"no hex":             {driver.Trace{Parent: "00-" + traceID[1:] + "g-b7ad6b7169203331-00"}, driver.Trace{}, map[string]any{}},
		"of a later version": {driver.Trace{Parent: "01" + parent[2:] + "-more"}, driver.Trace{Parent: "01" + parent[2:] + "-more"}, map[string]any{"trace_id": traceID}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			var got []driver.Trace
			note := func(ctx context.Context) {
				got = append(got, driver.TraceOf(ctx))
				hclog.FromContext(ctx).Info("here")
			}
			o := &odd{
				render: func(ctx context.Context, _ driver.RenderRequest) (driver.RenderResponse, error) {
					note(ctx)
					return driver.RenderResponse{}, nil
				},
				watch: func(ctx context.Context, _ func(driver.Event) error) error { note(ctx); return nil },
			}
			c := dialLogged(t, o.plugin(), hclog.New(&hclog.LoggerOptions{Output: &log, JSONFormat: true}))
			ctx := driver.WithTrace(t.Context(), tt.sent)
			if _, err := c.Set.Templates.Render(ctx, driver.RenderRequest{}); err != nil {
				t.Fatal(err)
			}
			if err := c.Set.Lifecycle.Watch(ctx, driver.WatchRequest{}, func(driver.Event) error { return nil }); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff([]driver.Trace{tt.got, tt.got}, got); d != "" {
				t.Errorf("the driver's trace (-want +got):\n%s", d)
			}
			lines := json.NewDecoder(&log)
			for range 2 {
				line := map[string]any{}
				if err := lines.Decode(&line); err != nil {
					t.Fatal(err)
				}
				for _, field := range []string{"@level", "@message", "@timestamp"} {
					delete(line, field)
				}
				if d := cmp.Diff(tt.logged, line); d != "" {
					t.Errorf("the line's fields (-want +got):\n%s", d)
				}
			}
		})
	}
}
