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
				must(t, s.PublishDrivers(t.Context(), "h", published))
				got, err := s.Drivers(t.Context())
				must(t, err)
				wantSame(t, "drivers", published, got)
			}
		},
		"drivers of hosts that differ": func(t *testing.T, s *suite) {
			// Of each driver: version, * if active, content.
			publish := func(host string, offers ...string) {
				t.Helper()
				var all []state.Driver
				for _, o := range offers {
					name, version, _ := strings.Cut(o, " ")
					version, digest, _ := strings.Cut(version, " ")
					version, active := strings.CutSuffix(version, "*")
					all = append(all, state.Driver{Name: name, Version: version, Digest: digest, Active: active,
						Description: driver.Description{Name: name, Version: version, DisplayName: name + version + digest}})
				}
				must(t, s.Heartbeat(t.Context(), host, state.ConductorBinary))
				must(t, s.PublishDrivers(t.Context(), host, all))
			}
			want := func(why string, want ...string) {
				t.Helper()
				all, err := s.Drivers(t.Context())
				must(t, err)
				var got []string
				for _, d := range all {
					if d.Description.DisplayName != d.Name+d.Version+d.Digest {
						t.Errorf("%s: driver %s %s is described as %q", why, d.Name, d.Version, d.Description.DisplayName)
					}
					text := d.Name + " " + d.Version
					if d.Active {
						text += "*"
					}
					got = append(got, strings.TrimSpace(text+" "+d.Digest))
				}
				wantSame(t, why, want, got)
			}
			publish("a", "k8s 1.1.0*")
			publish("b", "k8s 1.1.0*", "mesos 1.0.0*")
			want("one has more", "k8s 1.1.0*", "mesos 1.0.0*")
			publish("a", "k8s 1.1.0", "k8s 1.2.0*")
			want("an upgrade has begun: b has the old one only", "k8s 1.1.0*", "k8s 1.2.0", "mesos 1.0.0*")
			publish("a", "k8s 1.2.0*")
			want("as many have either: the older one", "k8s 1.1.0*", "k8s 1.2.0", "mesos 1.0.0*")
			publish("b", "k8s 1.1.0", "k8s 1.2.0*", "mesos 1.0.0*")
			want("both are upgraded", "k8s 1.1.0", "k8s 1.2.0*", "mesos 1.0.0*")
			publish("a", "k8s 1.1.0*", "k8s 1.2.0")
			want("a is rolled back", "k8s 1.1.0*", "k8s 1.2.0", "mesos 1.0.0*")
			publish("a", "k8s 1.1.0", "k8s 1.2.0*", "k8s 1.10.0*", "k8s 1.9.0*")
			want("most have it, though it is not the oldest", "k8s 1.1.0", "k8s 1.10.0", "k8s 1.2.0*", "k8s 1.9.0", "mesos 1.0.0*")
			publish("b", "mesos 1.0.0")
			want("the oldest by number; inactive on b, its only host", "k8s 1.1.0", "k8s 1.10.0", "k8s 1.2.0*", "k8s 1.9.0", "mesos 1.0.0")
			publish("a", "k8s 1.10.0*", "k8s 1.9.0*")
			want("numbers are no texts", "k8s 1.10.0", "k8s 1.9.0*", "mesos 1.0.0")

			publish("b", "k8s 1.2.0* y", "mesos 1.0.0*")
			publish("c", "k8s 1.2.0* y")
			publish("a", "k8s 1.2.0* x")
			want("the content that most have", "k8s 1.2.0* y", "mesos 1.0.0*")
			publish("c")
			want("c has none any more; as many have either content", "k8s 1.2.0* x", "mesos 1.0.0*")

			s.clock.Add(3 * time.Minute)
			publish("a", "k8s 1.2.0* x")
			want("b is silent", "k8s 1.2.0* x")
			must(t, s.Heartbeat(t.Context(), "b", "magnum-other"))
			want("b's conductor is", "k8s 1.2.0* x")
			must(t, s.Heartbeat(t.Context(), "b", state.ConductorBinary))
			want("b is back", "k8s 1.2.0* x", "mesos 1.0.0*")
			publish("b", "k8s 1.2.0* x")
			want("b comes back with less", "k8s 1.2.0* x")
			publish("b", "mesos 1.0.0*")
			publish("a")
			want("a has none", "mesos 1.0.0*")
			s.clock.Add(3 * time.Minute)
			must(t, s.Heartbeat(t.Context(), "a", state.ConductorBinary))
			want("a is up, and has none")
			s.clock.Add(3 * time.Minute)
			want("nobody is up: what was last known", "mesos 1.0.0*")
			s.clock.Add(24*time.Hour - 6*time.Minute - time.Second)
			must(t, s.PublishDrivers(t.Context(), "c", nil))
			want("nobody is up for a day", "mesos 1.0.0*")
			s.clock.Add(time.Second)
			must(t, s.PublishDrivers(t.Context(), "c", nil))
			want("b is forgotten")
		},
		"claims of what a host can serve": func(t *testing.T, s *suite) {
			ref := func(name string) state.Driver { return state.Driver{Name: name, Version: "1.0.0"} }
			names := map[string]string{}
			for _, name := range []string{"k8s", "mesos", "gone", ""} {
				c := s.newCluster(t, "c-"+name)
				c.Driver = magnum.DriverRef{}
				if name != "" {
					c.Driver = magnum.DriverRef{Name: name, Version: "1.0.0"}
				}
				must(t, s.AcceptCreate(t.Context(), c, &magnum.Operation{Kind: magnum.OpCreate}, 9))
				names[c.UUID] = name
			}
			claim := func(host string, want ...string) {
				t.Helper()
				ops, err := s.Claim(t.Context(), state.Claimant{Host: host, Owner: host}, lease, 9)
				must(t, err)
				var got []string
				for _, op := range ops {
					got = append(got, names[op.ClusterUUID])
					must(t, s.Release(t.Context(), op))
				}
				slices.Sort(got)
				wantSame(t, host+" claims", want, got)
			}
			claim("a", "", "gone", "k8s", "mesos") // nobody has told of drivers
			for host, has := range map[string][]state.Driver{"a": {ref("k8s"), {Name: "mesos", Version: "1.0.1"}}, "b": {ref("k8s"), ref("mesos"), {Name: "gone", Version: "1.0.1"}}} {
				must(t, s.Heartbeat(t.Context(), host, state.ConductorBinary))
				must(t, s.PublishDrivers(t.Context(), host, has))
			}
			claim("a", "", "gone", "k8s") // which nobody has, somebody has to say
			claim("b", "", "gone", "k8s", "mesos")
			s.clock.Add(3 * time.Minute)
			must(t, s.Heartbeat(t.Context(), "a", state.ConductorBinary))
			claim("a", "", "gone", "k8s", "mesos") // b is silent
			must(t, s.Heartbeat(t.Context(), "b", state.ConductorBinary))
			claim("a", "", "gone", "k8s")
			must(t, s.PublishDrivers(t.Context(), "b", nil))
			claim("a", "", "gone", "k8s", "mesos")
			claim("b", "", "gone", "mesos") // a is up, and has k8s
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
