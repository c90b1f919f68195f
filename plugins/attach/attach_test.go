package attach_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/go-magnum/magnum/plugins/attach"
	"github.com/go-magnum/magnum/plugins/internal/launchtest"
	"github.com/go-magnum/magnum/plugins/launch"
	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/serve"
)

var testBinary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "attach")
	if err == nil {
		defer os.RemoveAll(dir)
		testBinary, err = launchtest.Build(dir, launchtest.Driver{})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func folder(t *testing.T) *attach.Folder {
	t.Helper()
	f, err := attach.Make(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func socket(f *attach.Folder) string { return filepath.Join(f.String(), "socket") }

// serving waits until a process listens in the folder.
func serving(t *testing.T, f *attach.Folder) *attach.Connection {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := f.Dial(t.Context())
		if err == nil {
			t.Cleanup(func() { _ = c.Close() })
			return c
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal(err)
		}
	}
}

func shake(ctx context.Context, c *attach.Connection) error {
	_, err := serve.NewControl(c).Handshake(ctx, driver.HandshakeRequest{})
	return err
}

// render has the driver do something.
func render(ctx context.Context, c *attach.Connection, what string) (string, error) {
	set := serve.NewSet(c, driver.HandshakeResponse{Services: []string{driver.ServiceTemplates}})
	out, err := set.Templates.Render(ctx, driver.RenderRequest{Cluster: driver.Cluster{Name: what}})
	return out.Template, err
}

// A folder and all in it are its user's alone, and the same the next time.
func TestFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "f")
	if err := os.Mkdir(dir, 0o755); err != nil { // an empty one is as good as none
		t.Fatal(err)
	}
	f, err := attach.Make(dir)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]string{}
	for path, mode := range map[string]fs.FileMode{"": fs.ModeDir | 0o700, "driver.json": 0o600, "host.json": 0o600} {
		info, err := os.Stat(filepath.Join(dir, path))
		if err != nil || info.Mode() != mode {
			t.Errorf("%q: %v, %v, want %s", path, info, err, mode)
		}
		if path != "" {
			text, _ := os.ReadFile(filepath.Join(dir, path))
			keys[path] = string(text)
		}
	}
	for _, variable := range f.Environment() {
		if _, path, _ := strings.Cut(variable, "="); !strings.HasPrefix(path, dir+"/") {
			t.Errorf("%s is other than a path", variable)
		}
	}
	if _, err := attach.Make(dir); err != nil {
		t.Fatal(err)
	}
	for path, before := range keys {
		if text, err := os.ReadFile(filepath.Join(dir, path)); err != nil || string(text) != before {
			t.Errorf("%s is another one now: %v", path, err)
		}
	}
}

func TestFolderIsRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, want string
		is         error
		spoil      func(t *testing.T, dir string) error
	}{
		{"not there", "magnum-driver-manage run makes", fs.ErrNotExist, func(_ *testing.T, dir string) error { return os.RemoveAll(dir) }},
		{"open to others", "has mode drwxr-x---", nil, func(_ *testing.T, dir string) error { return os.Chmod(dir, 0o750) }},
		{"a file", "has mode -rwx------", nil, func(_ *testing.T, dir string) error {
			return errors.Join(os.RemoveAll(dir), os.WriteFile(dir, nil, 0o700))
		}},
		{"not such a folder", "host.json", fs.ErrNotExist, func(_ *testing.T, dir string) error {
			return os.Remove(filepath.Join(dir, "host.json"))
		}},
		{"keys that others may read", "chmod go= it", nil, func(_ *testing.T, dir string) error {
			return os.Chmod(filepath.Join(dir, "host.json"), 0o640)
		}},
		{"keys that are none", "not the JSON expected", nil, func(_ *testing.T, dir string) error {
			return os.WriteFile(filepath.Join(dir, "host.json"), []byte("-----BEGIN"), 0o600)
		}},
		{"where others may put another in its place", "", launch.ErrOwner, func(_ *testing.T, dir string) error {
			return os.Chmod(filepath.Dir(dir), 0o777)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := folder(t).String()
			if err := tt.spoil(t, dir); err != nil {
				t.Fatal(err)
			}
			_, err := attach.Open(dir)
			if err == nil || !strings.Contains(err.Error(), tt.want) || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("got %v", err)
			}
		})
	}
	// As many bytes as Linux takes, with the socket's name, and one more.
	base, err := os.MkdirTemp("", "a")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	longest := filepath.Join(base, strings.Repeat("l", 107-len("/socket")-len(base+"/")))
	f, err := attach.Make(longest)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", socket(f))
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	if _, err := attach.Make(longest + "l"); err == nil || !strings.Contains(err.Error(), "too long for a socket's path by 1 bytes") {
		t.Errorf("got %v", err)
	}
}

// DRV-130, DRV-131: a driver serves at the socket it is told, goes on without
// standard input, prints no handshake line, and finishes its calls when it is told
// to end.
func TestServes(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			f := folder(t)
			p := launchtest.Serve(t, testBinary, f)
			c := serving(t, f)
			if err := shake(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			if c.PID != p.PID() {
				t.Errorf("process %d listens, want %d", c.PID, p.PID())
			}
			if info, err := os.Stat(socket(f)); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the socket is %v, %v", info, err)
			}
			file := filepath.Join(t.TempDir(), "go")
			answered := make(chan error, 1)
			go func() {
				_, err := render(context.Background(), c, "wait-for:"+file)
				answered <- err
			}()
			for { // until the call has begun
				if _, err := os.Stat(file + ".begun"); err == nil {
					break
				}
				<-time.After(time.Millisecond)
			}
			p.Signal(sig)
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := <-answered; err != nil {
				t.Errorf("the call in flight: %v", err)
			}
			if status := p.Wait(); status != 0 {
				t.Errorf("exit status %d", status)
			}
			if _, err := os.Lstat(socket(f)); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the socket is left: %v", err)
			}
			if said := p.Said(); strings.Contains(said, "|unix|") || strings.Contains(said, "PRIVATE KEY") {
				t.Errorf("it said %s", said)
			}
		})
	}
}

// The next process takes the place of one that was killed, with the same keys.
func TestServesAgain(t *testing.T) {
	t.Parallel()
	f := folder(t)
	for range 3 {
		p := launchtest.Serve(t, testBinary, f)
		c := serving(t, f)
		if err := shake(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		p.End(syscall.SIGKILL)
		if err := shake(t.Context(), c); err == nil {
			t.Error("the connection goes on with another process")
		}
		if _, err := os.Lstat(socket(f)); err != nil {
			t.Errorf("a killed process leaves its socket: %v", err)
		}
	}
}

func TestDriverIsRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, want string
		spoil      func(t *testing.T, f *attach.Folder) (env []string, err error)
	}{
		{"another process serves", "another process serves at ", func(t *testing.T, f *attach.Folder) ([]string, error) {
			launchtest.Serve(t, testBinary, f)
			serving(t, f)
			return nil, nil
		}},
		{"the socket is a file", "is no socket", func(t *testing.T, f *attach.Folder) ([]string, error) {
			t.Cleanup(func() {
				if text, err := os.ReadFile(socket(f)); err != nil || string(text) != "precious" {
					t.Errorf("the file is %q, %v", text, err)
				}
			})
			return nil, os.WriteFile(socket(f), []byte("precious"), 0o600)
		}},
		{"keys that others may read", "chmod go= it", func(_ *testing.T, f *attach.Folder) ([]string, error) {
			return nil, os.Chmod(filepath.Join(f.String(), "driver.json"), 0o644)
		}},
		{"no keys", serve.EnvKeysFile + " is not", func(*testing.T, *attach.Folder) ([]string, error) {
			return []string{serve.EnvKeysFile + "="}, nil
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := folder(t)
			env, err := tt.spoil(t, f)
			if err != nil {
				t.Fatal(err)
			}
			p := launchtest.Serve(t, testBinary, f, env...)
			if status := p.Wait(); status == 0 || !strings.Contains(p.Said(), tt.want) {
				t.Errorf("exit status %d, it said %q, want %q", status, p.Said(), tt.want)
			}
		})
	}
}

// Neither side talks to one that has other keys.
func TestOtherKeys(t *testing.T) {
	t.Parallel()
	t.Run("driver", func(t *testing.T) {
		t.Parallel()
		f := folder(t)
		launchtest.Serve(t, testBinary, folder(t), serve.EnvSocket+"="+socket(f))
		if err := shake(t.Context(), serving(t, f)); err == nil {
			t.Error("a process with other keys passes for the driver")
		}
	})
	t.Run("host", func(t *testing.T) {
		t.Parallel()
		f := folder(t)
		launchtest.Serve(t, testBinary, f)
		if err := shake(t.Context(), serving(t, f)); err != nil {
			t.Fatal(err)
		}
		// One that knows whom to trust, and is not whom the driver trusts.
		impostor, err := serve.ReadKeys(filepath.Join(folder(t).String(), "host.json"))
		if err != nil {
			t.Fatal(err)
		}
		own, err := serve.ReadKeys(filepath.Join(f.String(), "host.json"))
		if err != nil {
			t.Fatal(err)
		}
		impostor.Peer = own.Peer
		text, err := json.Marshal(impostor)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(f.String(), "host.json"), text, 0o600); err != nil {
			t.Fatal(err)
		}
		stranger, err := attach.Open(f.String())
		if err != nil {
			t.Fatal(err)
		}
		if err := shake(t.Context(), serving(t, stranger)); err == nil {
			t.Error("the driver lets a stranger in")
		}
	})
}
