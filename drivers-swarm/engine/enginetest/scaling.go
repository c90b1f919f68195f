package enginetest

import (
	"context"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template/templatetest"
)

// Selects is a hook that asks a manager, and what it has to answer.
type Selects struct {
	Hook    driver.Scaling
	Manager Manager
	// First is the one of Servers that goes first.
	First driver.Selected
	// Path is one that the hook asks for.
	Path string
	// Lies are managers that answer with what cannot be.
	Lies map[string]Manager
}

// Run sees that the hook asks over TLS and without, and that a manager that is
// slow, refuses or lies leaves the choice to Heat: with an error of a class, and
// in the caller's time.
func (s Selects) Run(t *testing.T) {
	ask := func(ctx context.Context, access driver.COEAccess, tlsDisabled bool) ([]driver.Selected, error) {
		req := driver.SelectNodesRequest{Nodes: Servers(), Count: 1, Access: access}
		req.Template.TLSDisabled = tlsDisabled
		got, err := s.Hook.SelectNodes(ctx, req)
		return got.Nodes, err
	}
	t.Run("Answers", func(t *testing.T) {
		plain := httptest.NewServer(s.Manager)
		t.Cleanup(plain.Close)
		for name, access := range map[string]driver.COEAccess{
			"tls": s.Manager.Start(t), "plain": {Endpoint: strings.Replace(plain.URL, "http://", "tcp://", 1)},
		} {
			got, err := ask(t.Context(), access, name == "plain")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]driver.Selected{s.First}, got); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	})
	t.Run("Nobody", func(t *testing.T) {
		got, err := s.Hook.SelectNodes(t.Context(), driver.SelectNodesRequest{Nodes: Servers(), Count: 0, Access: Manager{Status: 500}.Start(t)})
		if err != nil || len(got.Nodes) != 0 {
			t.Errorf("%v: %v", got, err)
		}
	})
	t.Run("Slow", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := ask(ctx, Manager{Slow: true}.Start(t), false)
		if driver.ClassOf(err) != driver.ClassUnavailable || err.Error() != context.DeadlineExceeded.Error() {
			t.Errorf("%v", err)
		}
	})
	another := s.Manager.Start(t)
	another.CACert = templatetest.StartCloud(t).Authority("")
	none := s.Manager.Start(t)
	none.CACert = ""
	refusals := map[string]driver.COEAccess{
		"refuses":                   Manager{Status: 503}.Start(t),
		"wants another certificate": Manager{Status: 403}.Start(t),
		"knows nothing":             s.Manager.Without(s.Path).Start(t),
		"is text":                   s.Manager.With(s.Path, `<html>`).Start(t),
		"is endless":                s.Manager.With(s.Path, strings.Repeat(" ", 33<<20)).Start(t),
		"is not there":              {Endpoint: "tcp://127.0.0.1:1", CACert: another.CACert},
		"has no address":            {},
		"is another's":              another,
		"has no CA":                 none,
	}
	for name, m := range s.Lies {
		refusals[name] = m.Start(t)
	}
	for _, name := range slices.Sorted(maps.Keys(refusals)) {
		t.Run(name, func(t *testing.T) {
			want := driver.ClassUnavailable
			if name == "has no CA" || name == "wants another certificate" {
				want = driver.ClassAuth
			}
			got, err := ask(t.Context(), refusals[name], false)
			if err == nil || driver.ClassOf(err) != want {
				t.Errorf("%v, %v (class %s)", got, err, driver.ClassOf(err))
			}
		})
	}
}
