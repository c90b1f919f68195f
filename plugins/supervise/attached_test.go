package supervise_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/go-magnum/magnum/plugins/attach"
	"github.com/go-magnum/magnum/plugins/internal/launchtest"
	"github.com/go-magnum/magnum/plugins/supervise"
	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/driverpb"
	"github.com/go-magnum/magnum/sdk/serve"
)

// testBinary is the executable of one of testPackages.
func testBinary(version int) string { return filepath.Join(testPackages[version-1], "driver") }

func attachable(t *testing.T) *attach.Folder {
	t.Helper()
	f, err := attach.Make(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// attached are drivers that attach what serves in a folder.
func attached(t *testing.T, f *attach.Folder, change func(*supervise.Config)) *supervise.Drivers {
	t.Helper()
	cfg := config(t)
	cfg.Attach, cfg.AttachInterval = []*attach.Folder{f}, 5*time.Millisecond
	if change != nil {
		change(&cfg)
	}
	return drivers(t, cfg)
}

// untilIs waits for the only driver's state.
func untilIs(t *testing.T, d *supervise.Drivers, state supervise.State) supervise.Status {
	t.Helper()
	until(t, "the driver is "+string(state), func() bool { s := d.Status(); return len(s) == 1 && s[0].State == state })
	return only(t, d)
}

// A process that somebody else has started takes the calls of all versions of its
// driver, also of an installed one, and so does the next one, which may be another
// version. None is started in its place.
func TestAttached(t *testing.T) {
	f := attachable(t)
	p := launchtest.Serve(t, testBinary(1), f)
	d := attached(t, f, nil)
	untilIs(t, d, supervise.StateAttached)
	for _, version := range []string{"", "1.0.0", "9.9.9"} {
		set, err := d.Get(t.Context(), "test-driver", version)
		if err != nil {
			t.Fatal(err)
		}
		if pid, err := ask(t.Context(), set, "pid"); err != nil || pid != strconv.Itoa(p.PID()) {
			t.Errorf("version %q: process %s answers, %v, want %d", version, pid, err, p.PID())
		}
		if set.Version != "1.0.0" || set.Scaling == nil {
			t.Errorf("version %q: got %+v", version, set)
		}
	}
	set := get(t, d)

	p.End(syscall.SIGKILL)
	s := untilIs(t, d, supervise.StateDetached)
	if s.PID != 0 || s.LastError == "" {
		t.Errorf("got %+v", s)
	}
	_, before := ask(t.Context(), set, "pid")
	_, err := d.Get(t.Context(), "test-driver", "")
	for _, err := range []error{before, err} {
		var e *driver.Error
		if !errors.As(err, &e) || e.Class != driver.ClassUnavailable || e.Blame != driver.BlameOperator || e.RetryAfter != time.Second {
			t.Errorf("without a process: %v", err)
		}
	}
	if all := d.Attached(); len(all) != 1 || all[0].Version != "1.0.0" {
		t.Errorf("its types are not known any more: %v", all)
	}

	p = launchtest.Serve(t, testBinary(2), f)
	s = untilIs(t, d, supervise.StateAttached)
	want := supervise.Status{
		Name: "test-driver", Version: "2.0.0", PID: p.PID(), State: supervise.StateAttached, Since: s.Since, Restarts: 1,
		Confinement: "none: attached at " + f.String(),
	}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Error(diff)
	}
	if pid, err := ask(t.Context(), set, "pid"); err != nil || pid != strconv.Itoa(p.PID()) {
		t.Errorf("process %s answers, %v, want %d", pid, err, p.PID())
	}
	one := d.Attached()[0]
	if one.Digest == "" || !one.Active || one.Description.DisplayName != "Test driver" || len(one.Manifest.ClusterTypes) != 1 {
		t.Errorf("got %+v", one)
	}
}

// One that stands still for longer than any process of ours may is left alone, and
// its calls have the time. Another driver shows that the time is up.
func TestAttachedStandsStill(t *testing.T) {
	f := attachable(t)
	p := launchtest.Serve(t, testBinary(otherDriver), f)
	d := attached(t, f, func(c *supervise.Config) {
		c.ProbeInterval, c.ProbeTimeout, c.CallTimeout = 10*time.Millisecond, 10*time.Millisecond, 100*time.Millisecond
		c.DumpTimeout = time.Millisecond
	})
	until(t, "it is attached", func() bool { return len(d.Attached()) == 1 })
	set, err := d.Get(t.Context(), "other-driver", "")
	if err != nil {
		t.Fatal(err)
	}
	installed := get(t, d)
	ours := func() supervise.Status {
		for _, s := range d.Status() {
			if s.Name == "test-driver" {
				return s
			}
		}
		return supervise.Status{}
	}
	pid := ours().PID
	p.Stop()
	answered := make(chan error, 1)
	go func() {
		said, err := ask(context.Background(), set, "pid")
		if err == nil && said != strconv.Itoa(p.PID()) {
			err = errors.New("answered by " + said)
		}
		answered <- err
	}()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	until(t, "the driver of ours is given up", func() bool { return ours().PID != pid && ours().LastError != "" })
	if _, err := ask(t.Context(), installed, "hang"); driver.ClassOf(err) != driver.ClassTimeout {
		t.Errorf("a call of ours without an answer: %v", err)
	}
	select {
	case err := <-answered:
		t.Fatalf("the call did not wait: %v", err)
	default:
	}
	p.Signal(syscall.SIGCONT)
	if err := <-answered; err != nil {
		t.Error(err)
	}
	if !p.Lives() {
		t.Error("it was ended")
	}
}

// A call that is cut off is for its caller to repeat, and a stream too.
func TestAttachedCallIsCutOff(t *testing.T) {
	f := attachable(t)
	p := launchtest.Serve(t, testBinary(1), f)
	d := attached(t, f, nil)
	untilIs(t, d, supervise.StateAttached)
	set := get(t, d)
	if _, err := ask(t.Context(), set, "refuse"); driver.ClassOf(err) != driver.ClassInvalidInput {
		t.Errorf("the driver's own error: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := ask(ctx, set, "stuck"); driver.ClassOf(err) != driver.ClassTimeout {
		t.Errorf("a caller's own deadline: %v", err)
	}
	_, err := ask(t.Context(), set, "exit")
	var e *driver.Error
	if !errors.As(err, &e) || e.Class != driver.ClassRestarted || e.RetryAfter != time.Second {
		t.Errorf("got %v", err)
	}
	if status := p.Wait(); status != 3 {
		t.Errorf("exit status %d", status)
	}

	untilIs(t, d, supervise.StateDetached)
	launchtest.Serve(t, testBinary(1), f)
	untilIs(t, d, supervise.StateAttached)
	// A stream that comes to nothing keeps nobody from letting go of the process.
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := set.Lifecycle.Watch(over, driver.WatchRequest{}, nil); err == nil || !strings.Contains(err.Error(), "was cancelled") {
		t.Errorf("a stream that nobody wants any more: %v", err)
	}
	var heard []int64
	hear := func(e driver.Event) error { heard = append(heard, e.Seq); return nil }
	watch := driver.WatchRequest{Handle: "die-once:" + filepath.Join(t.TempDir(), "died")}
	if err := set.Lifecycle.Watch(t.Context(), watch, hear); driver.ClassOf(err) != driver.ClassRestarted {
		t.Errorf("a stream whose process dies: %v", err)
	}
	untilIs(t, d, supervise.StateDetached)
	if err := set.Lifecycle.Watch(t.Context(), watch, hear); driver.ClassOf(err) != driver.ClassUnavailable {
		t.Errorf("a stream without a process: %v", err)
	}
	launchtest.Serve(t, testBinary(1), f)
	untilIs(t, d, supervise.StateAttached)
	watch.FromSeq = 3
	if err := set.Lifecycle.Watch(t.Context(), watch, hear); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]int64{1, 2, 3, 4}, heard); diff != "" {
		t.Error(diff)
	}
}

// slow is a driver whose Render takes until it is released.
type slow struct {
	driver.Templates
	begun, release chan struct{}
}

func (*slow) Describe(context.Context, driver.DescribeRequest) (driver.DescribeResponse, error) {
	return driver.DescribeResponse{Description: driver.Description{ClusterTypes: []driver.ClusterType{{COE: "slow"}}}}, nil
}

func (s *slow) Render(context.Context, driver.RenderRequest) (driver.RenderResponse, error) {
	close(s.begun)
	<-s.release
	return driver.RenderResponse{Template: "late"}, nil
}

// serve has the test's own process listen in a folder.
func (s *slow) serve(t *testing.T, f *attach.Folder, options ...grpc.ServerOption) *grpc.Server {
	t.Helper()
	keys, err := serve.ReadKeys(filepath.Join(f.String(), "driver.json"))
	if err != nil {
		t.Fatal(err)
	}
	tls, err := keys.ServerConfig()
	if err != nil {
		t.Fatal(err)
	}
	server, err := serve.NewServer(serve.Plugin{Name: "slow", Version: "1.0.0", Driver: s, Templates: s}, nil,
		append(options, grpc.Creds(credentials.NewTLS(tls)))...)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", filepath.Join(f.String(), "socket"))
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }()
	return server
}

// A process that is told to end answers the calls that it has, also one that ends
// its connections first, as those of other languages do.
func TestAttachedEndsInGoodOrder(t *testing.T) {
	f := attachable(t)
	s := &slow{begun: make(chan struct{}), release: make(chan struct{})}
	server := s.serve(t, f)
	d := attached(t, f, nil)
	untilIs(t, d, supervise.StateAttached)
	set, err := d.Get(t.Context(), "slow", "")
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() {
		_, err := ask(context.Background(), set, "anything")
		answered <- err
	}()
	<-s.begun
	stopped := make(chan struct{})
	go func() {
		server.GracefulStop()
		close(stopped)
	}()
	untilIs(t, d, supervise.StateDetached)
	close(s.release)
	if err := <-answered; err != nil {
		t.Error(err)
	}
	<-stopped
}

// The end of the service is not the process's, which another service may attach.
func TestAttachedOutlivesTheService(t *testing.T) {
	f := attachable(t)
	p := launchtest.Serve(t, testBinary(1), f)
	cfg := config(t)
	cfg.Attach = []*attach.Folder{f}
	d := supervise.New(cfg)
	untilIs(t, d, supervise.StateAttached)
	set := get(t, d)
	file := filepath.Join(t.TempDir(), "go")
	cut := make(chan error, 1)
	go func() {
		_, err := ask(context.Background(), set, "wait-for:"+file)
		cut <- err
	}()
	until(t, "the call has begun", func() bool { _, err := os.Stat(file + ".begun"); return err == nil })
	p.Stop()
	if err := d.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-cut; err == nil {
		t.Error("a stopped process has answered")
	}
	p.Signal(syscall.SIGCONT)
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if !p.Lives() {
		t.Fatal("it was ended")
	}
	d = attached(t, f, nil)
	untilIs(t, d, supervise.StateAttached)
	if pid, err := ask(t.Context(), get(t, d), "pid"); err != nil || pid != strconv.Itoa(p.PID()) {
		t.Errorf("another service gets %s, %v", pid, err)
	}
}

// The operator's configuration is for an attached driver too.
func TestAttachedIsConfigured(t *testing.T) {
	f := attachable(t)
	launchtest.Serve(t, testBinary(1), f)
	d := attached(t, f, func(c *supervise.Config) {
		c.Configuration = func(name string) ([]byte, error) { return []byte(`{"key": "` + name[:4] + `"}`), nil }
	})
	untilIs(t, d, supervise.StateAttached)
	if said, err := ask(t.Context(), get(t, d), "config"); err != nil || said != `{"key": "test"}` {
		t.Errorf("it has %s, %v", said, err)
	}
}

// What cannot be used is told, and is used as soon as it can be.
func TestAttachedIsRejected(t *testing.T) {
	stranger := func(t *testing.T, f *attach.Folder) []string {
		t.Helper()
		return []string{serve.EnvKeysFile + "=" + filepath.Join(attachable(t).String(), "driver.json")}
	}
	for _, tt := range []struct {
		name, config, want string
		env                func(*testing.T, *attach.Folder) []string
	}{
		{"other keys", "", "(it must have been started with what magnum-driver-manage run prints)", stranger},
		{"a configuration that does not fit", `{"key": 1}`, "does not fit the driver's config_schema at /key", nil},
		{"a configuration that it refuses", `{"key": "refuse"}`, "not with me", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := attachable(t)
			var env []string
			if tt.env != nil {
				env = tt.env(t, f)
			}
			p := launchtest.Serve(t, testBinary(otherDriver), f, env...)
			mended := make(chan struct{})
			var tries atomic.Int64
			d := attached(t, f, func(c *supervise.Config) {
				c.Configuration = func(string) ([]byte, error) {
					tries.Add(1)
					select {
					case <-mended:
						return nil, nil
					default:
						return []byte(tt.config), nil
					}
				}
			})
			s := untilIs(t, d, supervise.StateRejected)
			if !strings.Contains(s.LastError, tt.want) || s.PID != 0 || strings.Contains(s.LastError, "sesame") {
				t.Errorf("got %+v, want %q", s, tt.want)
			}
			if tt.config != "" {
				before := tries.Load()
				until(t, "it was tried again", func() bool { return tries.Load() > before+2 })
			}
			if again := only(t, d); again.Since != s.Since {
				t.Errorf("it is told anew at each attempt: since %s, and %s", s.Since, again.Since)
			}
			if _, err := d.Get(t.Context(), "other-driver", ""); driver.ClassOf(err) != driver.ClassNotFound {
				t.Errorf("got %v", err)
			}
			close(mended)
			if tt.env != nil {
				p.End(syscall.SIGTERM)
				launchtest.Serve(t, testBinary(otherDriver), f)
			}
			untilIs(t, d, supervise.StateAttached)
		})
	}
}

// One that shakes hands as another version than it describes is two drivers.
func TestAttachedContradictsItself(t *testing.T) {
	f := attachable(t)
	server := (&slow{}).serve(t, f, grpc.ChainUnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		answer, err := handle(ctx, req)
		if said, ok := answer.(*driverpb.DescribeResponse); ok {
			said.Description.Version = "1.1.0"
		}
		return answer, err
	}))
	defer server.Stop()
	d := attached(t, f, nil)
	if s := untilIs(t, d, supervise.StateRejected); !strings.Contains(s.LastError, "the process says its version is 1.0.0") {
		t.Errorf("got %+v", s)
	}
}
