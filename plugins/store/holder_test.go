package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestHolder(t *testing.T) {
	dir := t.TempDir()
	s := openAt(t, dir)
	want := func(wantPID int, wantHeld bool) {
		t.Helper()
		if pid, held, err := s.Holder(); pid != wantPID || held != wantHeld || err != nil {
			t.Errorf("process %d, %t, %v; want %d, %t", pid, held, err, wantPID, wantHeld)
		}
	}
	want(0, false) // there is no lock yet
	f, err := os.Create(filepath.Join(dir, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	want(0, false)
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		t.Fatal(err)
	}
	want(os.Getpid(), true)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	want(0, false)
}
