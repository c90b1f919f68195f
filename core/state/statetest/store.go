package statetest

import (
	"fmt"
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
