package launch_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/sys/unix"

	"github.com/go-magnum/magnum/plugins/launch"
)

// landlock skips a test where the kernel's Landlock cannot do what it needs.
func landlock(t *testing.T, needs int) {
	t.Helper()
	n, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		t.Skipf("this kernel has no Landlock: %v", errno)
	}
	if int(n) < needs {
		t.Skipf("this kernel's Landlock is of version %d, the test needs %d", n, needs)
	}
}

// secrets is a folder with what is no business of a driver's.
func secrets(t *testing.T) (dir string, file func(name string) string) {
	t.Helper()
	dir = t.TempDir()
	return dir, func(name string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("secret"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
}

// strict is a configuration that grants what is given, and nothing else.
func strict(t *testing.T, s launch.Sandbox) launch.Config {
	t.Helper()
	cfg := config(t)
	cfg.Sandbox = s
	return cfg
}

func TestHostileDriver(t *testing.T) {
	landlock(t, 1)
	dir, file := secrets(t)
	database, trust, other := file("magnum.sqlite"), file("driver-trust.yaml"), file("drivers/other/driver.yaml")
	inside := file("drivers/own/data.yaml")
	shadow := "/etc/shadow"
	if f, err := os.Open(shadow); err != nil {
		shadow = file("shadow")
	} else {
		_ = f.Close()
	}
	// Everything that is refused by default, and what a manifest would ask for
	// to have it.
	tests := []struct {
		try   string
		grant launch.Sandbox
	}{
		{"read " + shadow, launch.Sandbox{Read: []string{shadow}}},
		{"read " + database, launch.Sandbox{Read: []string{dir}}},
		{"read " + trust, launch.Sandbox{Read: []string{trust}}},
		{"read " + other, launch.Sandbox{Read: []string{filepath.Dir(other)}}},
		{"read /proc/" + strconv.Itoa(os.Getpid()) + "/cmdline", launch.Sandbox{Read: []string{"/proc"}}},
		{"list /", launch.Sandbox{Read: []string{"/"}}},
		{"list " + dir, launch.Sandbox{Read: []string{dir}}},
		{"write " + filepath.Join(dir, "new"), launch.Sandbox{Write: []string{dir}}},
		{"write " + database, launch.Sandbox{Write: []string{database}}},
		{"exec /bin/sh", launch.Sandbox{Exec: []string{"/bin/sh"}}},
	}
	own := func(s launch.Sandbox) launch.Config {
		cfg := strict(t, s)
		cfg.Package = filepath.Dir(inside)
		return cfg
	}
	_, ask := started(t, own(launch.Sandbox{}))
	for _, tt := range tests {
		t.Run(tt.try, func(t *testing.T) {
			if got, err := ask("try:" + tt.try); err != nil || !strings.Contains(got, "permission denied") {
				t.Errorf("by default: %q, %v", got, err)
			}
			_, granted := started(t, own(tt.grant))
			if got, err := granted("try:" + tt.try); err != nil || got != "done" {
				t.Errorf("granted %s: %q, %v", tt.grant, got, err)
			}
		})
	}
	// What every driver may do.
	for _, what := range []string{"read " + inside, "temp", "read /etc/hosts", "list /etc/ssl/certs", "write /dev/null"} {
		if got, err := ask("try:" + what); err != nil || got != "done" {
			t.Errorf("%s: %q, %v", what, got, err)
		}
	}
	if got, err := ask("try:write " + inside); err != nil || !strings.Contains(got, "permission denied") {
		t.Errorf("it may write to its package: %q, %v", got, err)
	}
}

func TestHostileDriverDoesNotTruncate(t *testing.T) {
	landlock(t, 3)
	_, file := secrets(t)
	database := file("magnum.sqlite")
	_, ask := started(t, strict(t, launch.Sandbox{}))
	if got, err := ask("try:truncate " + database); err != nil || !strings.Contains(got, "permission denied") {
		t.Errorf("%q, %v", got, err)
	}
}

func TestHostileDriverOnTheNetwork(t *testing.T) {
	landlock(t, 4)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	connect, listen := "try:connect "+l.Addr().String(), "try:listen 127.0.0.1:0"
	for _, tt := range []struct {
		network         launch.Network
		connect, listen bool
	}{
		{"", true, false},
		{launch.NetworkNone, false, false},
		{launch.NetworkConnect, true, false},
		{launch.NetworkListen, true, true},
	} {
		t.Run(string(tt.network), func(t *testing.T) {
			_, ask := started(t, strict(t, launch.Sandbox{Network: tt.network}))
			for command, may := range map[string]bool{connect: tt.connect, listen: tt.listen} {
				got, err := ask(command)
				if err != nil || may != (got == "done") || !may && !strings.Contains(got, "permission denied") {
					t.Errorf("%s: %q, %v", command, got, err)
				}
			}
		})
	}
}

func TestHostileDriverDoesNotReachOthers(t *testing.T) {
	landlock(t, 6)
	name := fmt.Sprintf("@launch-test-%d", os.Getpid())
	l, err := net.Listen("unix", name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	other, _ := started(t, config(t))
	p, ask := started(t, strict(t, launch.Sandbox{Network: launch.NetworkListen}))
	for _, tt := range []struct {
		what string
		may  bool
	}{
		{fmt.Sprintf("signal %d", os.Getpid()), false},
		{fmt.Sprintf("signal %d", other.PID()), false},
		{fmt.Sprintf("signal %d", p.PID()), true},
		{"connect " + name, false},
	} {
		got, err := ask("try:" + tt.what)
		if err != nil || tt.may != (got == "done") || !tt.may && !strings.Contains(got, "not permitted") {
			t.Errorf("%s: %q, %v", tt.what, got, err)
		}
	}
}

func TestLimits(t *testing.T) {
	cfg := config(t)
	cfg.Sandbox.Read = []string{"/proc"}
	cfg.Limits = launch.Limits{MemoryMiB: 512, Files: 100}
	p, ask := started(t, cfg)
	want := map[string]string{"core": "0 0", "files": "100 100", "memory": "536870912 536870912", "privileges": "1"}
	for what, want := range want {
		if got, err := ask("try:" + what); err != nil || got != want {
			t.Errorf("%s is %q, %v; want %q", what, got, err, want)
		}
	}
	if got := p.Confinement(); !strings.HasSuffix(got, "no_new_privs, rlimits") {
		t.Errorf("confinement is said to be %q", got)
	}
}

// The host's other threads are not confined, and none of its own is left so.
func TestHostIsNotConfined(t *testing.T) {
	for range 3 {
		started(t, strict(t, launch.Sandbox{}))
	}
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		until(t, "thread "+task.Name()+" is free or gone", func() bool {
			status, err := os.ReadFile("/proc/self/task/" + task.Name() + "/status")
			return err != nil || strings.Contains(string(status), "NoNewPrivs:\t0")
		})
	}
	if err := exec.Command("/bin/true").Run(); err != nil {
		t.Error(err)
	}
}

func TestConfineOff(t *testing.T) {
	cfg := strict(t, launch.Sandbox{})
	cfg.Confine = launch.ConfineOff
	p, ask := started(t, cfg)
	if got, err := ask("try:privileges"); err != nil || got != "0" {
		t.Errorf("no_new_privs is %q, %v", got, err)
	}
	if got := p.Confinement(); got != "none" {
		t.Errorf("confinement is said to be %q", got)
	}
}

// Where the driver is another user, files of the host's are safe from chmod too.
func TestUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can start a driver as somebody else")
	}
	const nobody = 65534
	for _, confine := range []launch.Confine{launch.ConfineAvailable, launch.ConfineOff} {
		t.Run(string(confine), func(t *testing.T) {
			cfg := strict(t, launch.Sandbox{})
			if err := os.Chmod(cfg.RuntimeDir, 0o755); err != nil {
				t.Fatal(err)
			}
			cfg.Confine, cfg.User = confine, &launch.User{UID: nobody, GID: nobody}
			p, ask := started(t, cfg)
			if got, err := ask("try:uid"); err != nil || got != "65534 65534" {
				t.Errorf("it runs as %q, %v", got, err)
			}
			if got, err := ask("try:temp"); err != nil || got != "done" {
				t.Errorf("temporary files: %q, %v", got, err)
			}
			if !launch.IsSocketDir(p.SocketDir()) {
				t.Error("its directory would not be swept up")
			}
			var stat syscall.Stat_t
			if err := syscall.Stat(p.SocketDir(), &stat); err != nil || stat.Uid != nobody || stat.Mode&0o777 != 0o700 {
				t.Errorf("its directory has owner %d, mode %o, %v", stat.Uid, stat.Mode, err)
			}
			if dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || dumpable != 1 {
				t.Errorf("the host may dump core: %d, %v", dumpable, err)
			}
			if confine != launch.ConfineOff {
				if got, err := ask("try:files"); err != nil || got != "1024 1024" {
					t.Errorf("its limit of files is %q, %v", got, err)
				}
			}
			if !strings.Contains(p.Confinement(), "uid 65534") {
				t.Errorf("confinement is said to be %q", p.Confinement())
			}
		})
	}
}

func TestMissingGrantIsLogged(t *testing.T) {
	landlock(t, 1)
	var log logBuffer
	cfg := strict(t, launch.Sandbox{Read: []string{"/nowhere/at/all"}})
	cfg.Logger = hclog.New(&hclog.LoggerOptions{Output: &log})
	started(t, cfg)
	if !strings.Contains(log.String(), "path=/nowhere/at/all") {
		t.Errorf("the log does not say what is missing:\n%s", log.String())
	}
}

func TestAskedDriverHasNeitherNetworkNorFiles(t *testing.T) {
	landlock(t, 4)
	dir, _ := secrets(t)
	cfg := strict(t, launch.Sandbox{Write: []string{dir}})
	cfg.Env = []string{"TESTDRIVER_MODE=try", "TESTDRIVER_TRY=write " + filepath.Join(dir, "new")}
	out, err := launch.Describe(t.Context(), cfg)
	if err != nil || !strings.Contains(string(out), "permission denied") {
		t.Errorf("write: %q, %v", out, err)
	}
	cfg.Env[1] = "TESTDRIVER_TRY=connect 127.0.0.1:1"
	if out, err = launch.Describe(t.Context(), cfg); err != nil || !strings.Contains(string(out), "permission denied") {
		t.Errorf("connect: %q, %v", out, err)
	}
}

// TestKernelWithoutLandlock starts drivers from a host whose calls of Landlock
// fail as they do on an old kernel.
func TestKernelWithoutLandlock(t *testing.T) {
	for confine, want := range map[launch.Confine]string{
		launch.ConfineAvailable: "no_new_privs, rlimits, no landlock",
		launch.ConfineRequired:  "must be confined, but cannot be: the kernel is built without Landlock",
	} {
		t.Run(string(confine), func(t *testing.T) {
			cfg := config(t)
			host := exec.Command(os.Args[0])
			host.Env = append(os.Environ(), "LAUNCH_TEST_HOST="+testBinary, "LAUNCH_TEST_DIR="+cfg.RuntimeDir,
				"LAUNCH_TEST_CONFINE="+string(confine), "LAUNCH_TEST_NO_LANDLOCK=yes")
			if out, err := host.CombinedOutput(); !strings.Contains(string(out), want) {
				t.Errorf("got %s, %v; want %q", out, err, want)
			}
		})
	}
}

// hideLandlock makes the kernel answer as one that has never heard of it.
func hideLandlock() error {
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the call's number
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_LANDLOCK_CREATE_RULESET, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	runtime.LockOSThread() // the one that has no_new_privs gives it to all
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return errno
	}
	return nil
}
