package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/cmd/internal/command"
	"github.com/go-magnum/magnum/plugins/store"
)

// Folders of one driver in two versions, for tests to copy and spoil.
var one, two string

// asCommand in the environment makes the test's executable the command.
const asCommand = "MAGNUM_DRIVER_MANAGE_TEST"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		if err := hideCalls(os.Getenv(withoutCalls)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		main()
		return
	}
	dir, err := os.MkdirTemp("", "manage")
	if err == nil {
		one, err = pack1(dir, "1.0.0")
	}
	if err == nil {
		two, err = pack1(dir, "1.1.0")
	}
	code := 1
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	} else {
		code = m.Run()
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func pack1(dir, version string) (string, error) { return packAs(dir, "acme_k8s", version) }

func packAs(dir, name, version string, flags ...string) (string, error) {
	binary := filepath.Join(dir, "driver-"+version)
	build := exec.CommandContext(context.Background(), "go", "build", "-ldflags", "-s -w -X main.name="+name+" -X main.version="+version+" "+strings.Join(flags, " "),
		"-o", binary, "github.com/go-magnum/magnum/plugins/internal/launchtest/driver")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the test driver: %w: %s", err, out)
	}
	to := filepath.Join(dir, "package-"+version)
	return to, store.Pack(context.Background(), to, binary, store.Asks{})
}

// host is a machine with a store of its own.
type host struct {
	t    *testing.T
	dir  string
	conf string
}

func newHost(t *testing.T) *host {
	t.Helper()
	dir := t.TempDir()
	t.Cleanup(func() { writable(dir) }) // in the way of the removal for all but root
	h := &host{t: t, dir: dir, conf: filepath.Join(dir, "magnum.conf")}
	h.write("magnum.conf", fmt.Sprintf("[DEFAULT]\nstate_path = %s\n", dir))
	return h
}

func writable(dir string) {
	_ = filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			_ = os.Chmod(path, 0o755)
		}
		return nil
	})
}

func (h *host) write(name, text string) string {
	h.t.Helper()
	path := filepath.Join(h.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		h.t.Fatal(err)
	}
	return path
}

// run runs the command, and returns what it printed, its exit code and error.
func (h *host) run(args ...string) (out string, code int, err error) {
	h.t.Helper()
	var stdout bytes.Buffer
	c := root()
	c.SetArgs(append(args, "--config-file", h.conf))
	c.SetOut(&stdout)
	c.SetErr(&stdout)
	err = c.ExecuteContext(h.t.Context())
	return stdout.String(), command.ExitCode(err), err
}

// process runs the command as a process of its own.
func (h *host) process(args ...string) (said string, code int) {
	h.t.Helper()
	self, err := os.Executable()
	if err != nil {
		h.t.Fatal(err)
	}
	cmd := exec.CommandContext(h.t.Context(), self, append(args, "--config-file", h.conf)...)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		h.t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// must runs a command that has to succeed.
func (h *host) must(args ...string) string {
	h.t.Helper()
	out, _, err := h.run(args...)
	if err != nil {
		h.t.Fatalf("%v: %v", args, err)
	}
	return out
}

// refused runs a command that has to fail with a code and words.
func (h *host) refused(code int, want string, args ...string) {
	h.t.Helper()
	_, got, err := h.run(args...)
	if got != code || err == nil || !strings.Contains(err.Error(), want) {
		h.t.Errorf("%v: exit code %d, want %d, and %q in %v", args, got, code, want, err)
	}
}

// installed is all that the store knows, down to unfinished copies.
func (h *host) installed() string {
	h.t.Helper()
	content, err := os.ReadDir(filepath.Join(h.dir, "drivers", "store", "sha256"))
	if err != nil && !os.IsNotExist(err) {
		h.t.Fatal(err)
	}
	return fmt.Sprintf("%d in the store\n%s", len(content), h.must("list", "-f", "value", "-c", "Name", "-c", "Version", "-c", "State"))
}

func TestExitCodesAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/drivers/store.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[int]string{}
	for _, row := range regexp.MustCompile(`(?m)^\| (\d+) \| (.+) \|$`).FindAllStringSubmatch(string(text), -1) {
		code, _ := strconv.Atoi(row[1])
		documented[code] = row[2]
	}
	inCode := map[int]string{}
	for _, e := range exits {
		if _, twice := inCode[e.code]; twice {
			t.Errorf("exit code %d has two meanings", e.code)
		}
		inCode[e.code] = e.when
	}
	if diff := cmp.Diff(inCode, documented); diff != "" {
		t.Errorf("docs/drivers/store.md (-code +docs):\n%s", diff)
	}
}
