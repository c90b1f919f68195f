package supervise_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-magnum/magnum/plugins/store"
	"github.com/go-magnum/magnum/plugins/supervise"
)

func TestProve(t *testing.T) {
	s, install := ownStore(t)
	install(2)
	install(3)
	find := func(version string) store.Package {
		t.Helper()
		p, err := s.Find("test-driver", version)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	other := find("1.0.0")
	other.Description.DisplayName = "Another"
	for name, c := range map[string]struct {
		pkg    store.Package
		config string
		want   string // in the error; none if empty
	}{
		"good":                    {pkg: find("1.0.0"), config: `{"key": "short"}`},
		"does not start":          {pkg: find("3.0.0"), want: "cannot open /etc/test-driver.conf"},
		"its configuration":       {pkg: find("2.0.0"), config: `{"key": "far too long"}`, want: "does not fit the driver's config_schema at /key"},
		"another describe.json":   {pkg: other, want: "it does not describe itself as its describe.json does"},
		"another binary's digest": {pkg: func() store.Package { p := find("1.0.0"); p.BinaryDigest = strings.Repeat("0", 64); return p }(), want: "was changed"},
	} {
		cfg := config(t) // sees that nothing is left behind
		cfg.Store = s
		if c.config != "" {
			cfg.Configuration = func(string) ([]byte, error) { return []byte(c.config), nil }
		}
		err := supervise.Prove(t.Context(), cfg, c.pkg)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (!errors.Is(err, supervise.ErrUnproved) || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// A version that becomes active is started where the driver is in use, though
// all calls name another version, as those for clusters do.
func TestActiveVersionIsStartedAhead(t *testing.T) {
	s, install := ownStore(t)
	cfg := config(t)
	cfg.Store, cfg.RunDir = s, filepath.Join(t.TempDir(), "run")
	d := drivers(t, cfg)
	install(2)
	if _, err := d.Get(t.Context(), "test-driver", "1.0.0"); err != nil {
		t.Fatal(err)
	}
	until(t, "version 2 is ready", func() bool { return of(d, "2.0.0").State == supervise.StateReady })
	if got := of(d, "1.0.0"); got.State != supervise.StateReady {
		t.Errorf("version 1 is %+v", got)
	}
}
