package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc"

	"github.com/go-magnum/magnum/sdk/driver"
)

const (
	// termGrace is how long calls in flight may go on after SIGTERM, as when
	// the service manager stops everything at once.
	termGrace = 5 * time.Second
	// orphanGrace is how long they may go on when nobody is left to hear the
	// answer: enough to finish a write to somebody else's API.
	orphanGrace = 2 * time.Second
	// flushGrace is how long their answers may take to leave.
	flushGrace = 500 * time.Millisecond

	// gcPercent lets the heap grow by half before it is swept, and not to twice
	// its size: a driver is idle nearly always, and one of many.
	gcPercent = 50
)

// process is a driver that serves.
type process struct {
	plugin Plugin
	logger hclog.Logger
	gate   *gate
	stderr *os.File
	stdio  sync.Once

	server   *grpc.Server // set before anything can stop it
	orphaned atomic.Bool
}

// serve runs until the host, a signal or the end of stdin stops it.
func serve(p Plugin) int {
	if os.Getenv(EnvSocket) != "" {
		return serveAttached(p)
	}
	handshake := HandshakeConfig()
	if os.Getenv(handshake.MagicCookieKey) != handshake.MagicCookieValue {
		fmt.Fprintf(os.Stderr, "%s is a Magnum driver: it is started by magnum-conductor, not by hand. "+
			"Run %q for what it can do by hand, or install it with magnum-driver-manage, which also runs it for a debugger.\n",
			p.Name, filepath.Base(os.Args[0])+" --help")
		return 1
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	logger := newLogger(p, true)
	keys, err := inheritedKeys()
	if err != nil {
		logger.Error("cannot serve", "error", err)
		return 1
	}
	config, err := keys.ServerConfig()
	if err != nil {
		logger.Error("cannot serve", "error", err)
		return 1
	}
	proc := &process{
		plugin: p,
		logger: logger,
		gate:   &gate{name: p.Name, logger: logger, rest: time.AfterFunc(restAfter, debug.FreeOSMemory)},
		stderr: os.Stderr,
	}

	// With the host gone, standard error leads nowhere, and a line written to it
	// would end the process before it has cleaned up. A handler, not Ignore:
	// that one would be inherited by what the driver runs.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)

	// Before the handshake line: a host may send SIGTERM as soon as it has that.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)

	// go-plugin prints its handshake line to os.Stdout: that becomes a private
	// copy, and whatever else is written to file descriptor 1 lands on stderr.
	stdout, err := protectStdout()
	if err != nil {
		logger.Error("cannot serve", "error", err)
		return 1
	}
	os.Stdout = stdout

	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  handshake,
		VersionedPlugins: map[int]plugin.PluginSet{driver.ProtocolMajor: {PluginName: &served{process: proc}}},
		TLSProvider:      func() (*tls.Config, error) { return config, nil },
		GRPCServer: func(options []grpc.ServerOption) *grpc.Server {
			proc.server = newServer(proc.gate, options)
			go proc.watchSignals(signals)
			go proc.watchHost()
			return proc.server
		},
		Logger: logger.Named("go-plugin"),
	})
	if proc.server == nil {
		return 1 // go-plugin has logged why
	}
	if proc.orphaned.Load() {
		// Removing the directory is the host's work, but it is no more. The
		// socket in it went with the server. A driver that is confined may not
		// remove it, and leaves that to the next host.
		_ = os.Remove(os.Getenv(plugin.EnvUnixSocketDir)) //nolint:gosec // only an empty directory can go
	}
	return 0
}

// served is the glue that go-plugin wants.
type served struct {
	plugin.NetRPCUnsupportedPlugin
	process *process
}

// GRPCServer registers the driver's services.
func (s *served) GRPCServer(_ *plugin.GRPCBroker, server *grpc.Server) error {
	register(server, s.process.plugin, s.process.gate, s.process.handshaken)
	return nil
}

// GRPCClient is for hosts only.
func (s *served) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("a driver is not its own client")
}

// handshaken gives os.Stdout and os.Stderr back their file descriptors.
// go-plugin has put pipes in their place that nobody empties, as our host
// reads the real stderr: a driver that printed enough would hang.
func (p *process) handshaken() {
	p.stdio.Do(func() { os.Stdout, os.Stderr = p.stderr, p.stderr })
}

func (p *process) watchSignals(signals <-chan os.Signal) {
	received := <-signals
	p.logger.Info("stopping", "signal", received.String())
	p.stop(termGrace)
}

// watchHost reads stdin, whose other end the host holds for as long as it
// lives.
func (p *process) watchHost() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	p.orphaned.Store(true)
	p.stop(orphanGrace)
}

// stop finishes what is in flight, for grace at most, and ends the server and
// with it the process.
func (p *process) stop(grace time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if left := p.gate.drain(ctx); left > 0 {
		p.logger.Warn("calls cut off", "calls", left)
	}
	// The last answers may still be on their way out of this process: the
	// graceful stop waits for them, but also for whatever else is open.
	flush := time.AfterFunc(flushGrace, p.server.Stop)
	defer flush.Stop()
	p.server.GracefulStop()
}

// privateFD is the lowest number for descriptors kept aside, above those that
// a program inherits.
const privateFD = 10

// protectStdout moves standard output to a private file, and points file
// descriptor 1 at standard error.
func protectStdout() (*os.File, error) {
	fd, err := unix.FcntlInt(uintptr(unix.Stdout), unix.F_DUPFD_CLOEXEC, privateFD)
	if err != nil {
		return nil, fmt.Errorf("set standard output aside: %w", err)
	}
	if err := redirect(unix.Stderr, unix.Stdout); err != nil {
		return nil, fmt.Errorf("point standard output at standard error: %w", err)
	}
	return os.NewFile(uintptr(fd), "stdout"), nil
}
