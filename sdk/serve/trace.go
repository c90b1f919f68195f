package serve

import (
	"context"

	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/go-magnum/magnum/sdk/driver"
)

// The trace travels as metadata of the call: W3C's traceparent, which any
// library for tracing reads, and OpenStack's header for requests.
const (
	metaParent  = "traceparent"
	metaRequest = "x-openstack-request-id"
)

// sendTrace and sendTraceOnStream are the caller's side.
func sendTrace(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, call grpc.UnaryInvoker, options ...grpc.CallOption) error {
	return call(outgoing(ctx), method, req, reply, conn, options...)
}

func sendTraceOnStream(ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, call grpc.Streamer, options ...grpc.CallOption) (grpc.ClientStream, error) {
	return call(outgoing(ctx), desc, conn, method, options...)
}

func outgoing(ctx context.Context) context.Context {
	t := driver.TraceOf(ctx)
	var pairs []string
	if t.Parent != "" {
		pairs = append(pairs, metaParent, t.Parent)
	}
	if t.RequestID != "" {
		pairs = append(pairs, metaRequest, t.RequestID)
	}
	if pairs == nil {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, pairs...)
}

// incoming is the driver's side: the call's context has the trace, and a logger
// for hclog.FromContext that names it in every line.
func (g *gate) incoming(ctx context.Context) context.Context {
	first := func(name string) string {
		if values := metadata.ValueFromIncomingContext(ctx, name); len(values) > 0 {
			return values[0]
		}
		return ""
	}
	t := driver.Trace{RequestID: first(metaRequest), Parent: first(metaParent)}
	var pairs []any
	if t.RequestID != "" {
		pairs = append(pairs, "request_id", t.RequestID)
	}
	if id := t.ID(); id != "" {
		pairs = append(pairs, "trace_id", id)
	} else {
		t.Parent = "" // nothing that others could read
	}
	if t != (driver.Trace{}) {
		ctx = driver.WithTrace(ctx, t)
	}
	return hclog.WithContext(ctx, g.logger, pairs...)
}
