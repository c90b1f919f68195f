package launch_test

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/plugins/launch"
)

func TestAbandoned(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []struct {
		name string
		mode os.FileMode
		age  time.Duration
	}{
		{"driver-1", 0o700, time.Hour}, {"driver-new", 0o700, 0}, {"driver-open", 0o755, time.Hour}, {"other-1", 0o700, time.Hour},
		{"driver-12", 0o700, time.Hour},
	} {
		path := filepath.Join(dir, d.name)
		if err := os.Mkdir(path, d.mode); err != nil {
			t.Fatal(err)
		}
		if d.name == "driver-12" {
			listener, err := net.Listen("unix", filepath.Join(path, "socket"))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = listener.Close() }()
		}
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(-d.age)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := launch.Abandoned(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{filepath.Join(dir, "driver-1")}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, err := launch.Abandoned(filepath.Join(dir, "none")); len(got) > 0 || err != nil {
		t.Errorf("where there is nothing: %v, %v", got, err)
	}
}
