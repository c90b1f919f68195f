package launch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/serve"
)

// Process is a running driver. Whoever started it must Stop or Kill it, also
// after it has ended by itself.
type Process struct {
	cfg       Config
	socketDir string
	logger    hclog.Logger
	last      tail
	confined  *confinement

	child    *child
	identity Identity
	stdin    *os.File // the host's end
	conn     *grpc.ClientConn
	done     chan struct{}
	// stopping is held by the one that walks the ladder.
	stopping sync.Mutex
}

// Start executes the driver and waits for its handshake line. The context
// bounds the start, not the process.
func Start(ctx context.Context, cfg Config) (*Process, error) {
	cfg = cfg.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, cfg.StartTimeout)
	defer cancel()

	b, err := openBinary(cfg.Binary, cfg.SHA256)
	if err != nil {
		return nil, err
	}
	defer b.close()
	hostKeys, driverKeys, err := serve.NewKeys(cfg.Now())
	if err != nil {
		return nil, fmt.Errorf("prepare the driver's connection: %w", err)
	}
	tlsConfig, err := hostKeys.ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("prepare the driver's connection: %w", err)
	}
	dir, err := cfg.socketDir()
	if err != nil {
		return nil, err
	}
	p := &Process{cfg: cfg, socketDir: dir, logger: cfg.Logger.Named(cfg.Name), done: make(chan struct{})}
	if p.confined, err = cfg.confine(b, dir); err != nil {
		return nil, p.failed(ctx, err)
	}
	defer p.confined.close()
	addr, err := negotiate(ctx, p, b, driverKeys)
	if err == nil {
		p.conn, err = grpc.NewClient("passthrough:///"+cfg.Name, append(serve.DialOptions(),
			grpc.WithTransportCredentials(credentials.NewTLS(tlsConfig)),
			grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, addr.Network(), addr.String())
			}))...)
	}
	if err != nil {
		return nil, p.failed(ctx, err)
	}
	// The process cannot be gone so far that its number is somebody else's: it
	// is reaped by this one.
	if p.identity, err = Identify(p.PID()); err != nil {
		return nil, p.failed(ctx, err)
	}
	p.identity.SHA256 = cfg.SHA256
	if b.interpreter != "" {
		p.identity.SHA256 = executable(p.PID()) // what the system executes
	}
	// A Go program raises its limit of files as it comes up, and root's may have
	// done so just after it was set.
	if cfg.User == nil {
		if err = p.confined.limit(p.PID()); err != nil {
			return nil, p.failed(ctx, err)
		}
	}
	p.logger.Debug("driver started", "pid", p.PID(), "binary", cfg.Binary, "confinement", p.Confinement())
	return p, nil
}

// failed ends a process that did not get as far as being one, and says why.
func (p *Process) failed(ctx context.Context, cause error) error {
	if p.child == nil {
		_ = os.RemoveAll(p.socketDir)
		return fmt.Errorf("start driver %s: %w", p.cfg.Name, cause)
	}
	// go-plugin may have noticed the end of stdout before the end of the
	// process, which says more.
	early := false
	if ctx.Err() == nil {
		p.wait(ctx, p.cfg.PipeTimeout)
		early = p.ended()
	}
	if err := p.Kill(); err != nil {
		return fmt.Errorf("start driver %s: %w", p.cfg.Name, errors.Join(cause, err))
	}
	switch {
	case early:
		return fmt.Errorf("start driver %s: it ended before it was ready: %s; its last words: %q",
			p.cfg.Name, p.child.status(), p.last.String())
	case ctx.Err() != nil:
		return fmt.Errorf("start driver %s: it was not ready in time: %w; its last words: %q",
			p.cfg.Name, ctx.Err(), p.last.String())
	default:
		return fmt.Errorf("start driver %s: %w; its last words: %q", p.cfg.Name, cause, p.last.String())
	}
}

// Conn is the connection to the driver.
func (p *Process) Conn() *grpc.ClientConn { return p.conn }

// PID is the process id, and the process group's.
func (p *Process) PID() int { return p.child.pid() }

// Identity tells the process from any other that has had or will have its
// number; SocketDir is what it leaves behind if it does not end by itself.
func (p *Process) Identity() Identity { return p.identity }

// Confinement says what was applied to the process, such as
// "landlock 7, no_new_privs, rlimits".
func (p *Process) Confinement() string { return p.confined.String() }

// SocketDir is the directory made for its socket.
func (p *Process) SocketDir() string { return p.socketDir }

// Done is closed when the process is gone and all its output has been read.
func (p *Process) Done() <-chan struct{} { return p.done }

// Exit says how the process ended, and with which last words on stderr. It may
// be called after Done.
func (p *Process) Exit() (status, words string) { return p.child.status(), p.last.String() }

// Trace is what the process wrote of a panic or a goroutine dump, up to 256 KiB;
// empty where it wrote none. It may be called after Done.
func (p *Process) Trace() string { return p.last.Trace() }

// Code is the exit status, or the name of the signal that ended the process. It
// may be called after Done.
func (p *Process) Code() (status int, signal string) { return p.child.code() }

// Dump asks a process that is of no more use for its goroutines, and waits for
// its end. A stopped process has nothing to say, and is left as it is when the
// time is up.
func (p *Process) Dump(patience time.Duration) {
	p.child.signalLeader(syscall.SIGQUIT)
	p.wait(context.Background(), patience)
}

// Stop ends the process step by step, each bounded, and also by ctx: no new
// calls and time for those in flight; SIGTERM to the group; SIGKILL to the
// group. It returns when nothing is left of the process.
//
// go-plugin's own Kill has no part in it: with a runner that has closed
// everything there is nothing left to do, and it would dial the dead process.
func (p *Process) Stop(ctx context.Context) error {
	p.stopping.Lock()
	defer p.stopping.Unlock()
	if p.conn != nil && !p.ended() {
		drain, cancel := context.WithTimeout(ctx, p.cfg.DrainTimeout)
		if _, err := serve.NewControl(p.conn).Drain(drain, driver.DrainRequest{Timeout: p.cfg.DrainTimeout}); err != nil {
			p.logger.Debug("driver did not drain", "error", err)
		}
		cancel()
		p.child.signal(syscall.SIGTERM)
		p.wait(ctx, p.cfg.TermTimeout)
	}
	return p.kill()
}

// Kill ends a process that is of no more use at once.
func (p *Process) Kill() error {
	p.stopping.Lock()
	defer p.stopping.Unlock()
	return p.kill()
}

func (p *Process) kill() error {
	p.child.signal(syscall.SIGKILL)
	p.wait(context.Background(), p.cfg.KillTimeout+p.cfg.PipeTimeout)
	if p.conn != nil {
		_ = p.conn.Close()
	}
	if !p.ended() {
		return fmt.Errorf("driver %s, process %d, does not end after SIGKILL: it waits inside the system, "+
			"often for a file server", p.cfg.Name, p.PID())
	}
	return nil
}

func (p *Process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

func (p *Process) wait(ctx context.Context, patience time.Duration) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
	case <-ctx.Done():
	}
}
