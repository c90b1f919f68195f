package supervise

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/serve"
)

// exitGrace is how long after an odd error the end of the process may take to
// be noticed, so that the one can be put down to the other.
const exitGrace = 100 * time.Millisecond

// conn is a connection to whatever process there is. The generated clients
// call through it, which gives all methods the same treatment.
type conn struct{ instance *instance }

var _ grpc.ClientConnInterface = conn{}

// Invoke makes one call and counts it.
func (c conn) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	begin := time.Now()
	err := c.invoke(ctx, begin, method, args, reply, opts)
	c.instance.called(method, err)
	c.instance.took(method, time.Since(begin))
	return err
}

func (c conn) invoke(ctx context.Context, begin time.Time, method string, args, reply any, opts []grpc.CallOption) error {
	i := c.instance
	ctx, cancel := context.WithTimeout(ctx, i.cfg.CallTimeout)
	defer cancel()
	if err := i.calls.enter(ctx); err != nil {
		return err
	}
	defer i.calls.leave()
	for try := 1; ; try++ {
		p, leave, err := i.acquire(ctx, method)
		if err != nil {
			return err
		}
		err = p.Conn().Invoke(ctx, method, args, reply, opts...)
		if err == nil {
			leave()
			i.answered()
			return nil
		}
		err = i.judge(ctx, p, time.Since(begin) >= i.cfg.CallTimeout, err)
		leave() // not before: it is one of the calls that a crash record has
		if !restarted(err) || try == 2 {
			return err
		}
		i.metrics.repeats.WithLabelValues(i.pkg.Name, i.pkg.Version).Inc()
		i.logger.Debug("call was cut off, it is repeated", "method", method) // that the process ended has its line
	}
}

// NewStream opens a stream. It has no deadline but the caller's: an operation
// may have nothing to say for a long time. It takes no place among the calls
// either, and one that ends with its process is not opened again: the next
// process must be told of the operation first, which is the caller's to do.
func (c conn) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	i := c.instance
	p, leave, err := i.acquire(ctx, method)
	if err != nil {
		i.called(method, err)
		return nil, err
	}
	s, err := p.Conn().NewStream(ctx, desc, method, opts...)
	if err != nil {
		defer leave()
		err = i.judge(ctx, p, false, err)
		i.called(method, err)
		return nil, err
	}
	// gRPC ends the stream's context whenever the stream ends.
	context.AfterFunc(s.Context(), leave)
	return &stream{
		ClientStream: s,
		judge:        func(err error) error { return i.judge(ctx, p, false, err) }, // gRPC's own context is cancelled whenever a stream ends
		ended:        func(err error) { i.called(method, err) },
	}, nil
}

// stream judges the errors of a stream.
type stream struct {
	grpc.ClientStream
	judge func(error) error
	ended func(error) // called once, with the error or nil; gRPC has one receiver at a time
	over  bool
}

// RecvMsg receives an event, or the end.
func (s *stream) RecvMsg(m any) error {
	err := s.ClientStream.RecvMsg(m)
	if err == nil {
		return nil
	}
	var fault error
	if !errors.Is(err, io.EOF) {
		fault = s.judge(err)
		err = fault
	}
	if !s.over {
		s.over = true
		s.ended(fault)
	}
	return err
}

// SendMsg sends the request. Its io.EOF means that the stream broke, and that
// RecvMsg knows why.
func (s *stream) SendMsg(m any) error {
	err := s.ClientStream.SendMsg(m)
	if errors.Is(err, io.EOF) {
		err = status.Error(codes.Unavailable, "the stream broke")
	}
	if err == nil {
		return nil
	}
	return s.judge(err)
}

// judge finds out what the error of a call means for the process, sees to it,
// and returns what the caller is told (whole says that it had all of
// CallTimeout): the driver's own error, or one of
// ClassRestarted where the process was lost, or ClassTimeout.
func (i *instance) judge(ctx context.Context, p *process, whole bool, err error) error {
	if said, ok := serve.FromError(err); ok {
		i.answeredWith(said)
		return said
	}
	code := status.Code(err)
	if code == codes.Unavailable && ctx.Err() == nil {
		p.cutOff()
	}
	switch {
	case ctx.Err() != nil || code == codes.DeadlineExceeded:
		if !errors.Is(ctx.Err(), context.Canceled) {
			// Slow, or dead: a probe will tell.
			i.check(p, whole)
		}
		err := late(ctx, i.pkg, "its time was up")
		i.answeredWith(err)
		return err
	case i.endedSoon(ctx, p), code == codes.Unavailable, code == codes.Canceled:
		i.lost(p)
		e := driver.Errorf(driver.ClassRestarted, "driver %s ended during the call", i.pkg)
		e.OperatorMessage = err.Error()
		return e
	default:
		return err
	}
}

// lost sees to a process whose connection broke: it crashed, or it is going
// away and has calls to finish.
func (i *instance) lost(p *process) {
	select {
	case <-p.Done():
		i.settle(p)
	default:
		i.discard(p)
	}
}

// endedSoon reports whether the process is gone, or is about to be.
func (i *instance) endedSoon(ctx context.Context, p *process) bool {
	timer := time.NewTimer(exitGrace)
	defer timer.Stop()
	select {
	case <-p.Done():
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

func restarted(err error) bool { return driver.ClassOf(err) == driver.ClassRestarted }
