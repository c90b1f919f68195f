package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// ran runs the command's run as a process of its own.
func ran(t *testing.T, env []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, append([]string{"run"}, args...)...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), asCommand + "=1"}, env...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	return out.String(), said.String(), cmd.ProcessState.ExitCode()
}

func TestRun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "at")
	hint := "# attach it with: magnum-dev --attach " + dir + "\n"
	variables := "MAGNUM_DRIVER_SOCKET=" + dir + "/socket\nMAGNUM_DRIVER_KEYS_FILE=" + dir + "/driver.json\n"
	if out, said, code := ran(t, nil, "--dir", dir); out != hint+variables || said != "" || code != 0 {
		t.Errorf("without a program: exit code %d, %q, %q", code, out, said)
	}

	// The program has its arguments, standard output and exit code.
	if out, said, code := ran(t, nil, "--dir", dir, "sh", "-c", `echo "it has $*"; exit 7`, "--", "--dir", "there"); out != "it has --dir there\n" || said != hint || code != 7 {
		t.Errorf("exit code %d, %q, %q", code, out, said)
	}
	// It has all of its author's environment but what is of another folder.
	for _, level := range []string{"debug", "warn"} {
		env := []string{"MINE=1", "MAGNUM_DRIVER_SOCKET=/of/another/folder"}
		if level != "debug" {
			env = append(env, "MAGNUM_DRIVER_LOG_LEVEL="+level)
		}
		out, _, _ := ran(t, env, "--dir", dir, "env")
		for _, line := range append(strings.Split(strings.TrimSpace(variables), "\n"), "MAGNUM_DRIVER_LOG_LEVEL="+level, "MINE=1") {
			if strings.Count("\n"+out, "\n"+line+"\n") != 1 {
				t.Errorf("want %s in %s", line, out)
			}
		}
		if strings.Contains(out, "another") {
			t.Errorf("it is told of another folder: %s", out)
		}
	}

	if _, said, code := ran(t, nil, "--dir", dir, "no-such-program"); code != 2 || !strings.Contains(said, "executable file not found") {
		t.Errorf("no program: exit code %d, %q", code, said)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, said, code := ran(t, nil, "--dir", dir, "true"); code != 1 || out != "" || !strings.Contains(said, "only its owner may look into") {
		t.Errorf("a folder for all: exit code %d, %q, %q", code, out, said)
	}
}

func TestRunHasAFolderOfItsOwn(t *testing.T) {
	dir := t.TempDir()
	temporary := filepath.Join(dir, fmt.Sprintf("magnum-driver-%d", os.Getuid()))
	for _, tt := range []struct{ runtime, want string }{{dir, filepath.Join(dir, "magnum-driver")}, {"run", temporary}, {"", temporary}} {
		out, _, code := ran(t, []string{"XDG_RUNTIME_DIR=" + tt.runtime, "TMPDIR=" + dir})
		if code != 0 || !strings.HasPrefix(out, "# attach it with: magnum-dev --attach "+tt.want+"\n") {
			t.Errorf("%q: exit code %d, %q", tt.runtime, code, out)
		}
	}
}
