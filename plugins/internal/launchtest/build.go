// Package launchtest builds a driver that misbehaves on demand, for the tests
// of everything that has to live with drivers.
package launchtest

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
)

// Driver says what the binary claims to be.
type Driver struct {
	Name     string // "test-driver" by default
	Version  string // "1.0.0" by default
	COE      string // "kubernetes" by default
	Priority int
	Broken   bool // describes itself, but does not serve
}

// Build makes the binary in a directory.
func Build(dir string, d Driver) (string, error) {
	flags := "-s -w"
	for name, value := range map[string]string{"name": d.Name, "version": d.Version, "coe": d.COE} {
		if value != "" {
			flags += fmt.Sprintf(" -X main.%s=%s", name, value)
		}
	}
	flags += " -X main.priority=" + strconv.Itoa(d.Priority)
	if d.Broken {
		flags += " -X main.broken=yes"
	}
	path := filepath.Join(dir, fmt.Sprintf("%s-%s-%s-%d", d.Name, d.Version, d.COE, d.Priority))
	out, err := exec.CommandContext(context.Background(), "go", "build", "-ldflags", flags, "-o", path,
		"github.com/go-magnum/magnum/plugins/internal/launchtest/driver").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the test driver: %w: %s", err, out)
	}
	return path, nil
}
