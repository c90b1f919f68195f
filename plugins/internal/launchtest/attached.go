package launchtest

import (
	"bytes"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-magnum/magnum/plugins/attach"
)

// Attached is a process of a driver that a test has started for others to attach.
type Attached struct {
	t    testing.TB
	cmd  *exec.Cmd
	done chan struct{}
	said words
}

// Serve starts a driver in a folder. Its standard input is at its end already.
func Serve(t testing.TB, binary string, folder *attach.Folder, env ...string) *Attached {
	t.Helper()
	a := &Attached{t: t, cmd: exec.Command(binary), done: make(chan struct{})} //nolint:noctx // the test's end is its own
	a.cmd.Env = append(append(os.Environ(), folder.Environment()...), env...)
	a.cmd.Stdout, a.cmd.Stderr = &a.said, &a.said
	if err := a.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = a.cmd.Wait()
		close(a.done)
	}()
	t.Cleanup(func() { a.End(syscall.SIGKILL) })
	return a
}

// PID is the process id.
func (a *Attached) PID() int { return a.cmd.Process.Pid }

// Signal sends a signal.
func (a *Attached) Signal(sig syscall.Signal) { _ = a.cmd.Process.Signal(sig) }

// Stop has it stand still, until SIGCONT.
func (a *Attached) Stop() {
	a.t.Helper()
	a.Signal(syscall.SIGSTOP)
	// As long as one of its threads runs, a call may be answered.
	if err := unix.Waitid(unix.P_PID, a.PID(), nil, unix.WSTOPPED|unix.WNOWAIT, nil); err != nil {
		a.t.Fatal(err)
	}
}

// End sends a signal and waits for the end, which it returns: the exit status, or
// -1 after a signal.
func (a *Attached) End(sig syscall.Signal) int {
	a.t.Helper()
	a.Signal(sig)
	return a.Wait()
}

// Wait waits for the end.
func (a *Attached) Wait() int {
	a.t.Helper()
	select {
	case <-a.done:
	case <-time.After(10 * time.Second):
		a.t.Fatalf("process %d is still there after 10 s: %s", a.PID(), a.Said())
	}
	return a.cmd.ProcessState.ExitCode()
}

// Lives reports whether it has not ended.
func (a *Attached) Lives() bool {
	select {
	case <-a.done:
		return false
	default:
		return true
	}
}

// Said is what it has printed.
func (a *Attached) Said() string { return a.said.String() }

type words struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *words) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}
