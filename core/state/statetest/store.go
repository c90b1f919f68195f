package statetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/sdk/driver"
)

func keypairTests() map[string]func(*testing.T, *suite) {
	pair := state.Keypair{UUID: "k1", Certificate: "c", PrivateKey: "secret-key", Passphrase: "secret-pass", Intermediates: "i", ProjectID: "p", UserID: "u"}
	return map[string]func(*testing.T, *suite){
		"stored and deleted": func(t *testing.T, s *suite) {
			must(t, s.SaveKeypair(t.Context(), pair))
			got, err := s.Keypair(t.Context(), "k1")
			must(t, err)
			if got != pair {
				t.Error("something else came back")
			}
			wantError(t, s.SaveKeypair(t.Context(), pair), magnum.Conflict, "A x509KeyPair with UUID k1 already exists.")
			must(t, s.DeleteKeypair(t.Context(), "k1"))
			must(t, s.DeleteKeypair(t.Context(), "k1"))
			_, err = s.Keypair(t.Context(), "k1")
			wantError(t, err, magnum.NotFound, "A key pair k1 could not be found.")
		},
		"printing shows no secrets": func(t *testing.T, _ *suite) {
			for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
				if text := fmt.Sprintf(format, pair); strings.Contains(text, "secret") {
					t.Errorf("%s prints %s", format, text)
				}
			}
		},
		"of a cluster": func(t *testing.T, s *suite) {
			c := s.ready(t, "c")
			save := func(suffix string, purposes ...string) error {
				pairs := map[string]state.Keypair{}
				for _, p := range purposes {
					pairs[p] = state.Keypair{UUID: p + suffix, Certificate: suffix}
				}
				return s.SaveClusterKeypairs(t.Context(), c.UUID, pairs)
			}
			must(t, save("-1", "ca", "etcd"))
			must(t, save("-2", "ca", "etcd", "sa")) // the first one wins
			got, err := s.ClusterKeypairs(t.Context(), c.UUID)
			must(t, err)
			if len(got) != 3 || got["ca"].UUID != "ca-1" || got["etcd"].Certificate != "-1" || got["sa"].UUID != "sa-2" {
				t.Errorf("got %v", got)
			}
			if _, err := s.Keypair(t.Context(), "ca-2"); magnum.KindOf(err) != magnum.NotFound {
				t.Errorf("the loser is stored: %v", err)
			}
			must(t, s.DeleteKeypair(t.Context(), "sa-2"))
			must(t, save("-3", "sa"))
			must(t, s.DeleteClusterKeypairs(t.Context(), c.UUID))
			for _, uuid := range []string{"ca-1", "etcd-1", "sa-3"} {
				if _, err := s.Keypair(t.Context(), uuid); magnum.KindOf(err) != magnum.NotFound {
					t.Errorf("%s: %v", uuid, err)
				}
			}
			wantError(t, s.SaveClusterKeypairs(t.Context(), nobody, map[string]state.Keypair{"x": {UUID: "x"}}), magnum.NotFound,
				"Cluster "+nobody+" could not be found.")
		},
		"rule 3: changed by the owner of an operation": changeKeypairs,
	}
}

// changeKeypairs: purposes, rows, cluster and operation change together, or
// nothing does.
func changeKeypairs(t *testing.T, s *suite) {
	c := s.ready(t, "c")
	must(t, s.Accept(t.Context(), c.UUID, &magnum.Operation{Kind: magnum.OpRotateCA}, accept))
	lost := s.claim(t, "a")
	s.clock.Add(2 * lease)
	op := s.claim(t, "b")
	pairs := map[string]state.Keypair{"ca": {UUID: "k1"}, "next": {UUID: "k2"}, "more": {UUID: "k3"}}
	if err := s.StageKeypairs(t.Context(), lost, pairs); !errors.Is(err, state.ErrFenced) {
		t.Errorf("staged by one who lost it: %v", err)
	}
	must(t, s.StageKeypairs(t.Context(), op, pairs))
	must(t, s.StageKeypairs(t.Context(), op, map[string]state.Keypair{"ca": {UUID: "k4"}}))
	must(t, s.SaveKeypair(t.Context(), state.Keypair{UUID: "foreign"}))
	check := func(what, ref string, want map[string]string) {
		t.Helper()
		got, err := s.ClusterKeypairs(t.Context(), c.UUID)
		must(t, err)
		have := map[string]string{}
		for purpose, pair := range got {
			have[purpose] = pair.UUID
		}
		wantSame(t, what, want, have)
		if s.get(t, c.UUID).CACertRef != ref {
			t.Errorf("%s: the cluster refers to %q, want %q", what, s.get(t, c.UUID).CACertRef, ref)
		}
	}
	all := map[string]string{"ca": "k1", "next": "k2", "more": "k3"}
	check("staged", "", all)
	change := func(c *magnum.Cluster, pairs map[string]string) error { //nolint:unparam // that is its type
		c.CACertRef = "k2"
		pairs["old"], pairs["ca"], pairs["adopted"] = pairs["ca"], pairs["next"], "foreign"
		delete(pairs, "next")
		delete(pairs, "more")
		return nil
	}
	refused := errors.New("refused")
	err := s.AdvanceKeypairs(t.Context(), op, func(c *magnum.Cluster, pairs map[string]string) error {
		return errors.Join(change(c, pairs), refused)
	})
	if !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	check("refused", "", all)
	if err := s.AdvanceKeypairs(t.Context(), lost, change); !errors.Is(err, state.ErrFenced) {
		t.Errorf("changed by one who lost it: %v", err)
	}
	check("lost", "", all)
	must(t, s.AdvanceKeypairs(t.Context(), op, change))
	check("changed", "k2", map[string]string{"ca": "k2", "old": "k1", "adopted": "foreign"})
	must(t, s.FinishKeypairs(t.Context(), op, func(_ *magnum.Cluster, pairs map[string]string) error {
		delete(pairs, "old")
		delete(pairs, "adopted")
		return nil
	}))
	check("finished", "k2", map[string]string{"ca": "k2"})
	for uuid, there := range map[string]bool{"k1": false, "k2": true, "k3": false, "k4": false, "foreign": false} {
		if _, err := s.Keypair(t.Context(), uuid); (err == nil) != there {
			t.Errorf("keypair %s: %v", uuid, err)
		}
	}
	if active, err := s.ActiveOperation(t.Context(), c.UUID); err != nil || active != nil {
		t.Errorf("not finished: %v, %v", active, err)
	}
}

func publishTests() map[string]func(*testing.T, *suite) {
	return map[string]func(*testing.T, *suite){
		"drivers": func(t *testing.T, s *suite) {
			all := []state.Driver{
				{Name: "a", Version: "1.0.0", Digest: "sha256:1", Description: driver.Description{Name: "a", Version: "1.0.0"}},
				{Name: "a", Version: "1.1.0", Digest: "sha256:2", Active: true, Description: driver.Description{
					Name: "a", Version: "1.1.0", Maturity: driver.MaturityBeta, LabelSchema: driver.RawJSON(`{"type":"object"}`),
					ClusterTypes: []driver.ClusterType{{ServerType: "vm", OS: "fedora-atomic", COE: "kubernetes"}},
					Capabilities: []driver.Capability{driver.CapResize},
				}},
				{Name: "b", Version: "2.0.0", Digest: "sha256:3", Active: true, Description: driver.Description{Name: "b"}},
			}
			for _, published := range [][]state.Driver{all, all, all[1:], {}} {
				must(t, s.PublishDrivers(t.Context(), published))
				got, err := s.Drivers(t.Context())
				must(t, err)
				wantSame(t, "drivers", published, got)
			}
		},
		"pins": func(t *testing.T, s *suite) {
			var want []state.Pin
			for _, name := range []string{"c1", "c2"} {
				c := s.newCluster(t, name)
				c.Driver = magnum.DriverRef{Name: "atomic", Version: "1.0." + name[1:]}
				must(t, s.AcceptCreate(t.Context(), c, &magnum.Operation{Kind: magnum.OpCreate}, 2))
				want = append(want, state.Pin{ClusterUUID: c.UUID, Driver: c.Driver})
			}
			slices.SortFunc(want, func(a, b state.Pin) int { return strings.Compare(a.ClusterUUID, b.ClusterUUID) })
			got, err := s.Pins(t.Context())
			must(t, err)
			wantSame(t, "pins", want, got)
		},
		"withdrawn": func(t *testing.T, s *suite) {
			accept := func(name string, to magnum.DriverRef) (*magnum.Cluster, error) {
				c := s.newCluster(t, name)
				c.Driver = to
				return c, s.AcceptCreate(t.Context(), c, &magnum.Operation{Kind: magnum.OpCreate}, 9)
			}
			old, other := magnum.DriverRef{Name: "atomic", Version: "1.0.0"}, magnum.DriverRef{Name: "atomic", Version: "1.1.0"}
			c, err := accept("c1", old)
			must(t, err)
			withdraw := func(force bool, want ...string) {
				t.Helper()
				pinned, err := s.Withdraw(t.Context(), old, force)
				must(t, err)
				wantSame(t, "pinned", want, pinned)
			}
			repin := func(to magnum.DriverRef) error {
				return s.Repin(t.Context(), c.UUID, to, func(*magnum.Cluster) error { return nil })
			}
			busy := "Cluster c1 already has an operation in progress."
			gone := "Driver atomic 1.0.0 is being removed and takes no more clusters. Please try again in a few minutes."
			withdraw(false, c.UUID) // changes nothing: there is a cluster
			wantError(t, repin(other), magnum.Conflict, busy)
			must(t, s.Finish(t.Context(), s.claim(t, "o"), nil))
			c2, err := accept("c2", old)
			must(t, err)
			must(t, repin(other))
			withdraw(true, c2.UUID)
			_, err = accept("c3", old)
			wantError(t, err, magnum.Conflict, gone)
			wantError(t, repin(old), magnum.Conflict, gone)
			err = s.Accept(t.Context(), c.UUID, nil, func(c *magnum.Cluster) error { c.Driver = old; return nil })
			wantError(t, err, magnum.Conflict, gone)
			_, err = accept("c4", other)
			must(t, err)
			withdraw(true, c2.UUID) // once more
			s.clock.Add(3 * time.Minute)
			_, err = accept("c5", old) // it may have been installed again
			must(t, err)
			refusal := errors.New("unfit")
			if err := s.Repin(t.Context(), c.UUID, old, func(*magnum.Cluster) error { return refusal }); !errors.Is(err, refusal) {
				t.Errorf("got %v", err)
			}
			wantSame(t, "driver", other, s.get(t, c.UUID).Driver)
			must(t, repin(old))
			wantSame(t, "driver", old, s.get(t, c.UUID).Driver)
		},
		"fleet": func(t *testing.T, s *suite) {
			start := s.clock.Now()
			one := state.HostDriver{Name: "a", Version: "1.0.0", Digest: "d1", Active: true, Generation: 3, State: "Ready", PID: 7, Since: start}
			two := state.HostDriver{Name: "a", Version: "1.1.0", Digest: "d2", State: "Installed"}
			seen := func(d state.HostDriver, host string, at time.Time) state.HostDriver {
				d.Host, d.SeenAt = host, at
				return d
			}
			fleet := func(want ...state.HostDriver) {
				t.Helper()
				got, err := s.Fleet(t.Context())
				must(t, err)
				wantSame(t, "fleet", append([]state.HostDriver{}, want...), got)
			}
			fleet()
			must(t, s.ReportDrivers(t.Context(), "h2", []state.HostDriver{one}))
			must(t, s.ReportDrivers(t.Context(), "h1", []state.HostDriver{two, one}))
			fleet(seen(one, "h1", start), seen(two, "h1", start), seen(one, "h2", start))
			s.clock.Add(24 * time.Hour)
			now := s.clock.Now()
			must(t, s.ReportDrivers(t.Context(), "h1", []state.HostDriver{two}))
			fleet(seen(two, "h1", now), seen(one, "h2", start)) // silent, and there still
			s.clock.Add(time.Second)
			must(t, s.ReportDrivers(t.Context(), "h1", nil))
			fleet()
		},
		"heartbeats": func(t *testing.T, s *suite) {
			start := s.clock.Now()
			must(t, s.Heartbeat(t.Context(), "h", "magnum-conductor"))
			s.clock.Add(time.Minute)
			must(t, s.Heartbeat(t.Context(), "h", "magnum-conductor"))
			must(t, s.Heartbeat(t.Context(), "h2", "magnum-conductor"))
			got, err := s.Services(t.Context())
			must(t, err)
			now := s.clock.Now()
			wantSame(t, "services", []state.Service{
				{ID: 1, Host: "h", Binary: "magnum-conductor", ReportCount: 2, CreatedAt: start, UpdatedAt: now, LastSeenUp: now},
				{ID: 2, Host: "h2", Binary: "magnum-conductor", ReportCount: 1, CreatedAt: now, LastSeenUp: now},
			}, got)
		},
	}
}
