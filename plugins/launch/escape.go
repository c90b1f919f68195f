package launch

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// escapePasses bounds the search for processes that start others meanwhile.
const escapePasses = 5

// endEscaped kills what a driver started and what has left its process group,
// or its parents: whoever still has the variable that no other driver's start
// has. It finds nobody who gave the variable up.
func endEscaped(variable string) {
	for range escapePasses {
		found := false
		entries, err := os.ReadDir("/proc")
		if err != nil {
			return
		}
		for _, e := range entries {
			if pid, err := strconv.Atoi(e.Name()); err == nil && endIf(pid, variable) {
				found = true
			}
		}
		if !found {
			return
		}
	}
}

// endIf kills a process that has a variable, and reports whether it has.
func endIf(pid int, variable string) bool {
	// The descriptor keeps meaning the process that is looked at.
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return false
	}
	defer func() { _ = unix.Close(fd) }()
	env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil || !slices.ContainsFunc(bytes.Split(env, []byte{0}), func(v []byte) bool { return string(v) == variable }) {
		return false
	}
	return unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0) == nil
}
