package mesos_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-magnum/magnum/sdk/template/templatetest"
)

func gone(t *testing.T, m *templatetest.Machine, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if _, err := os.Stat(m.Path(path)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there: %v", path, err)
		}
	}
}

// readable: ZooKeeper and Marathon run as users of their own.
func readable(t *testing.T, m *templatetest.Machine, path string) {
	t.Helper()
	for path := m.Path(path); path != m.Path("."); path = filepath.Dir(path) {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		want := fs.FileMode(0o444)
		if info.IsDir() {
			want = 0o555
		}
		if info.Mode().Perm()&want != want && filepath.Base(path) != "etc" && filepath.Base(path) != "var" {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
	}
}
