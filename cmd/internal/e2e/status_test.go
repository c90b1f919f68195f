package e2e

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestStatus looks at a new installation before and after its database is
// made: what scripts see of it are exit code and output.
func TestStatus(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	conf := filepath.Join(dir, "magnum.conf")
	text := "[DEFAULT]\nstate_path = " + dir + "\n[database]\nconnection = sqlite:///" + filepath.Join(dir, "magnum.sqlite") + "\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(name string, args ...string) (code int, stdout, stderr string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var out, errs bytes.Buffer
		cmd := exec.CommandContext(ctx, executable(t, name), append(args, "--config-file", conf)...)
		cmd.Stdout, cmd.Stderr = &out, &errs
		err := cmd.Run()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return cmd.ProcessState.ExitCode(), out.String(), errs.String()
	}
	for _, step := range []struct {
		name, args     string
		code           int
		stdout, stderr string // parts
	}{
		{"magnum-status", "upgrade check", 2, "There is no database yet", ""},
		{"magnum-db-manage", "upgrade", 0, "Upgraded", ""},
		{"magnum-status", "upgrade check", 1, "No conductor has published a driver", ""},
		{"magnum-status", "upgrade check --nonsense", 255, "", "unknown flag"},
		{"magnum-status", "upgrade check nonsense", 255, "", "unknown command"},
		{"magnum-status", "policy check --roles reader --rule cluster:create -f value", 1, "cluster:create false", ""},
		{"magnum-status", "policy check --roles member --rule cluster:create -f value", 0, "cluster:create true", ""},
	} {
		code, stdout, stderr := run(step.name, strings.Fields(step.args)...)
		if code != step.code || !strings.Contains(stdout, step.stdout) || !strings.Contains(stderr, step.stderr) || (step.stderr == "") != (stderr == "") {
			t.Errorf("%s %s: exit code %d, want %d\n%s\n%s", step.name, step.args, code, step.code, stdout, stderr)
		}
	}
}
