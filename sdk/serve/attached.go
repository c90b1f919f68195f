package serve

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// The variables of a driver that somebody else starts, such as an author with
// a debugger, for a host to attach to: the path of the socket it listens at, and
// the file that it reads its [Keys] from, which only its owner may read.
const (
	EnvSocket   = "MAGNUM_DRIVER_SOCKET"
	EnvKeysFile = "MAGNUM_DRIVER_KEYS_FILE"
)

// socketMode is for the one user that starts the driver and attaches to it.
const socketMode = 0o600

// serveAttached serves until a signal stops it. Standard input and output are
// its starter's: a terminal, a debugger, or nothing at all.
func serveAttached(p Plugin) int {
	logger := newLogger(p, false)
	if err := listenAndServe(p, logger); err != nil {
		logger.Error("cannot serve", "error", err)
		return 1
	}
	return 0
}

func listenAndServe(p Plugin, logger hclog.Logger) error {
	path, file := os.Getenv(EnvSocket), os.Getenv(EnvKeysFile)
	if file == "" {
		return fmt.Errorf("%s is set, but %s is not: magnum-driver-manage run prints both", EnvSocket, EnvKeysFile)
	}
	keys, err := ReadKeys(file)
	if err != nil {
		return err
	}
	config, err := keys.ServerConfig()
	if err != nil {
		return err
	}
	proc := &process{plugin: p, logger: logger, gate: &gate{name: p.Name, logger: logger}}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	listener, err := listenAt(path)
	if err != nil {
		return err
	}
	proc.server = newServer(proc.gate, []grpc.ServerOption{grpc.Creds(credentials.NewTLS(config))})
	register(proc.server, p, proc.gate, func() {})
	go proc.watchSignals(signals)
	logger.Info("serving, to be attached to", "driver", p.Name, "version", p.Version, "pid", os.Getpid(), "socket", path)
	return proc.server.Serve(listener) // removes the socket at its end
}

// listenAt listens at a path. A socket that a killed process has left is
// removed; one that somebody listens at is theirs.
//
//nolint:gosec // the path is for who starts the driver to choose
func listenAt(path string) (net.Listener, error) {
	other, err := (&net.Dialer{}).DialContext(context.Background(), "unix", path)
	switch {
	case err == nil:
		_ = other.Close()
		return nil, fmt.Errorf("another process serves at %s: end it first, or take another folder with magnum-driver-manage run --dir", path)
	case errors.Is(err, syscall.ECONNREFUSED):
		// The system says the same of a file that is no socket.
		if info, err := os.Lstat(path); err != nil || info.Mode().Type() != fs.ModeSocket {
			return nil, fmt.Errorf("%s is there and is no socket: name another path", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("remove the socket that a former process left: %w", err)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("listen for who attaches: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen for who attaches: %w", err)
	}
	if err := os.Chmod(path, socketMode); err != nil {
		_ = listener.Close()
		return nil, fmt.Errorf("listen for who attaches: %w", err)
	}
	return listener, nil
}
