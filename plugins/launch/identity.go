package launch

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Identity is one process: numbers come again, but not with the same start in
// the same boot.
type Identity struct {
	BootID string `json:"boot_id"`
	PID    int    `json:"pid"`
	// StartTime is in clock ticks since the boot.
	StartTime uint64 `json:"start_time"`
	// SHA256 is that of its executable; empty if it does not matter.
	SHA256 string `json:"sha256,omitempty"`
}

// Identify looks at a process. It leaves the executable out.
func Identify(pid int) (Identity, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return Identity{}, fmt.Errorf("identify process %d: %w", pid, err)
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Identity{}, fmt.Errorf("identify process %d: %w", pid, err)
	}
	// The name stands in parentheses and may hold anything; the start is the
	// twentieth field after it.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	const startField = 19
	if len(fields) <= startField {
		return Identity{}, fmt.Errorf("identify process %d: its stat has %d fields", pid, len(fields))
	}
	start, err := strconv.ParseUint(fields[startField], 10, 64)
	if err != nil {
		return Identity{}, fmt.Errorf("identify process %d: %w", pid, err)
	}
	return Identity{BootID: strings.TrimSpace(string(boot)), PID: pid, StartTime: start}, nil
}

// Alive reports whether this very process runs, executable included.
func (id Identity) Alive() bool {
	now, err := Identify(id.PID)
	if err != nil || now.BootID != id.BootID || now.StartTime != id.StartTime {
		return false
	}
	return id.SHA256 == "" || executable(id.PID) == id.SHA256
}

// executable is the digest of what a process executes; empty for a zombie.
func executable(pid int) string {
	f, err := os.Open(fmt.Sprintf("/proc/%d/exe", pid))
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return ""
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// End kills this very process and its group, and waits for its end. It does
// nothing, and reports false, if the process is not the one meant.
func (id Identity) End(patience time.Duration) (ended bool, err error) {
	// The descriptor keeps meaning the process that was looked at.
	fd, err := unix.PidfdOpen(id.PID, 0)
	if errors.Is(err, unix.ESRCH) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("open process %d: %w", id.PID, err)
	}
	defer func() { _ = unix.Close(fd) }()
	if id.SHA256 == "" || !id.Alive() {
		return false, nil
	}
	if group, err := unix.Getpgid(id.PID); err == nil && group == id.PID {
		_ = unix.Kill(-id.PID, unix.SIGKILL)
	}
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return false, fmt.Errorf("kill process %d: %w", id.PID, err)
	}
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(patience.Milliseconds()))
	if err == nil && n == 0 {
		err = errors.New("it waits inside the system, often for a file server")
	}
	if err != nil && !errors.Is(err, unix.EINTR) {
		return false, fmt.Errorf("process %d does not end after SIGKILL: %w", id.PID, err)
	}
	return true, nil
}
