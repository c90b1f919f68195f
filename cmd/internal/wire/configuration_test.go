package wire

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/cmd/internal/command"
	"github.com/go-magnum/magnum/core/config"
	"github.com/go-magnum/magnum/plugins/store"
)

// Drivers are configured by the files of [drivers] config_dir, as they are when
// they are asked for.
func TestConfigurationOfDrivers(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	conf, err := config.Load(write("magnum.conf", fmt.Sprintf("[DEFAULT]\nstate_path = %s\n[drivers]\nconfig_dir = %s\n", dir, dir)))
	if err != nil {
		t.Fatal(err)
	}
	env := command.Env{Config: conf, Logger: hclog.NewNullLogger()}
	s, err := Store(conf)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Supervision(env, s)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ file, want string }{
		{"", ""},
		{"version: ^1\n", ""},
		{"config: {region: one, since: 2026-01-02, ports: [80, 443], deep: {a: true}}\n",
			`{"deep":{"a":true},"ports":[80,443],"region":"one","since":"2026-01-02"}`},
		{"config: {}\n", "{}"},
	} {
		if tt.file != "" {
			write("acme.yaml", tt.file)
		}
		got, err := c.Configuration("acme")
		if err != nil || string(got) != tt.want {
			t.Errorf("%q: %s, %v, want %s", tt.file, got, err, tt.want)
		}
	}
	write("acme.yaml", "config: [")
	if got, err := c.Configuration("acme"); err == nil {
		t.Errorf("a file that cannot be read gives %s", got)
	}
}

func TestLogLevelOfDrivers(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		file string
		want hclog.Level
		bad  string
	}{
		{"log_level: debug\n", hclog.Debug, ""},
		{"version: ^1\n", hclog.NoLevel, ""},
		{"log_level: loud\n", hclog.NoLevel, `log_level: "loud" is none of trace, debug, info, warn, error and off`},
	} {
		if err := os.WriteFile(filepath.Join(dir, "acme.yaml"), []byte(tt.file), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := store.LogLevel(dir, "acme"); got != tt.want {
			t.Errorf("%q: %s, want %s", tt.file, got, tt.want)
		}
		_, err := store.Configuration(dir, "acme")
		if (err == nil) != (tt.bad == "") || err != nil && !strings.Contains(err.Error(), tt.bad) {
			t.Errorf("%q: %v, want %q", tt.file, err, tt.bad)
		}
	}
	if got := store.LogLevel(dir, "nobody"); got != hclog.NoLevel {
		t.Errorf("without a file: %s", got)
	}
}
