package launch

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// How often and how long to wait for a binary that is busy.
const (
	busyTries = 20
	busyPause = 10 * time.Millisecond
)

// child is a process of ours, the leader of its own group.
type child struct {
	cmd    *exec.Cmd
	mark   string        // a variable that it has, and what it starts, and nobody else
	reaped chan struct{} // closed once the process and all that are gone

	mu   sync.Mutex // held over signals and the reaping
	gone bool
}

// spawn executes a verified binary, confined. The files after stderr become descriptors 3
// and up. The caller keeps its ends of the pipes and closes the child's.
func spawn(b *binary, confined *confinement, name string, args, env []string, stdin, stdout, stderr *os.File, extra ...*os.File) (*child, error) {
	c := &child{reaped: make(chan struct{}), mark: "MAGNUM_DRIVER_START=" + rand.Text()}
	env = append(env, c.mark)
	path, inherited := b.command(extra)
	for try := 1; ; try++ {
		c.cmd = &exec.Cmd{
			Path:       path,
			Args:       append([]string{name}, args...),
			Env:        env,
			Dir:        "/",
			Stdin:      stdin,
			Stdout:     stdout,
			Stderr:     stderr,
			ExtraFiles: inherited,
			// No Pdeathsig: it fires when the thread that forked ends, which
			// in a Go program is any time.
			SysProcAttr: &syscall.SysProcAttr{Setpgid: true},
		}
		err := confined.start(c.cmd)
		switch {
		case err == nil:
			go c.reap()
			return c, nil
		case errors.Is(err, unix.ETXTBSY) && try < busyTries:
			// Somebody has it open for writing: a child of ours that was forked
			// while a package was being copied, until it executes. It is for
			// milliseconds.
			<-time.After(busyPause)
			continue
		case b.interpreter != "" && errors.Is(err, os.ErrPermission):
			err = fmt.Errorf("%w (its interpreter %s has to be in the sandbox.exec of its manifest)", err, b.interpreter)
		case b.interpreter != "" && errors.Is(err, os.ErrNotExist):
			err = fmt.Errorf("%w (is its interpreter %s there, and is /proc mounted?)", err, b.interpreter)
		case errors.Is(err, os.ErrNotExist):
			err = fmt.Errorf("%w (is /proc mounted, and is it a binary for this machine?)", err)
		}
		return nil, fmt.Errorf("execute %s: %w", b.file.Name(), err)
	}
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// reap waits for the process, kills what it left behind, and only then frees
// the process id: as long as it is not freed, no stranger can have the number.
func (c *child) reap() {
	for {
		err := unix.Waitid(unix.P_PID, c.pid(), nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	c.mu.Lock()
	_ = unix.Kill(-c.pid(), unix.SIGKILL)
	_ = c.cmd.Wait() // the exit status is in ProcessState
	c.gone = true
	c.mu.Unlock()
	endEscaped(c.mark)
	close(c.reaped)
}

// signal sends to the whole group, unless it is gone.
func (c *child) signal(sig syscall.Signal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.gone {
		_ = unix.Kill(-c.pid(), sig)
	}
}

// signalLeader sends to the process alone.
func (c *child) signalLeader(sig syscall.Signal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.gone {
		_ = unix.Kill(c.pid(), sig)
	}
}

// code is how the process ended, in figures; only after reaped.
func (c *child) code() (status int, signal string) {
	if ws, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 0, unix.SignalName(ws.Signal())
	}
	return c.cmd.ProcessState.ExitCode(), ""
}

// status says how the process ended; only after reaped.
func (c *child) status() string {
	ws, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus)
	switch {
	case ok && ws.Signaled():
		return "killed by " + unix.SignalName(ws.Signal())
	case ok:
		return "exit status " + strconv.Itoa(ws.ExitStatus())
	default:
		return c.cmd.ProcessState.String()
	}
}
