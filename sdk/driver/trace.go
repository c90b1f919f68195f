package driver

import (
	"context"
	"encoding/hex"
	"strings"
)

// Trace says what a call is part of, so that what a driver does for a request
// can be found under the same words as what the core did.
type Trace struct {
	// RequestID is that of the user's request, req-UUID, as the API answered
	// it; a driver that asks OpenStack's services sends it on to them as the
	// header X-Openstack-Request-Id. Empty for what nobody asked for.
	RequestID string
	// Parent is the caller's place in the trace, a W3C traceparent.
	Parent string
}

type traceKey struct{}

// WithTrace returns a context whose calls are part of a trace.
func WithTrace(ctx context.Context, t Trace) context.Context {
	return context.WithValue(ctx, traceKey{}, t)
}

// TraceOf is the trace that a call is part of; empty where there is none.
func TraceOf(ctx context.Context) Trace {
	t, _ := ctx.Value(traceKey{}).(Trace)
	return t
}

// ID is the trace's, 32 hexadecimal digits; empty where Parent is no
// traceparent.
func (t Trace) ID() string {
	// 00-TRACE-PARENT-FLAGS; later versions may have more fields.
	fields := strings.Split(t.Parent, "-")
	if len(fields) < 4 || len(fields[0]) != 2 || len(fields[1]) != 32 || len(fields[2]) != 16 || len(fields[3]) != 2 {
		return ""
	}
	for _, f := range fields[:4] {
		if _, err := hex.DecodeString(f); err != nil || strings.ToLower(f) != f {
			return ""
		}
	}
	return fields[1]
}
