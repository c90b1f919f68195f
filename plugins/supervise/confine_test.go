package supervise_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-magnum/magnum/plugins/launch"
	"github.com/go-magnum/magnum/plugins/store"
	"github.com/go-magnum/magnum/plugins/supervise"
)

// The manifest asks, the operator grants.
func TestManifestAsksOperatorGrants(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(testPackages[0], "driver")
	folder := filepath.Join(t.TempDir(), "package")
	asks := store.Asks{Resources: launch.Limits{Files: 200}, Sandbox: launch.Sandbox{Read: []string{file}}}
	if err := store.Pack(t.Context(), folder, binary, asks); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // removal needs folders that can be written to
		_ = filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
			if err == nil && e.IsDir() {
				_ = os.Chmod(path, 0o700)
			}
			return nil
		})
	})
	if _, err := s.Install(t.Context(), store.InstallRequest{Source: folder}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name                string
		granted, unconfined []string
		confine             launch.Confine
		files               string // its limit; empty where it is the host's
		reads               bool
	}{
		{name: "all granted", granted: []string{"*"}, files: "200 200", reads: true},
		{name: "granted by name", granted: []string{"other", "test-driver"}, files: "200 200", reads: true},
		{name: "others granted", granted: []string{"other"}, files: "1024 1024"},
		{name: "nobody granted", files: "1024 1024"},
		{name: "unconfined", unconfined: []string{"test-driver"}, reads: true},
		{name: "others unconfined", unconfined: []string{"other"}, files: "1024 1024"},
		{name: "off", confine: launch.ConfineOff, reads: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := config(t)
			cfg.Store, cfg.Granted, cfg.Unconfined = s, tt.granted, tt.unconfined
			cfg.Launch.Sandbox, cfg.Launch.Confine = launch.Sandbox{}, tt.confine
			d := drivers(t, cfg)
			set := get(t, d)
			confined := only(t, d).Confinement
			if (confined == "none") != (tt.files == "") {
				t.Errorf("confinement is %q", confined)
			}
			if tt.files != "" {
				if got, err := ask(t.Context(), set, "try:files"); err != nil || got != tt.files {
					t.Errorf("limit of files is %q, %v; want %q", got, err, tt.files)
				}
			}
			if tt.files != "" && !strings.HasPrefix(confined, "landlock") {
				t.Logf("this kernel does not confine files: %s", confined)
				return
			}
			got, err := ask(t.Context(), set, "try:read "+file)
			if err != nil || tt.reads != (got == "done") {
				t.Errorf("reading: %q, %v", got, err)
			}
		})
	}
}

// What has been applied is in the file that status reads.
func TestConfinementIsReported(t *testing.T) {
	cfg := config(t)
	cfg.RunDir = t.TempDir()
	d := supervise.New(cfg)
	t.Cleanup(func() {
		if err := d.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	get(t, d)
	until(t, "the report has it", func() bool {
		hosts, err := supervise.Hosts(cfg.RunDir)
		return err == nil && len(hosts) == 1 && len(hosts[0].Drivers) == 1 &&
			strings.Contains(hosts[0].Drivers[0].Confinement, "no_new_privs")
	})
}
