package main

import (
	"bytes"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestNew builds and tests what it writes, far from this repository, with the
// modules that are on this machine and no others.
func TestNew(t *testing.T) {
	h := newHost(t)
	dir := filepath.Join(h.dir, "work", "k8s_acme_v1")
	h.must("new", "--sdk", "../../sdk", "k8s_acme_v1", dir)
	for _, flags := range []string{"", "-mod=mod"} {
		for _, target := range []string{"build", "test"} {
			build := exec.CommandContext(t.Context(), "make", "-C", dir, target)
			build.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS="+flags)
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("make %s with GOFLAGS=%s: %v\n%s", target, flags, err, out)
			}
		}
	}
	h.must("package", filepath.Join(dir, "bin", "k8s_acme_v1"), filepath.Join(dir, "bin", "package"))
	h.must("install", filepath.Join(dir, "bin", "package"))
	h.want("0.1.0 active")

	for _, name := range []string{"main.go", "main_test.go"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		tidy, err := format.Source(text)
		if err != nil || !bytes.Equal(text, tidy) {
			t.Errorf("gofmt would change %s: %v", name, err)
		}
		if lines := strings.Count(string(text), "\n"); name == "main.go" && lines >= 60 {
			t.Errorf("%s has %d lines, want less than 60", name, lines)
		}
	}

	h.refused(1, "is not empty", "new", "--sdk", "../../sdk", "k8s_acme_v1", dir)
	h.refused(1, `the name "Acme" is none for a driver`, "new", "--sdk", "../../sdk", "Acme", filepath.Join(h.dir, "Acme"))
	h.refused(1, "is not the SDK", "new", "--sdk", "../../core", "acme", filepath.Join(h.dir, "acme"))
	if _, err := os.Stat(filepath.Join(h.dir, "acme")); !os.IsNotExist(err) {
		t.Errorf("a refusal leaves something behind: %v", err)
	}
}
