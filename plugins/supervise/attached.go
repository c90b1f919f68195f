package supervise

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/status"

	"github.com/go-magnum/magnum/plugins/attach"
	"github.com/go-magnum/magnum/plugins/store"
	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/serve"
)

// attachedRetry is when a call is to come again that found no process.
const attachedRetry = time.Second

// attached is a driver whose process somebody else starts and ends. It may stand
// at a breakpoint for as long as its author thinks: it is neither probed nor
// ended, and no call of it has a deadline but its caller's.
type attached struct {
	cfg     Config
	folder  *attach.Folder
	logger  hclog.Logger
	changed func()
	tried   chan struct{} // closed after the first attempt

	ctx    context.Context //nolint:containedctx // it is attached for that long
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu    sync.Mutex
	link  *link // nil while there is no process
	pkg   store.Package
	state State
	since time.Time
	links int
	cause error // why there is no link
}

// link is the connection to one process.
type link struct {
	*attach.Connection
	calls sync.WaitGroup
}

// attachAt looks for the process in the background from now on.
func attachAt(cfg Config, folder *attach.Folder, changed func()) *attached {
	ctx, cancel := context.WithCancel(context.Background())
	a := &attached{
		cfg: cfg, folder: folder, logger: cfg.Logger.With("attached", folder.String()), changed: changed,
		tried: make(chan struct{}), ctx: ctx, cancel: cancel, state: StateDetached, since: cfg.Now(),
	}
	a.work.Go(a.run)
	return a
}

func (a *attached) run() {
	tick := time.NewTicker(a.cfg.AttachInterval)
	defer tick.Stop()
	first := sync.OnceFunc(func() { close(a.tried) })
	for {
		l, pkg, err := a.attach()
		if err == nil {
			a.use(l, pkg)
			first()
			a.hold(l)
		} else {
			a.without(err)
			first()
		}
		select {
		case <-tick.C:
		case <-a.ctx.Done():
			return
		}
	}
}

// unusable is why a process that serves is not attached.
type unusable struct{ error }

func (u unusable) Unwrap() error { return u.error }

// attach connects to the process that is there now, and asks what it is.
func (a *attached) attach() (*link, store.Package, error) {
	conn, err := a.folder.Dial(a.ctx)
	if err != nil {
		return nil, store.Package{}, err
	}
	pkg, err := a.meet(conn)
	if err != nil {
		return nil, pkg, unusable{fmt.Errorf("process %d cannot be attached: %w", conn.PID, errors.Join(err, conn.Close()))}
	}
	return &link{Connection: conn}, pkg, nil
}

// meet does what is done with a process of ours that comes up.
func (a *attached) meet(conn *attach.Connection) (store.Package, error) {
	control := serve.NewControl(conn)
	hello, err := control.Handshake(a.ctx, driver.HandshakeRequest{CoreVersion: a.cfg.CoreVersion, ProtocolMinor: driver.ProtocolMinor})
	if err != nil {
		return store.Package{}, fmt.Errorf("shake hands (it must have been started with what magnum-driver-manage run prints): %w", err)
	}
	out, err := serve.NewSet(conn, hello).Driver.Describe(a.ctx, driver.DescribeRequest{})
	if err != nil {
		return store.Package{}, fmt.Errorf("describe: %w", err)
	}
	pkg, err := a.cfg.Store.Attached(out.Description)
	if err == nil {
		err = matches(hello, pkg.Manifest)
	}
	if err != nil {
		return store.Package{}, err
	}
	config, err := a.cfg.Configuration(pkg.Name)
	if err != nil || len(config) == 0 {
		return pkg, err
	}
	if err := pkg.CheckConfig(config); err != nil {
		return pkg, err
	}
	if _, err := control.Configure(a.ctx, driver.ConfigureRequest{Config: config}); err != nil {
		return pkg, fmt.Errorf("configure: %w", err)
	}
	return pkg, nil
}

// use has a process take the calls.
func (a *attached) use(l *link, pkg store.Package) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.link, a.pkg = l, pkg
	a.links++
	a.logger.Warn("DRIVER IS ATTACHED: nobody has verified its process, it is not confined, and it is left alone when it hangs; for development only",
		"driver", pkg.Name, "version", pkg.Version, "pid", l.PID)
	a.enter(StateAttached, nil)
}

// without takes note of why there is no process to use, and tells of it once.
func (a *attached) without(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	state := StateDetached
	if errors.As(err, new(unusable)) {
		state = StateRejected
	}
	err = errors.New(redact(err.Error()))
	if a.ctx.Err() != nil || a.state == state && a.cause != nil && (state == StateDetached || a.cause.Error() == err.Error()) {
		return
	}
	a.logger.Warn("no driver is attached: its calls are put off until one is", "driver", a.pkg.Name, "error", err)
	a.enter(state, err)
}

// enter changes the state; a.mu is held.
func (a *attached) enter(s State, cause error) {
	a.state, a.cause, a.since = s, cause, a.cfg.Now()
	a.changed()
}

// hold keeps the link until its process is gone, or nobody needs it any more.
func (a *attached) hold(l *link) {
	for s := l.GetState(); s == connectivity.Ready; s = l.GetState() {
		if !l.WaitForStateChange(a.ctx, s) {
			break
		}
	}
	a.mu.Lock()
	a.link = nil
	a.mu.Unlock()
	a.without(fmt.Errorf("process %d is gone", l.PID))
	// One that was told to end answers the calls that it has.
	a.work.Go(func() {
		defer context.AfterFunc(a.ctx, func() { _ = l.Close() })()
		l.calls.Wait()
		_ = l.Close()
	})
}

// is reports whether it is the driver of that name, now or when it was last
// there.
func (a *attached) is(name string) bool { return a.described().Name == name }

func (a *attached) described() store.Package {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.pkg
}

// set is the driver as callers see it; it works across processes.
func (a *attached) set() (driver.Set, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.link == nil {
		return driver.Set{}, absent(a.pkg)
	}
	return serve.NewSet(attachedConn{a}, driver.HandshakeResponse{
		Name: a.pkg.Name, Version: a.pkg.Version, Services: a.pkg.Manifest.Services,
	}), nil
}

// acquire returns the link for one more call, whose end it is to be told.
func (a *attached) acquire() (*link, store.Package, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.link == nil {
		return nil, a.pkg, absent(a.pkg)
	}
	a.link.calls.Add(1)
	return a.link, a.pkg, nil
}

func absent(pkg store.Package) error {
	e := driver.Errorf(driver.ClassUnavailable, "driver %s is attached, and has no process that can be used", pkg)
	e.Blame, e.RetryAfter = driver.BlameOperator, attachedRetry
	return e
}

func (a *attached) status() Status {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := Status{
		Name: a.pkg.Name, Version: a.pkg.Version, State: a.state, Since: a.since, Restarts: max(a.links-1, 0),
		Confinement: "none: attached at " + a.folder.String(),
	}
	if a.link != nil {
		s.PID = a.link.PID
	}
	if a.cause != nil {
		s.LastError = a.cause.Error()
	}
	return s
}

// close lets go of the process, and leaves it to itself.
func (a *attached) close() {
	a.cancel()
	a.work.Wait()
}

// attachedConn is a connection to whatever process is attached.
type attachedConn struct{ attached *attached }

var _ grpc.ClientConnInterface = attachedConn{}

// Invoke makes one call. One that is cut off is not repeated here: the next
// process is there when its author has started it.
func (c attachedConn) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	l, pkg, err := c.attached.acquire()
	if err != nil {
		return err
	}
	defer l.calls.Done()
	if err := l.Invoke(ctx, method, args, reply, opts...); err != nil {
		return told(ctx, pkg, err)
	}
	return nil
}

// NewStream opens a stream.
func (c attachedConn) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	l, pkg, err := c.attached.acquire()
	if err != nil {
		return nil, err
	}
	s, err := l.NewStream(ctx, desc, method, opts...)
	if err != nil {
		l.calls.Done()
		return nil, told(ctx, pkg, err)
	}
	// gRPC ends the stream's context whenever the stream ends.
	context.AfterFunc(s.Context(), l.calls.Done)
	return &stream{ClientStream: s, judge: func(err error) error { return told(ctx, pkg, err) }, ended: func(error) {}}, nil
}

// told is what a caller is told of an error.
func told(ctx context.Context, pkg store.Package, err error) error {
	if said, ok := serve.FromError(err); ok {
		return said
	}
	switch code := status.Code(err); {
	case ctx.Err() != nil || code == codes.DeadlineExceeded:
		return late(ctx, pkg, "its time was up")
	case code == codes.Unavailable || code == codes.Canceled:
		e := driver.Errorf(driver.ClassRestarted, "driver %s, which is attached, ended during the call", pkg)
		e.OperatorMessage, e.RetryAfter = err.Error(), attachedRetry
		return e
	}
	return err
}
