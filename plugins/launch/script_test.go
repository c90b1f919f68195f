package launch_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/plugins/launch"
)

// script is a configuration for a driver in the shell's language, which may
// execute the shell.
func script(t *testing.T, text string) launch.Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), "driver")
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	sum, err := digest(path)
	if err != nil {
		t.Fatal(err)
	}
	return launch.Config{
		Name: "script", Binary: path, SHA256: sum, RuntimeDir: t.TempDir(), Logger: hclog.NewNullLogger(),
		Sandbox: launch.Sandbox{Exec: []string{"/bin/sh"}},
	}
}

func TestScript(t *testing.T) {
	cfg := script(t, "#!/bin/sh -u\necho \"$# $1\"\n")
	before := descriptors(t)
	out, err := launch.Describe(t.Context(), cfg)
	if err != nil || string(out) != "1 describe\n" {
		t.Errorf("got %q, %v", out, err)
	}
	if after := descriptors(t); len(after) > len(before) {
		t.Errorf("descriptors left open: before %v, after %v", before, after)
	}

	// What it executes is the file that was verified, and not what the path
	// means since.
	cfg = script(t, "#!/bin/sh\nread line <\"$0\" && echo \"$line $0\"\n")
	out, err = launch.Describe(t.Context(), cfg)
	if err != nil || !strings.HasPrefix(string(out), "#!/bin/sh /proc/self/fd/") {
		t.Errorf("its own name: %q, %v", out, err)
	}
}

func TestScriptsThatDoNotStart(t *testing.T) {
	landlock(t, 1)
	tests := map[string]struct {
		line  string
		grant []string
		want  string
	}{
		"interpreter not asked for": {"#!/bin/sh", nil, "its interpreter /bin/sh has to be in the sandbox.exec of its manifest"},
		"interpreter missing":       {"#!/nowhere/at/all", nil, "is its interpreter /nowhere/at/all there"},
		"no interpreter":            {"#! ", []string{"/bin/sh"}, "first line names no interpreter"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := script(t, tt.line+"\necho\n")
			cfg.Sandbox.Exec = tt.grant
			if _, err := launch.Describe(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// A script's process is known by what the system executes.
func TestScriptIsIdentified(t *testing.T) {
	p, err := launch.Start(t.Context(), script(t, "#!/bin/sh\necho \"1|1|unix|$PLUGIN_UNIX_SOCKET_DIR/none|grpc\"\nread line\n"))
	if err != nil {
		t.Fatal(err)
	}
	if !p.Identity().Alive() {
		t.Errorf("%+v is not found alive", p.Identity())
	}
	if err := p.Kill(); err != nil {
		t.Error(err)
	}
	if p.Identity().Alive() {
		t.Errorf("%+v is found alive after its end", p.Identity())
	}
}
