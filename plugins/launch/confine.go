package launch

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// readable is what every driver may read, as far as it is there: what a TLS
// client, a resolver and the Go runtime look at. Certificates, but not the
// folders of keys beside them. /proc/self is missing because only the process
// itself could name it; its number is not known before it is confined.
func readable() []string {
	return []string{
		"/etc/ssl/certs", "/etc/ssl/cert.pem", "/etc/ssl/ca-bundle.pem", "/etc/ssl/openssl.cnf",
		"/etc/pki/tls/certs", "/etc/pki/tls/cert.pem", "/etc/pki/ca-trust/extracted", "/etc/ca-certificates",
		"/usr/share/ca-certificates", "/usr/local/share/ca-certificates", "/usr/share/pki", "/var/lib/ca-certificates",
		"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf", "/etc/services", "/etc/protocols",
		"/etc/localtime", "/usr/share/zoneinfo",
		"/dev/random", "/dev/urandom",
		"/sys/kernel/mm/transparent_hugepage", "/sys/devices/system/cpu", "/proc/sys/net/core", "/proc/sys/vm/overcommit_memory",
	}
}

// writable are devices that keep nothing.
func writable() []string { return []string{"/dev/null", "/dev/zero", "/dev/full"} }

// libraries are what programs that are linked dynamically need, which drivers
// in Go are not; loaders is what the system executes to start them.
func libraries() []string {
	return []string{"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache"}
}

func loaders() []string { return []string{"/lib/ld-*.so*", "/lib64/ld-*.so*"} }

// confinement is what is applied to a child.
type confinement struct {
	off     bool     // all but the user
	rules   *ruleset // nil without Landlock
	limits  Limits
	user    *User
	applied []string
}

// confine prepares the confinement of a binary. The folder own is all that the
// driver may write to of itself; without one it is only asked what it is.
func (c Config) confine(b *binary, own string) (*confinement, error) {
	made := &confinement{off: c.Confine == ConfineOff, limits: c.Limits.withDefaults(), user: c.User}
	if c.User != nil {
		made.applied = []string{fmt.Sprintf("uid %d", c.User.UID)}
	}
	if made.off {
		return made, nil
	}
	made.applied = append([]string{"no_new_privs", "rlimits"}, made.applied...)
	version, err := LandlockVersion()
	switch {
	case err == nil:
		if made.rules, err = c.rules(b, version, own); err != nil {
			return nil, err
		}
		made.applied = append([]string{fmt.Sprintf("landlock %d", version)}, made.applied...)
	case c.Confine == ConfineRequired:
		return nil, fmt.Errorf("driver %s must be confined, but cannot be: %w; "+
			"start a kernel with Landlock, or set [drivers] confine to available", c.Name, err)
	default:
		c.Logger.Warn("driver is not confined to its files", "driver", c.Name, "reason", err)
		made.applied = append(made.applied, "no landlock")
	}
	return made, nil
}

// rules is the Landlock ruleset of a binary.
func (c Config) rules(b *binary, version int, own string) (_ *ruleset, err error) {
	sandbox := c.Sandbox
	if own == "" {
		sandbox = sandbox.silent()
	}
	r, err := newRuleset(version, sandbox.Network)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	// The verified file itself, whatever its path means by then.
	if err := r.allowFD(int(b.file.Fd()), rightsExec); err != nil {
		return nil, fmt.Errorf("allow the driver to be executed: %w", err)
	}
	read := append(readable(), certificates()...)
	var load []string
	if len(sandbox.Exec) > 0 || b.dynamic() {
		read = append(read, libraries()...)
		for _, pattern := range loaders() {
			found, _ := filepath.Glob(pattern) // the patterns are good
			load = append(load, found...)
		}
	}
	for _, group := range []struct {
		paths  []string
		rights uint64
		asked  bool
	}{
		{read, rightsRead, false},
		{load, rightsExec, false},
		{writable(), rightsWrite, false},
		{present(c.Package), rightsRead, true},
		{present(own), rightsWrite, true},
		{sandbox.Read, rightsRead, true},
		{sandbox.Write, rightsWrite, true},
		{sandbox.Exec, rightsExec, true},
	} {
		for _, path := range group.paths {
			err := r.allow(path, group.rights)
			switch {
			case err == nil, !group.asked && notThere(err):
			case notThere(err):
				c.Logger.Warn("driver may use what is not there", "driver", c.Name, "path", path)
			default:
				return nil, fmt.Errorf("confine driver %s: %w", c.Name, err)
			}
		}
	}
	return r, nil
}

// notThere includes what this user cannot reach, and so the driver cannot
// either.
func notThere(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.ENOTDIR)
}

func present(path string) []string {
	if path == "" {
		return nil
	}
	return []string{path}
}

// certificates are where the inherited variables say they are.
func certificates() []string {
	return append(present(os.Getenv("SSL_CERT_FILE")), filepath.SplitList(os.Getenv("SSL_CERT_DIR"))...)
}

// dynamic reports whether the system needs a loader to execute the binary.
func (b *binary) dynamic() bool {
	f, err := elf.NewFile(b.file)
	if err != nil {
		return false // the system will say what is wrong
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return true
		}
	}
	return false
}

// start starts a child that is confined from its first instruction on: from a
// thread that is confined itself, and ends afterwards. The limits of a process
// cannot be had by a thread and follow at once.
func (c *confinement) start(cmd *exec.Cmd) error {
	if c.off && c.user == nil {
		return cmd.Start()
	}
	return onThread(func() error {
		if c.user != nil {
			again := keepDumpable()
			defer again()
			if err := c.user.become(); err != nil {
				return err
			}
		}
		if c.off {
			return cmd.Start()
		}
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return fmt.Errorf("give up new privileges: %w", err)
		}
		if c.rules != nil {
			if err := c.rules.enforce(); err != nil {
				return err
			}
		}
		if err := cmd.Start(); err != nil {
			return err
		}
		// Here, because it takes the same user or CAP_SYS_RESOURCE.
		if err := c.limit(cmd.Process.Pid); err != nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			return err
		}
		return nil
	})
}

// become makes the calling thread, not the process, another user's.
func (u User) become() error {
	for _, call := range []struct {
		number, a, b, c uintptr
	}{
		{unix.SYS_SETGROUPS, 0, 0, 0},
		{unix.SYS_SETRESGID, uintptr(u.GID), uintptr(u.GID), uintptr(u.GID)},
		{unix.SYS_SETRESUID, uintptr(u.UID), uintptr(u.UID), uintptr(u.UID)},
	} {
		if _, _, errno := unix.RawSyscall(call.number, call.a, call.b, call.c); errno != 0 {
			return fmt.Errorf("become user %d: %w", u.UID, errno)
		}
	}
	return nil
}

// keepDumpable keeps the host's core dumps, which a thread that changes its user
// costs the whole process.
func keepDumpable() (again func()) {
	before, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	return func() {
		if err == nil && before == 1 {
			_ = unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0)
		}
	}
}

// limit sets the limits of a process that nobody has waited for.
func (c *confinement) limit(pid int) error {
	if c.off {
		return nil
	}
	for _, l := range []struct {
		name     string
		resource int
		most     uint64
	}{
		{"core", unix.RLIMIT_CORE, 0}, // it would hold the keys of the connection
		{"files", unix.RLIMIT_NOFILE, c.limits.Files},
		{"memory", unix.RLIMIT_DATA, c.limits.MemoryMiB << 20},
	} {
		var now unix.Rlimit
		err := unix.Prlimit(pid, l.resource, nil, &now)
		if err == nil {
			// No more than the host has: only root could, and nobody asked for it.
			most := min(l.most, now.Max)
			err = unix.Prlimit(pid, l.resource, &unix.Rlimit{Cur: most, Max: most}, nil)
		}
		if err != nil && !errors.Is(err, unix.ESRCH) { // its end says more
			return fmt.Errorf("limit the driver's %s: %w", l.name, err)
		}
	}
	return nil
}

func (c *confinement) close() {
	if c.rules != nil {
		c.rules.close()
	}
}

func (c *confinement) String() string {
	if len(c.applied) == 0 {
		return "none"
	}
	return strings.Join(c.applied, ", ")
}

// onThread calls f on a thread that nobody uses afterwards: a goroutine that
// ends while it is locked to its thread takes the thread with it, and the
// runtime clones no others from it. The main thread is spared, because it can
// not be ended.
func onThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			done <- onThread(f) // on another, as long as this one is held
			runtime.UnlockOSThread()
			return
		}
		done <- f()
	}()
	return <-done
}
