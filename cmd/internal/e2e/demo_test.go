package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestDemo runs what `make demo` runs, and looks for what it left behind.
func TestDemo(t *testing.T) {
	t.Parallel()
	packages, tmp := t.TempDir(), t.TempDir()
	if err := os.Symlink(packageDir, filepath.Join(packages, "k8s")); err != nil {
		t.Fatal(err)
	}
	// what its children leave becomes a child of this process
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	demo := exec.CommandContext(t.Context(), executable(t, "magnum-dev"), "demo", "--drivers", packages, "--server-delay", "200ms")
	demo.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + tmp, "HOME=" + tmp}
	demo.Dir = tmp
	started := time.Now()
	out, err := demo.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatalf("the demo failed: %v", err)
	}
	if took := time.Since(started); took > 3*time.Minute {
		t.Errorf("the demo took %v", took)
	}
	for _, want := range []string{"CREATE_COMPLETE", "the Kubernetes API is at https://", "kubeconfig written", "resize to 3", "resize to 1", "are gone"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the demo did not say %q", want)
		}
	}
	left, err := os.ReadDir(tmp)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range left {
		t.Errorf("the demo left %s", f.Name())
	}
	// Other tests run at the same time: what is the demo's own has its folder
	// in its path, or in its environment.
	for _, pid := range descendants(t, os.Getpid()) {
		proc := filepath.Join("/proc", strconv.Itoa(pid))
		exe, err := os.Readlink(filepath.Join(proc, "exe"))
		environment, _ := os.ReadFile(filepath.Join(proc, "environ")) // gone, or not ours to read
		if err == nil && (strings.HasPrefix(exe, tmp) || strings.Contains(string(environment), "TMPDIR="+tmp)) {
			t.Errorf("the demo left process %d, %s", pid, exe)
		}
	}
}
