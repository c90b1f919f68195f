package supervise_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-magnum/magnum/plugins/launch"
	"github.com/go-magnum/magnum/plugins/store"
)

// What others may write to when a driver is to be started is not started.
func TestStartAsksWhoMayWrite(t *testing.T) {
	installed, err := testStore.Find("test-driver", "")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "drivers")
	t.Cleanup(func() { // read-only folders are in the way of the removal
		_ = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, _ error) error { return os.Chmod(path, 0o700) })
	})
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Install(t.Context(), store.InstallRequest{Source: installed.Path}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, filepath.Join(dir, "store", "sha256"), filepath.Join(dir, "store", "sha256", installed.Digest, "driver")} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, info.Mode().Perm()|0o002); err != nil {
			t.Fatal(err)
		}
		cfg := config(t)
		cfg.Store = s
		d := drivers(t, cfg)
		_, err = d.Get(t.Context(), "test-driver", "")
		if err == nil || !strings.Contains(err.Error(), "everybody may write to it") {
			t.Errorf("%s: %v", path, err)
		}
		for _, status := range d.Status() {
			if status.PID != 0 {
				t.Errorf("%s: process %d was started", path, status.PID)
			}
		}
		if err := os.Chmod(path, info.Mode().Perm()); err != nil {
			t.Fatal(err)
		}
		if err := launch.CheckOwner(path); errors.Is(err, launch.ErrOwner) {
			t.Errorf("mended: %v", err)
		}
	}
	cfg := config(t)
	cfg.Store = s
	get(t, drivers(t, cfg)) // mended
}
