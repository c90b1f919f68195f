package launch

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/serve"
)

// negotiate lets go-plugin start the process through our runner and read its
// handshake line, and returns the socket's address.
func negotiate(ctx context.Context, p *Process, b *binary, keys serve.Keys) (net.Addr, error) {
	// go-plugin's Start knows no context: it returns when the process ends.
	release := func() bool { return true }
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: serve.HandshakeConfig(),
		VersionedPlugins: map[int]plugin.PluginSet{
			driver.ProtocolMajor: {serve.PluginName: &plugin.NetRPCUnsupportedPlugin{}},
		},
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		SkipHostEnv:      true,
		StartTimeout:     p.cfg.StartTimeout,
		Logger:           hclog.NewNullLogger(), // we log what matters ourselves
		UnixSocketConfig: &plugin.UnixSocketConfig{TempDir: p.socketDir},
		RunnerFunc: func(_ hclog.Logger, cmd *exec.Cmd, unused string) (runner.Runner, error) {
			// The socket goes into our own directory, to keep its path short.
			_ = os.Remove(unused)
			r, err := spawnRunner(p, b, keys, cmd.Env)
			if err != nil {
				return nil, err
			}
			release = context.AfterFunc(ctx, func() { p.child.signal(syscall.SIGKILL) })
			return r, nil
		},
	})
	addr, err := client.Start()
	release()
	return addr, err
}

// processRunner is a process as go-plugin's handshake wants to see it. It has
// been started when it is made, and is ended by Process.
type processRunner struct {
	process   *Process
	handshake *io.PipeReader
}

// spawnRunner executes the binary and reads its output for as long as it
// lives.
func spawnRunner(p *Process, b *binary, keys serve.Keys, pluginEnv []string) (*processRunner, error) {
	ends, err := openPipes(true)
	if err != nil {
		return nil, err
	}
	defer ends.closeChild()
	if err := ends.sendKeys(keys); err != nil {
		ends.closeHost()
		return nil, err
	}
	env := append(p.cfg.environment(),
		handshakeEnvironment(pluginEnv, p.socketDir, serve.HandshakeConfig().MagicCookieKey)...)
	env = append(env, serve.EnvKeys+"=3", "TMPDIR="+p.socketDir)
	p.child, err = spawn(b, p.confined, p.cfg.Name, nil, env, ends.childStdin, ends.childStdout, ends.childStderr, ends.childKeys)
	if err != nil {
		ends.closeHost()
		return nil, err
	}

	p.stdin = ends.stdin

	handshake, found := io.Pipe()
	var readers sync.WaitGroup
	readers.Go(func() {
		readStdout(ends.stdout, p.logger, func(line string) {
			_, _ = io.WriteString(found, line+"\n")
			_ = found.Close()
		})
	})
	readers.Go(func() { readStderr(ends.stderr, p.logger, &p.last) })
	go func() {
		<-p.child.reaped
		read := make(chan struct{})
		go func() { readers.Wait(); close(read) }()
		ends.finish(read, p.cfg.PipeTimeout)
		_ = found.Close()
		_ = os.RemoveAll(p.socketDir)
		close(p.done)
	}()
	return &processRunner{process: p, handshake: handshake}, nil
}

// Start has nothing left to do.
func (r *processRunner) Start(context.Context) error { return nil }

// Stdout yields the handshake line, and ends.
func (r *processRunner) Stdout() io.ReadCloser { return r.handshake }

// Stderr is empty for go-plugin: it is read here, without a limit on lines.
func (r *processRunner) Stderr() io.ReadCloser { return io.NopCloser(strings.NewReader("")) }

// Wait returns when nothing is left of the process.
func (r *processRunner) Wait(context.Context) error {
	<-r.process.done
	return nil
}

// Kill ends the process group; go-plugin calls it when the handshake fails.
func (r *processRunner) Kill(context.Context) error {
	r.process.child.signal(syscall.SIGKILL)
	return nil
}

// ID is the process id.
func (r *processRunner) ID() string { return strconv.Itoa(r.process.PID()) }

// Name is the driver's.
func (r *processRunner) Name() string { return r.process.cfg.Name }

// Diagnose is left to Process, which has the last words.
func (r *processRunner) Diagnose(context.Context) string { return "" }

// PluginToHost accepts a socket in the directory made for it, and no other.
func (r *processRunner) PluginToHost(network, address string) (string, string, error) {
	if network != "unix" || filepath.Dir(address) != r.process.socketDir {
		return "", "", fmt.Errorf("the driver listens on %s %s, not in the directory it was given", network, address)
	}
	return network, address, nil
}

// HostToPlugin changes nothing: both see the same files.
func (r *processRunner) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}
