package launch_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"

	"github.com/go-magnum/magnum/plugins/internal/launchtest"
	"github.com/go-magnum/magnum/plugins/launch"
	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/serve"
)

// What the tests share: the driver's binary and its digest.
var testBinary, testDigest string

func TestMain(m *testing.M) {
	if os.Getenv("LAUNCH_TEST_HOST") != "" {
		os.Exit(beHost())
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "launch")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if testBinary, err = launchtest.Build(dir, launchtest.Driver{}); err == nil {
		testDigest, err = digest(testBinary)
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

func digest(path string) (string, error) {
	content, err := os.ReadFile(path)
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:]), err
}

// config is for a test: everything in a short directory of its own.
func config(t testing.TB, env ...string) launch.Config {
	t.Helper()
	dir, err := os.MkdirTemp("", "rt")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		entries, _ := os.ReadDir(dir)
		if len(entries) > 0 {
			t.Errorf("left in the runtime directory: %v", entries)
		}
		_ = os.RemoveAll(dir)
	})
	return launch.Config{
		Name: "test-driver", Binary: testBinary, SHA256: testDigest, RuntimeDir: dir, Env: env,
		Logger: hclog.NewNullLogger(),
		// What the test driver is told to do.
		Sandbox: launch.Sandbox{Write: []string{os.TempDir()}, Exec: []string{"/bin", "/usr/bin"}},
	}
}

// started is a process that is stopped at the end of the test at the latest,
// and a way to ask it.
func started(t testing.TB, cfg launch.Config) (*launch.Process, func(command string) (string, error)) {
	t.Helper()
	p, err := launch.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Kill(); err != nil {
			t.Error(err)
		}
	})
	c, err := serve.Dial(t.Context(), p.Conn(), driver.HandshakeRequest{CoreVersion: "1"})
	if err != nil {
		t.Fatal(err)
	}
	return p, func(command string) (string, error) {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		out, err := c.Set.Templates.Render(ctx, driver.RenderRequest{Cluster: driver.Cluster{Name: command}})
		return out.Template, err
	}
}

// until polls for a condition.
func until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}

// exists reports whether a process runs; a zombie does not.
func exists(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}

func descriptors(t testing.TB) []string {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	var open []string
	for _, e := range entries {
		if target, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil {
			open = append(open, target)
		}
	}
	slices.Sort(open)
	return open
}

func TestStartCallStop(t *testing.T) {
	before := descriptors(t)
	p, ask := started(t, config(t))
	pid, err := ask("pid")
	if err != nil || pid != strconv.Itoa(p.PID()) {
		t.Errorf("the driver says it is process %q, %v; it should be %d", pid, err, p.PID())
	}
	if group, _ := syscall.Getpgid(p.PID()); group != p.PID() {
		t.Errorf("process group is %d, not its own", group)
	}
	if err := p.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if exists(p.PID()) {
		t.Error("the process is still there")
	}
	if status, _ := p.Exit(); status != "exit status 0" {
		t.Errorf("ended with %s, not by itself after SIGTERM", status)
	}
	if _, err := ask("pid"); err == nil {
		t.Error("a call after Stop succeeds")
	}
	if after := descriptors(t); len(after) > len(before) {
		t.Errorf("descriptors left open: before %v, after %v", before, after)
	}
}

func TestStopWaitsForCalls(t *testing.T) {
	p, ask := started(t, config(t))
	file := filepath.Join(t.TempDir(), "go")
	answer := make(chan string, 1)
	go func() {
		out, err := ask("wait-for:" + file)
		answer <- fmt.Sprint(out, err)
	}()
	until(t, "the call has begun", func() bool { _, err := os.Stat(file + ".begun"); return err == nil })
	stopped := make(chan error, 1)
	go func() { stopped <- p.Stop(context.Background()) }()
	until(t, "new calls are refused", func() bool { _, err := ask("pid"); return err != nil })
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := <-answer; got != "seen<nil>" {
		t.Errorf("the call in flight was not finished: %s", got)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// The service manager may send SIGTERM to everybody at once.
func TestSIGTERMFinishesCalls(t *testing.T) {
	p, ask := started(t, config(t))
	file := filepath.Join(t.TempDir(), "go")
	answer := make(chan string, 1)
	go func() {
		out, err := ask("wait-for:" + file)
		answer <- fmt.Sprint(out, err)
	}()
	until(t, "the call has begun", func() bool { _, err := os.Stat(file + ".begun"); return err == nil })
	if err := syscall.Kill(p.PID(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	until(t, "new calls are refused", func() bool { _, err := ask("pid"); return err != nil })
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := <-answer; got != "seen<nil>" {
		t.Errorf("the call in flight was not finished: %s", got)
	}
	<-p.Done()
}

func TestStrayOutputBeforeHandshake(t *testing.T) {
	var log logBuffer
	cfg := config(t, "TESTDRIVER_MODE=stray")
	cfg.Logger = hclog.New(&hclog.LoggerOptions{Output: &log})
	p, ask := started(t, cfg)
	if _, err := ask("pid"); err != nil {
		t.Error(err)
	}
	if err := p.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	for _, line := range []string{"loading plugins", "1|2|three", "almost there..."} {
		if !strings.Contains(log.String(), line) {
			t.Errorf("the log lacks %q:\n%s", line, log.String())
		}
	}
}

func TestPrintingDriverDoesNotHang(t *testing.T) {
	_, ask := started(t, config(t))
	if out, err := ask("print:3000000"); out != "printed" || err != nil {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestLogs(t *testing.T) {
	var log logBuffer
	cfg := config(t)
	cfg.Logger = hclog.New(&hclog.LoggerOptions{Output: &log, Level: hclog.Warn})
	p, ask := started(t, cfg)
	long := strings.Repeat("long ", 40_000)
	if _, err := ask("log:" + long); err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if got := log.String(); !strings.Contains(got, "[WARN]  test-driver: "+long) || !strings.Contains(got, "number=10000000") ||
		!strings.Contains(got, "module=part") {
		t.Errorf("the log lacks the driver's line: %.200s", got)
	}
}

func TestEnvironmentIsAllowListed(t *testing.T) {
	t.Setenv("OS_PASSWORD", "canary")
	t.Setenv("AWS_SECRET", "canary")
	t.Setenv("TZ", "Asia/Tokyo")
	p, ask := started(t, config(t, "GIVEN=1"))
	env, err := ask("env")
	if err != nil {
		t.Fatal(err)
	}
	fromOutside, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", p.PID()))
	if err != nil {
		t.Fatal(err)
	}
	all := env + string(fromOutside)
	if strings.Contains(all, "canary") || strings.Contains(all, "PRIVATE KEY") {
		t.Errorf("a secret is in the driver's environment:\n%s", all)
	}
	for _, want := range []string{"TZ=Asia/Tokyo", "GIVEN=1"} {
		if !strings.Contains(env, want) {
			t.Errorf("%s is missing from the environment:\n%s", want, env)
		}
	}
	allowed := []string{
		"PATH", "LANG", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIVEN", "TMPDIR", "MAGNUM_DRIVER_START",
		"MAGNUM_DRIVER_LOG_LEVEL", "MAGNUM_DRIVER_PLUGIN", "MAGNUM_DRIVER_KEYS_FD",
		"PLUGIN_UNIX_SOCKET_DIR", "PLUGIN_PROTOCOL_VERSIONS",
	}
	for variable := range strings.SplitSeq(env, "\n") {
		if name, _, _ := strings.Cut(variable, "="); !slices.Contains(allowed, name) {
			t.Errorf("the driver sees %s", variable)
		}
	}
}

func TestChangedBinaryIsRefused(t *testing.T) {
	content, err := os.ReadFile(testBinary)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)-1] ^= 1
	cfg := config(t)
	cfg.Binary = filepath.Join(t.TempDir(), "driver")
	if err := os.WriteFile(cfg.Binary, content, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, start := range []func() error{
		func() error { _, err := launch.Start(t.Context(), cfg); return err },
		func() error { _, err := launch.Describe(t.Context(), cfg); return err },
	} {
		if err := start(); err == nil || !strings.Contains(err.Error(), "was changed after it was installed") {
			t.Errorf("a changed binary is executed, or refused for another reason: %v", err)
		}
	}
}

func TestStoppedDriverIsKilledAtOnce(t *testing.T) {
	p, _ := started(t, config(t))
	if err := syscall.Kill(p.PID(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if err := p.Kill(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > time.Second {
		t.Errorf("took %s", took)
	}
	if exists(p.PID()) {
		t.Error("the process is still there")
	}
}

func TestStopOfStoppedDriverIsBounded(t *testing.T) {
	cfg := config(t)
	cfg.DrainTimeout, cfg.TermTimeout = 50*time.Millisecond, 50*time.Millisecond
	p, _ := started(t, cfg)
	if err := syscall.Kill(p.PID(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if err := p.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("took %s", took)
	}
}

func TestGrandchildren(t *testing.T) {
	for _, kind := range []string{"in the group", "escape"} {
		t.Run(kind, func(t *testing.T) {
			p, ask := started(t, config(t))
			out, err := ask("grandchild:" + kind)
			if err != nil {
				t.Fatal(err)
			}
			grandchild, err := strconv.Atoi(out)
			if err != nil || !exists(grandchild) {
				t.Fatalf("no grandchild %q", out)
			}
			t.Cleanup(func() { _ = syscall.Kill(grandchild, syscall.SIGKILL) })
			begin := time.Now()
			if err := p.Stop(t.Context()); err != nil {
				t.Error(err)
			}
			if took := time.Since(begin); took > 2*time.Second {
				t.Errorf("took %s", took)
			}
			until(t, "the grandchild ends", func() bool { return !exists(grandchild) })
		})
	}
}

func TestFailedStarts(t *testing.T) {
	tests := []struct {
		mode string
		want []string
	}{
		{"exit", []string{"ended before it was ready", "exit status 4", "cannot open /etc/test-driver.conf"}},
		{"silent", []string{"not ready in time", "deadline exceeded"}},
	}
	for _, tt := range tests {
		t.Run(tt.mode, func(t *testing.T) {
			before := descriptors(t)
			cfg := config(t, "TESTDRIVER_MODE="+tt.mode)
			if tt.mode == "silent" {
				cfg.StartTimeout = 200 * time.Millisecond
			}
			begin := time.Now()
			_, err := launch.Start(t.Context(), cfg)
			if err == nil {
				t.Fatal("it starts")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q lacks %q", err, want)
				}
			}
			if took := time.Since(begin); took > 3*time.Second {
				t.Errorf("took %s", took)
			}
			if after := descriptors(t); len(after) > len(before) {
				t.Errorf("descriptors left open: before %v, after %v", before, after)
			}
		})
	}
}

func TestStartIsCancelled(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := launch.Start(ctx, config(t, "TESTDRIVER_MODE=silent"))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestLongRuntimeDirectory(t *testing.T) {
	cfg := config(t)
	dir := filepath.Join(t.TempDir(), strings.Repeat("d", 80))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	cfg.RuntimeDir = dir
	if _, err := launch.Start(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "too long for a socket's path") {
		t.Errorf("got %v", err)
	}
}

func TestSocketDirectoryIsPrivate(t *testing.T) {
	cfg := config(t)
	started(t, cfg)
	entries, err := os.ReadDir(cfg.RuntimeDir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v, %v", entries, err)
	}
	info, err := entries[0].Info()
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode is %s, %v", info.Mode(), err)
	}
}

func TestDescribe(t *testing.T) {
	text, err := launch.Describe(t.Context(), config(t))
	if err != nil || !strings.HasPrefix(string(text), "{") || strings.Contains(string(text), "describing") {
		t.Errorf("got %q, %v", text, err)
	}

	cfg := config(t, "TESTDRIVER_MODE=silent")
	cfg.StartTimeout = 100 * time.Millisecond
	if _, err := launch.Describe(t.Context(), cfg); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a silent driver: %v", err)
	}
	if _, err := launch.Describe(t.Context(), config(t, "TESTDRIVER_MODE=exit")); err == nil || !strings.Contains(err.Error(), "cannot open /etc/test-driver.conf") {
		t.Errorf("a failing driver: %v", err)
	}
	if _, err := launch.Describe(t.Context(), config(t, "TESTDRIVER_MODE=escape")); err != nil {
		t.Errorf("a driver that leaves a process with its stdout: %v", err)
	}
}

func TestByHand(t *testing.T) {
	tests := []struct {
		args []string
		code int
		want string
	}{
		{nil, 1, "started by magnum-conductor, not by hand"},
		{[]string{"version"}, 0, "test-driver 1.0.0 (commit abc1234, protocol 1.0"},
		{[]string{"--help"}, 0, "magnum-driver-manage install"},
		{[]string{"nonsense"}, 2, `unknown command "nonsense"`},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			cmd := exec.Command(testBinary, tt.args...)
			out, _ := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != tt.code || !strings.Contains(string(out), tt.want) {
				t.Errorf("exit status %d, output %s", code, out)
			}
		})
	}
}

// TestHostDeath kills a host, which is this test binary, and expects its
// driver to go too.
func TestHostDeath(t *testing.T) {
	for _, confine := range []launch.Confine{launch.ConfineAvailable, launch.ConfineOff} {
		t.Run(string(confine), func(t *testing.T) { hostDeath(t, confine) })
	}
}

func hostDeath(t *testing.T, confine launch.Confine) {
	cfg := config(t)
	host := exec.Command(os.Args[0])
	host.Env = append(os.Environ(), "LAUNCH_TEST_HOST="+testBinary, "LAUNCH_TEST_DIR="+cfg.RuntimeDir,
		"LAUNCH_TEST_CONFINE="+string(confine))
	out, err := host.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscan(out, &pid); err != nil || !exists(pid) {
		t.Fatalf("no driver: %d, %v", pid, err)
	}
	if err := host.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = host.Wait()
	until(t, "the driver ends", func() bool { return !exists(pid) })
	entries := func() []os.DirEntry {
		all, err := os.ReadDir(cfg.RuntimeDir)
		if err != nil {
			t.Error(err)
		}
		return all
	}
	if confine == launch.ConfineOff {
		until(t, "its directory goes", func() bool { return len(entries()) == 0 })
		return
	}
	// A confined driver may remove what is in its directory, but not the
	// directory, which the next host sweeps up.
	for _, e := range entries() {
		dir := filepath.Join(cfg.RuntimeDir, e.Name())
		if !launch.IsSocketDir(dir) {
			t.Errorf("%s would not be swept up", dir)
		}
		if err := os.Remove(dir); err != nil { // it is empty
			t.Error(err)
		}
	}
}

// beHost starts a driver, says which process it is, and waits to be killed.
func beHost() int {
	binary := os.Getenv("LAUNCH_TEST_HOST")
	sum, err := digest(binary)
	if err != nil {
		return 1
	}
	hidden := os.Getenv("LAUNCH_TEST_NO_LANDLOCK") != ""
	if hidden {
		if err := hideLandlock(); err != nil {
			fmt.Println("hide Landlock:", err)
			return 1
		}
	}
	p, err := launch.Start(context.Background(), launch.Config{
		Name: "test-driver", Binary: binary, SHA256: sum, RuntimeDir: os.Getenv("LAUNCH_TEST_DIR"),
		Confine: launch.Confine(os.Getenv("LAUNCH_TEST_CONFINE")),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if hidden {
		fmt.Println(p.Confinement())
		if err := p.Stop(context.Background()); err != nil {
			fmt.Println(err)
		}
		return 0
	}
	fmt.Println(p.PID())
	select {}
}

// logBuffer is written to by the readers of a driver's output.
type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
