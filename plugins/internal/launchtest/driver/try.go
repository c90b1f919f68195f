package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// try does what a driver has no business to do, and says how it went: "done",
// or the error.
func try(what string) string {
	verb, argument, _ := strings.Cut(what, " ")
	var err error
	switch verb {
	case "read":
		_, err = os.ReadFile(argument) //nolint:gosec // that is the point
	case "list":
		_, err = os.ReadDir(argument)
	case "write":
		err = os.WriteFile(argument, []byte("x"), 0o600) //nolint:gosec // that is the point
	case "temp":
		var f *os.File
		if f, err = os.CreateTemp("", "t"); err == nil {
			_, err = f.WriteString("x")
			_ = f.Close()
		}
	case "truncate":
		err = os.Truncate(argument, 0)
	case "exec":
		err = exec.CommandContext(context.Background(), argument, "-c", "exit 0").Run() //nolint:gosec // that is the point
	case "signal":
		pid, _ := strconv.Atoi(argument)
		err = syscall.Kill(pid, 0)
	case "connect", "listen":
		err = socket(verb, argument)
	case "privileges":
		return status("NoNewPrivs:")
	case "core":
		return limit(syscall.RLIMIT_CORE)
	case "files":
		return limit(syscall.RLIMIT_NOFILE)
	case "memory":
		return limit(syscall.RLIMIT_DATA)
	case "uid":
		return fmt.Sprint(os.Getuid(), os.Getgid())
	}
	if err != nil {
		return err.Error()
	}
	return "done"
}

func socket(verb, address string) error {
	network := "tcp"
	if strings.HasPrefix(address, "@") {
		network = "unix"
	}
	if verb == "listen" {
		config := &net.ListenConfig{}
		config.SetMultipathTCP(false) // which Landlock does not know
		l, err := config.Listen(context.Background(), network, address)
		if err == nil {
			_ = l.Close()
		}
		return err
	}
	c, err := (&net.Dialer{}).DialContext(context.Background(), network, address)
	if err == nil {
		_ = c.Close()
	}
	return err
}

func status(field string) string {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err.Error()
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, field); ok {
			return strings.TrimSpace(value)
		}
	}
	return "no " + field
}

func limit(resource int) string {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(resource, &l); err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%d %d", l.Cur, l.Max)
}
