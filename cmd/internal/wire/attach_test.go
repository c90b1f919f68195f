package wire

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/plugins/store"
)

// A driver that is attached is the active version of its name, and the only one of
// its version: the database has one row for each.
func TestWithAttached(t *testing.T) {
	p := func(name, version, digest string, active bool) store.Package {
		return store.Package{Name: name, Version: version, Digest: digest, Active: active}
	}
	installed := []store.Package{p("a", "1.0.0", "1", false), p("a", "2.0.0", "2", true), p("b", "1.0.0", "3", true)}
	for name, tt := range map[string]struct{ attached, want []store.Package }{
		"nothing": {nil, installed},
		"a version that is installed": {
			[]store.Package{p("a", "2.0.0", "x", true)},
			[]store.Package{p("a", "1.0.0", "1", false), p("b", "1.0.0", "3", true), p("a", "2.0.0", "x", true)},
		},
		"another version": {
			[]store.Package{p("a", "3.0.0", "x", true)},
			[]store.Package{p("a", "1.0.0", "1", false), p("a", "2.0.0", "2", false), p("b", "1.0.0", "3", true), p("a", "3.0.0", "x", true)},
		},
		"another driver, twice": {
			[]store.Package{p("c", "1.0.0", "x", true), p("c", "1.0.0", "y", true)},
			append(append([]store.Package{}, installed...), p("c", "1.0.0", "y", true)),
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, with(append([]store.Package{}, installed...), tt.attached)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
