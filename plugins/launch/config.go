package launch

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/sdk/serve"
)

// Config says what to start. Name, Binary and SHA256 are required.
type Config struct {
	// Name is the driver's, for logs and argv.
	Name string
	// Binary is the file to execute, SHA256 what its content must be, in hex.
	Binary string
	SHA256 string
	// RuntimeDir is where the directory for the socket is made; by default
	// that for temporary files. It must be short: the path of a socket has
	// at most 107 bytes.
	RuntimeDir string
	// Confine says how much it matters that the driver is confined: by default
	// it is as far as the kernel can. It may read Package, the folder of its
	// package, and do what Sandbox has; Limits bound its processes.
	Confine Confine
	Package string
	Sandbox Sandbox
	Limits  Limits
	// User is who the driver runs as, where that is not the host's user; only
	// root can say so.
	User *User
	// Env holds variables, NAME=VALUE, beyond those that every driver gets.
	Env []string
	// Logger gets what the driver logs, and gives the level it logs at.
	Logger hclog.Logger

	// StartTimeout is from the exec to the handshake line; 10 s by default.
	StartTimeout time.Duration
	// The steps of Stop: how long calls in flight may go on (5 s), how long
	// the process may take after SIGTERM (5 s), and how long the system may
	// take after SIGKILL (5 s).
	DrainTimeout, TermTimeout, KillTimeout time.Duration
	// PipeTimeout is how long output is read on after the process is gone,
	// where something else holds the pipe open; 200 ms by default.
	PipeTimeout time.Duration
	// Now is the clock; time.Now by default.
	Now func() time.Time
}

func (c Config) withDefaults() Config {
	if c.RuntimeDir == "" {
		c.RuntimeDir = os.TempDir()
	}
	if c.Logger == nil {
		c.Logger = hclog.NewNullLogger()
	}
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&c.StartTimeout, 10 * time.Second},
		{&c.DrainTimeout, 5 * time.Second},
		{&c.TermTimeout, 5 * time.Second},
		{&c.KillTimeout, 5 * time.Second},
		{&c.PipeTimeout, 200 * time.Millisecond},
	} {
		if *d.value == 0 {
			*d.value = d.standard
		}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// environment is what every child of this configuration sees.
func (c Config) environment() []string {
	return append(environment(c.Env), serve.EnvLogLevel+"="+c.Logger.GetLevel().String())
}

const (
	// socketPathLimit is Linux's for the path of a unix socket, in bytes.
	socketPathLimit = 107
	// socketName is as long as the names that go-plugin makes.
	socketName = "/plugin4294967295"
)

// socketPrefix begins the name of every directory for a socket.
const socketPrefix = "driver-"

// IsSocketDir reports whether a path is that of a directory which a start made
// for its socket, so that it may be removed. Root may have given it to the
// driver's user.
func IsSocketDir(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() || info.Mode().Perm() != 0o700 || !strings.HasPrefix(filepath.Base(path), socketPrefix) {
		return false
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	return ok && (int(owner.Uid) == os.Getuid() || os.Getuid() == 0)
}

// socketDir makes a directory that only the driver's user can look into, and
// root. It is for temporary files too.
func (c Config) socketDir() (string, error) {
	dir, err := os.MkdirTemp(c.RuntimeDir, socketPrefix)
	if err != nil {
		return "", fmt.Errorf("make a directory for the driver's socket: %w", err)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", fmt.Errorf("make a directory for the driver's socket: %w", err)
	}
	if len(dir)+len(socketName) > socketPathLimit {
		_ = os.Remove(dir)
		return "", fmt.Errorf("the runtime directory %s is too long for a socket's path: choose one of at most %d bytes",
			c.RuntimeDir, socketPathLimit-len(socketName)-len("/driver-4294967295"))
	}
	if c.User != nil {
		if err := os.Chown(dir, int(c.User.UID), int(c.User.GID)); err != nil {
			_ = os.Remove(dir)
			return "", fmt.Errorf("give the directory for the driver's socket to its user: %w", err)
		}
	}
	return dir, nil
}
