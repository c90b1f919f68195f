package store_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/go-magnum/magnum/plugins/internal/launchtest"
	"github.com/go-magnum/magnum/plugins/store"
	"github.com/go-magnum/magnum/sdk/driver"
)

// Packages that the tests copy and spoil: one driver in two versions, one that
// claims the same cluster type, and one that claims it with another priority.
var packages map[string]string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "store")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	packages = map[string]string{}
	for key, d := range map[string]launchtest.Driver{
		"one":   {Name: "one"},
		"one-2": {Name: "one", Version: "2.0.0"},
		"rival": {Name: "rival"},
		"other": {Name: "other", Priority: 5},
	} {
		binary, err := launchtest.Build(dir, d)
		if err == nil {
			packages[key] = filepath.Join(dir, "package-"+key)
			err = store.Pack(context.Background(), packages[key], binary, store.Asks{})
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func open(t *testing.T) *store.Store {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "drivers"))
}

func openAt(t *testing.T, dir string) *store.Store {
	t.Helper()
	// What is read-only is in the way of the removal for all but root.
	t.Cleanup(func() { makeWritable(dir) })
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	s.Now = func() time.Time { return time.Unix(1000, 0) }
	return s
}

func makeWritable(dir string) {
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			_ = os.Chmod(path, 0o755)
		}
		return nil
	})
}

func install(t *testing.T, s *store.Store, dir string) store.Package {
	t.Helper()
	p, err := s.Install(t.Context(), store.InstallRequest{Source: dir})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// spoiled is a copy of a package to be spoiled.
func spoiled(t *testing.T, key string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "package")
	if err := os.CopyFS(dir, os.DirFS(packages[key])); err != nil {
		t.Fatal(err)
	}
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	_ = os.Chmod(path, 0o644)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// resign makes files.sha256 fit the files again.
func resign(t *testing.T, dir string) {
	t.Helper()
	var out strings.Builder
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == "files.sha256" {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		sum := sha256.Sum256([]byte(read(t, path)))
		fmt.Fprintf(&out, "%s  %s\n", hex.EncodeToString(sum[:]), name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "files.sha256"), out.String())
}

func TestPack(t *testing.T) {
	dir := packages["one"]
	var names []string
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if diff := cmp.Diff([]string{"describe.json", "driver", "driver.yaml", "files.sha256"}, names); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	want := `apiVersion: drivers.magnum.openstack.org/v1
kind: Driver
name: one
version: 1.0.0
protocol:
    major: 1
cluster_types:
    - server_type: vm
      os: fedora-coreos
      coe: kubernetes
services:
    - magnum.driver.v1.Driver
    - magnum.driver.v1.Templates
    - magnum.driver.v1.Scaling
    - magnum.driver.v1.Monitoring
    - magnum.driver.v1.Lifecycle
`
	if diff := cmp.Diff(want, read(t, filepath.Join(dir, "driver.yaml"))); diff != "" {
		t.Errorf("manifest (-want +got):\n%s", diff)
	}
	if out, err := runIn(dir, "sha256sum", "--check", "--strict", "files.sha256"); err != nil {
		t.Errorf("sha256sum does not agree: %v: %s", err, out)
	}

	again := filepath.Join(t.TempDir(), "again")
	for range 2 { // the second replaces the first
		if err := store.Pack(t.Context(), again, filepath.Join(dir, "driver"), store.Asks{}); err != nil {
			t.Fatal(err)
		}
	}
	if a, b := read(t, filepath.Join(dir, "files.sha256")), read(t, filepath.Join(again, "files.sha256")); a != b {
		t.Errorf("the same binary gives\n%s and\n%s", a, b)
	}

	home := t.TempDir()
	write(t, filepath.Join(home, "thesis.tex"), "precious")
	if err := store.Pack(t.Context(), home, filepath.Join(dir, "driver"), store.Asks{}); err == nil || !strings.Contains(err.Error(), "is not a driver package") {
		t.Errorf("over another directory: %v", err)
	}
	if read(t, filepath.Join(home, "thesis.tex")) != "precious" {
		t.Error("somebody's files are gone")
	}
	if err := store.Pack(t.Context(), filepath.Join(t.TempDir(), "x"), "/bin/true", store.Asks{}); err == nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("of another program: %v", err)
	}
}

func TestInstall(t *testing.T) {
	s := open(t)
	p := install(t, s, packages["one"])
	want := store.Package{
		Name: "one", Version: "1.0.0", Digest: p.Digest, Path: p.Path, Active: true,
		Manifest: p.Manifest, Description: p.Description, BinaryDigest: p.BinaryDigest,
	}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if p.Description.DisplayName != "Test driver" || p.Manifest.Services[1] != driver.ServiceTemplates {
		t.Errorf("got %+v", p)
	}
	sum := sha256.Sum256([]byte(read(t, filepath.Join(packages["one"], "files.sha256"))))
	if p.Digest != hex.EncodeToString(sum[:]) || filepath.Base(p.Path) != p.Digest {
		t.Errorf("digest %s, path %s", p.Digest, p.Path)
	}
	for name, mode := range map[string]fs.FileMode{".": 0o555, "driver": 0o555, "driver.yaml": 0o444, "files.sha256": 0o444} {
		info, err := os.Stat(filepath.Join(p.Path, name))
		if err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s has mode %s, %v", name, info.Mode(), err)
		}
	}
	if err := s.Verify(p); err != nil {
		t.Error(err)
	}
	if again := install(t, s, packages["one"]); !cmp.Equal(p, again) {
		t.Errorf("the second time: %+v", again)
	}
	generations, err := s.Generations("one")
	if diff := cmp.Diff([]store.Generation{{
		Number: 1, Name: "one", Version: "1.0.0", Digest: p.Digest, ActivatedAt: time.Unix(1000, 0).UTC(), Reason: "install",
	}}, generations); diff != "" || err != nil {
		t.Errorf("generations: %v (-want +got):\n%s", err, diff)
	}
}

func TestVersionsSideBySide(t *testing.T) {
	s := open(t)
	first := install(t, s, packages["one"])
	second := install(t, s, packages["one-2"])
	install(t, s, packages["other"])
	names := func(packages []store.Package, err error) string {
		var all []string
		for _, p := range packages {
			all = append(all, fmt.Sprint(p, " ", p.Active))
		}
		return fmt.Sprint(all, err)
	}
	if got := names(s.Packages()); got != "[one 1.0.0 false one 2.0.0 true other 1.0.0 true] <nil>" {
		t.Errorf("Packages: %s", got)
	}
	if got := names(s.Active()); got != "[one 2.0.0 true other 1.0.0 true] <nil>" {
		t.Errorf("Active: %s", got)
	}
	for version, want := range map[string]string{"": second.Digest, "1.0.0": first.Digest, "2.0.0": second.Digest} {
		if p, err := s.Find("one", version); err != nil || p.Digest != want {
			t.Errorf("Find %q: %s, %v", version, p, err)
		}
	}
	if _, err := s.Find("one", "3.0.0"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if _, err := s.Install(t.Context(), store.InstallRequest{Source: packages["one"]}); !errors.Is(err, store.ErrDowngrade) {
		t.Errorf("back, and nobody asked for it: %v", err)
	}
	if _, err := s.Rollback(t.Context(), store.RollbackRequest{Name: "one"}); err != nil {
		t.Error(err)
	}
	if generations, err := s.Generations("one"); err != nil || len(generations) != 3 || generations[2].Version != "1.0.0" {
		t.Errorf("generations %+v, %v", generations, err)
	}
}

func TestRefusals(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(t *testing.T, dir string)
		want  string
	}{
		{"changed binary", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "driver"), read(t, filepath.Join(dir, "driver"))+"x")
			_ = os.Chmod(filepath.Join(dir, "driver"), 0o755)
		}, "driver is not what files.sha256 says"},
		{"changed manifest", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "driver.yaml"), read(t, filepath.Join(dir, "driver.yaml"))+"\n")
		}, "driver.yaml is not what files.sha256 says"},
		{"extra file", func(t *testing.T, dir string) { write(t, filepath.Join(dir, "extra"), "") }, "extra is in the package but not in files.sha256"},
		{"extra file below", func(t *testing.T, dir string) {
			_ = os.Mkdir(filepath.Join(dir, "doc"), 0o755)
			write(t, filepath.Join(dir, "doc", "extra"), "")
		}, "doc/extra is in the package but not"},
		{"missing file", func(_ *testing.T, dir string) { _ = os.Remove(filepath.Join(dir, "describe.json")) }, "describe.json is in files.sha256 but not in the package"},
		{"no list", func(_ *testing.T, dir string) { _ = os.Remove(filepath.Join(dir, "files.sha256")) }, "it is not a driver package"},
		{"link", func(t *testing.T, dir string) {
			_ = os.Remove(filepath.Join(dir, "driver"))
			if err := os.Symlink("/bin/true", filepath.Join(dir, "driver")); err != nil {
				t.Fatal(err)
			}
		}, "driver is not a plain file"},
		{"pipe", func(t *testing.T, dir string) {
			if err := unix.Mkfifo(filepath.Join(dir, "pipe"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, "pipe is not a plain file"},
		{"set-user-id", func(_ *testing.T, dir string) {
			_ = os.Chmod(filepath.Join(dir, "driver"), 0o755|fs.ModeSetuid)
		}, "set-user-id"},
		{"not executable", func(_ *testing.T, dir string) { _ = os.Chmod(filepath.Join(dir, "driver"), 0o644) }, "not executable"},
		{"path escapes", func(t *testing.T, dir string) {
			list := filepath.Join(dir, "files.sha256")
			write(t, list, read(t, list)+strings.Repeat("0", 64)+"  ../outside\n")
		}, `"../outside" is not the plain path`},
		{"absolute path", func(t *testing.T, dir string) {
			list := filepath.Join(dir, "files.sha256")
			write(t, list, read(t, list)+strings.Repeat("0", 64)+"  /etc/passwd\n")
		}, `"/etc/passwd" is an absolute path`},
		{"listed twice", func(t *testing.T, dir string) {
			list := filepath.Join(dir, "files.sha256")
			write(t, list, read(t, list)+strings.Repeat("0", 64)+"  driver\n")
		}, "driver is listed twice"},
		{"not a list", func(t *testing.T, dir string) { write(t, filepath.Join(dir, "files.sha256"), "hello\n") }, "line 1: not a digest"},
		{"manifest of another version", func(t *testing.T, dir string) {
			file := filepath.Join(dir, "driver.yaml")
			write(t, file, strings.Replace(read(t, file), "1.0.0", "1.0.1", 1))
			resign(t, dir)
		}, "disagree on the version: 1.0.1 against 1.0.0"},
		{"manifest with other types", func(t *testing.T, dir string) {
			file := filepath.Join(dir, "driver.yaml")
			write(t, file, strings.Replace(read(t, file), "coe: kubernetes", "coe: swarm", 1))
			resign(t, dir)
		}, "disagree on the cluster types"},
		{"manifest of a newer protocol", func(t *testing.T, dir string) {
			file := filepath.Join(dir, "driver.yaml")
			write(t, file, strings.Replace(read(t, file), "major: 1", "major: 7", 1))
			resign(t, dir)
		}, "speaks version 7 of the driver contract"},
		{"misspelt manifest", func(t *testing.T, dir string) {
			file := filepath.Join(dir, "driver.yaml")
			write(t, file, read(t, file)+"prioritty: 3\n")
			resign(t, dir)
		}, "not a driver manifest"},
		{"another binary", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "driver"), read(t, filepath.Join(packages["one-2"], "driver")))
			_ = os.Chmod(filepath.Join(dir, "driver"), 0o755)
			resign(t, dir)
		}, "does not describe itself as describe.json does"},
		{"not a program", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "driver"), "text")
			_ = os.Chmod(filepath.Join(dir, "driver"), 0o755)
			resign(t, dir)
		}, "cannot be asked what it is"},
		{"a script", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "driver"), "#!/bin/sh\nexit 0\n")
			_ = os.Chmod(filepath.Join(dir, "driver"), 0o755)
			resign(t, dir)
		}, "its interpreter /bin/sh has to be in the sandbox.exec of its manifest"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			home := filepath.Join(t.TempDir(), "drivers")
			s := openAt(t, home)
			dir := spoiled(t, "one")
			tt.spoil(t, dir)
			if _, err := s.Install(t.Context(), store.InstallRequest{Source: dir}); err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("got %v", err)
			}
			if all, err := s.Packages(); err != nil || len(all) != 0 {
				t.Errorf("it is there nevertheless: %v, %v", all, err)
			}
			if left, err := os.ReadDir(filepath.Join(home, "store", "sha256")); err != nil || len(left) != 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

func TestVersionIsImmutable(t *testing.T) {
	s := open(t)
	install(t, s, packages["one"])
	dir := spoiled(t, "one")
	write(t, filepath.Join(dir, "README"), "another build")
	resign(t, dir)
	if _, err := s.Install(t.Context(), store.InstallRequest{Source: dir}); err == nil || !strings.Contains(err.Error(), "a version never changes") {
		t.Errorf("got %v", err)
	}
}

func TestConflict(t *testing.T) {
	s := open(t)
	install(t, s, packages["one"])
	_, err := s.Install(t.Context(), store.InstallRequest{Source: packages["rival"]})
	if err == nil || !strings.Contains(err.Error(), "one 1.0.0") || !strings.Contains(err.Error(), "rival 1.0.0") {
		t.Errorf("got %v", err)
	}
	install(t, s, packages["other"]) // another priority is none
	if active, err := s.Active(); err != nil || len(active) != 2 {
		t.Errorf("%v, %v", active, err)
	}
}

func TestDamageIsFoundAndMended(t *testing.T) {
	s := open(t)
	install(t, s, packages["other"])
	p := install(t, s, packages["one"])
	makeWritable(p.Path)
	write(t, filepath.Join(p.Path, "describe.json"), "{}")
	if err := s.Verify(p); err == nil || !strings.Contains(err.Error(), "describe.json is not what files.sha256 says") {
		t.Errorf("Verify: %v", err)
	}
	all, err := s.Active()
	if err != nil || len(all) != 2 || all[0].Name != "one" || all[0].Damage == nil || all[1].Damage != nil {
		t.Errorf("Active: %+v, %v", all, err)
	}
	if _, err := s.Find("one", ""); err == nil {
		t.Error("Find returns it")
	}
	p = install(t, s, packages["one"])
	if err := s.Verify(p); err != nil {
		t.Errorf("after installing it again: %v", err)
	}

	makeWritable(p.Path)
	write(t, filepath.Join(p.Path, "extra"), "")
	if err := s.Verify(p); err == nil || !strings.Contains(err.Error(), "extra") {
		t.Errorf("Verify: %v", err)
	}
}

func TestConcurrentInstalls(t *testing.T) {
	s := open(t)
	var all sync.WaitGroup
	for range 4 {
		for _, key := range []string{"one", "other"} {
			all.Go(func() {
				if _, err := s.Install(t.Context(), store.InstallRequest{Source: packages[key]}); err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	if active, err := s.Active(); err != nil || len(active) != 2 {
		t.Errorf("%v, %v", active, err)
	}
	if g, err := s.Generations("one"); err != nil || len(g) != 1 {
		t.Errorf("%v, %v", g, err)
	}
}

func TestLockIsWaitedFor(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "drivers")
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Install(ctx, store.InstallRequest{Source: packages["one"]}); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "another installation is at work") {
		t.Errorf("got %v", err)
	}
}

func runIn(dir, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}
