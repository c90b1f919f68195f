package attach

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"

	"github.com/go-magnum/magnum/sdk/serve"
)

// patience is how long a process may take to let a connection in.
const patience = 24 * time.Hour

// errOver keeps gRPC from a second connection, which may be to another process.
var errOver = errors.New("the connection is over")

// Connection is to one process of a driver, and ends with it.
type Connection struct {
	*grpc.ClientConn
	// PID is the process that listens.
	PID int

	raw net.Conn
}

// Close ends the connection.
func (c *Connection) Close() error {
	err := c.ClientConn.Close()
	_ = c.raw.Close() // gRPC may not have come to take it
	return err
}

// Dial connects to the process that listens in the folder now. That it has the
// folder's keys shows at the first call.
func (f *Folder) Dial(ctx context.Context) (*Connection, error) {
	tls, err := f.keys.ClientConfig()
	if err != nil {
		return nil, err
	}
	raw, err := (&net.Dialer{}).DialContext(ctx, "unix", f.socket())
	if err != nil {
		return nil, fmt.Errorf("no driver serves in %s: %w", f, err)
	}
	pid, err := listener(raw)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("ask who serves in %s: %w", f, err), raw.Close())
	}
	var used atomic.Bool
	conn, err := grpc.NewClient("passthrough:///attached", append(serve.DialOptions(),
		grpc.WithTransportCredentials(credentials.NewTLS(tls)),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) {
			if used.Swap(true) {
				return nil, errOver
			}
			return raw, nil
		}),
		// The process may stand at a breakpoint.
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: patience}))...)
	if err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	conn.Connect()
	return &Connection{ClientConn: conn, PID: pid, raw: raw}, nil
}

// listener is the process at the other end.
func listener(conn net.Conn) (pid int, err error) {
	socket, ok := conn.(*net.UnixConn)
	if !ok {
		return 0, fmt.Errorf("it is a %T", conn)
	}
	control, err := socket.SyscallConn()
	if err != nil {
		return 0, err
	}
	var peer *unix.Ucred
	var failed error
	if err := control.Control(func(fd uintptr) { peer, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); err != nil {
		return 0, err
	}
	if failed != nil {
		return 0, failed
	}
	return int(peer.Pid), nil
}
