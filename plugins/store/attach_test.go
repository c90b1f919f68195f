package store_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"aead.dev/minisign"
	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/plugins/store"
	"github.com/go-magnum/magnum/sdk/driver"
)

// A process is as good as a package, where that could be installed, and leaves
// nothing in the store.
func TestAttached(t *testing.T) {
	t.Parallel()
	s := open(t)
	have := install(t, s, packages["one"])
	p, err := s.Attached(have.Description)
	if err != nil {
		t.Fatal(err)
	}
	want := have
	want.Digest, want.Path, want.BinaryDigest = p.Digest, "", ""
	if diff := cmp.Diff(want, p); diff != "" {
		t.Error(diff)
	}
	older, other := have.Description, have.Description
	older.Version, other.DisplayName = "0.9.0", "Another text"
	for name, d := range map[string]driver.Description{"an older version": older, "another description": other} {
		changed, err := s.Attached(d)
		if err != nil || changed.Digest == p.Digest {
			t.Errorf("%s: %s, %v", name, changed.Digest, err)
		}
	}
	if all, err := s.Packages(); err != nil || len(all) != 1 {
		t.Errorf("the store has %v, %v", all, err)
	}
}

func TestAttachedIsRefused(t *testing.T) {
	t.Parallel()
	public, _, err := minisign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	trust := fmt.Sprintf("keys: [{name: acme, public: %s}]\npublishers: [{drivers: [one], keys: [acme]}]\n", public)
	for _, tt := range []struct {
		name, want string
		is         error
		change     func(*driver.Description)
		trust      string
	}{
		{"name", `"Not/Good" is not a driver's name`, nil, func(d *driver.Description) { d.Name = "Not/Good" }, ""},
		{"version", `"v1" is not a version`, nil, func(d *driver.Description) { d.Version = "v1" }, ""},
		{"cluster type", "drivers one 1.0.0 and rival 1.0.0 both make clusters of type", store.ErrConflict, func(d *driver.Description) { d.Name = "rival" }, ""},
		{"trust", "a process that is attached is signed by nobody", store.ErrUnsigned, nil, trust},
		{"broken trust", "publisers", store.ErrTrustFile, nil, "publisers: []\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			d := install(t, s, packages["one"]).Description
			if tt.change != nil {
				tt.change(&d)
			}
			s.TrustFile = filepath.Join(t.TempDir(), "driver-trust.yaml")
			write(t, s.TrustFile, tt.trust)
			_, err := s.Attached(d)
			if err == nil || !strings.Contains(err.Error(), tt.want) || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if err := s.MayAttach(); (err == nil) != (tt.trust == "") {
				t.Errorf("got %v", err)
			}
		})
	}
}
