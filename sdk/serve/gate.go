package serve

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/go-magnum/magnum/sdk/driver"
)

// gate stands before every call of an author's method: it counts the calls in
// flight, refuses new ones once the driver drains, turns panics into errors,
// and errors into statuses.
type gate struct {
	name   string
	logger hclog.Logger

	mu       sync.Mutex
	running  int
	draining bool
	rest     *time.Timer   // may be nil; runs out when the gate has seen no call for restAfter
	idle     chan struct{} // made by drain, closed when running reaches 0
	streams  map[*context.CancelFunc]struct{}
}

// restAfter is how long a driver without calls waits before it gives back the
// memory of the last ones: longer than the pause between the calls of one
// cluster's creation.
const restAfter = time.Second

// enter admits a call, or not.
func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.draining {
		return false
	}
	g.running++
	if g.rest != nil {
		g.rest.Stop()
	}
	return true
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running--
	if g.running == 0 && g.rest != nil {
		g.rest.Reset(restAfter)
	}
	if g.running == 0 && g.idle != nil {
		close(g.idle)
		g.idle = nil
	}
}

// drain admits nothing new and waits, no longer than ctx, for what is running.
// It returns how many calls were left.
func (g *gate) drain(ctx context.Context) int {
	g.mu.Lock()
	g.draining = true
	for cancel := range g.streams {
		(*cancel)()
	}
	if g.running == 0 {
		g.mu.Unlock()
		return 0
	}
	if g.idle == nil {
		g.idle = make(chan struct{})
	}
	idle := g.idle
	g.mu.Unlock()

	select {
	case <-idle:
		return 0
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.running
}

// counted reports whether a call is work. The calls of the Driver service, and
// those of go-plugin's own, are how the host manages the process: they must
// pass a draining gate.
func counted(method string) bool {
	return strings.HasPrefix(method, "/magnum.driver.v1.") &&
		!strings.HasPrefix(method, "/"+driver.ServiceDriver+"/")
}

func (g *gate) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (resp any, err error) {
	ctx = g.incoming(ctx)
	err = g.guard(ctx, info.FullMethod, func() error {
		var err error
		resp, err = handler(ctx, req)
		return err
	})
	return resp, err
}

func (g *gate) stream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	if !strings.HasPrefix(info.FullMethod, "/magnum.driver.") {
		// go-plugin's own streams last as long as the connection.
		return handler(srv, ss)
	}
	whole := g.incoming(ss.Context())
	ctx, cancel := context.WithCancel(whole)
	defer cancel()
	defer g.watch(&cancel)()
	err := g.guard(whole, info.FullMethod, func() error { return handler(srv, &stream{ServerStream: ss, ctx: ctx}) })
	if err != nil && ctx.Err() != nil && ss.Context().Err() == nil {
		return g.refusal()
	}
	return err
}

// stream is one that a drain ends, as it may last for hours and is taken up
// again elsewhere.
type stream struct {
	grpc.ServerStream
	ctx context.Context //nolint:containedctx // the interface asks for it
}

// Context is done when the caller is, or the driver drains.
func (s *stream) Context() context.Context { return s.ctx }

// watch has a stream cancelled by drain until the returned function is called.
func (g *gate) watch(cancel *context.CancelFunc) (forget func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.streams == nil {
		g.streams = map[*context.CancelFunc]struct{}{}
	}
	g.streams[cancel] = struct{}{}
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.streams, cancel)
	}
}

// refusal is without the details of a driver's error on purpose: to the host
// this is a process that is going away, so the call goes to the next one.
func (g *gate) refusal() error {
	return status.Errorf(codes.Unavailable, "driver %s is draining", g.name)
}

// guard runs one call.
func (g *gate) guard(ctx context.Context, method string, call func() error) (err error) {
	if counted(method) {
		if !g.enter() {
			return g.refusal()
		}
		defer g.leave()
	}
	defer func() {
		if cause := recover(); cause != nil {
			hclog.FromContext(ctx).Error("panic in a call", "method", method, "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
			e := driver.Errorf(driver.ClassBug, "driver %s failed", g.name)
			e.OperatorMessage = fmt.Sprintf("panic in %s: %v", method, cause)
			err = errorStatus(e).Err()
		}
	}()
	begun := time.Now()
	err = call()
	if logger := hclog.FromContext(ctx); counted(method) && logger.IsDebug() {
		logger.Debug("call", "method", method, "took", time.Since(begun).String(), "failed", err != nil)
	}
	if err != nil {
		if unimplemented(err) {
			return err
		}
		return toStatus(ctx, g.name, err)
	}
	return nil
}

// unimplemented tells the answer of the generated code for a call that this
// SDK does not know from an author's error.
func unimplemented(err error) bool {
	st, ok := err.(interface{ GRPCStatus() *status.Status })
	return ok && st.GRPCStatus().Code() == codes.Unimplemented
}
