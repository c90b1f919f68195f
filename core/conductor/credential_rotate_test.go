package conductor

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/core/heat/heattest"
	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/keystone/keystonetest"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

// rotateCredential asks for it as a user of a project.
func (b *bench) rotateCredential(uuid, user, project string) {
	b.Helper()
	sealed, err := keystone.Seal(keystone.SealKey(keystonetest.Password), b.keystone.Token(user, project))
	b.must(err)
	op := &magnum.Operation{
		Kind: magnum.OpRotateCredential, SealedToken: sealed,
		Initiator: magnum.Initiator{UserID: user, ProjectID: project, Roles: []string{"member"}},
	}
	b.must(b.db.Accept(b.Context(), uuid, op, func(c *magnum.Cluster) error {
		c.Status = magnum.UpdateInProgress
		return nil
	}))
}

// sent is a parameter of a stack as Heat has it.
func sent(s *heattest.Stack, name string) string {
	all, _ := s.Body["parameters"].(map[string]any)
	return fmt.Sprint(all[name])
}

// credentialsOf checks that a cluster's credentials are those of one user, and
// that they are with Keystone and in its stacks.
func (b *bench) credentialsOf(uuid, user string) {
	b.Helper()
	c := b.cluster(uuid)
	if d := cmp.Diff([]string{user}, b.keystone.Trustors()); d != "" || c.UserID != user {
		b.Errorf("the cluster is %s's, the trusts are of (-want +got):\n%s", c.UserID, d)
	}
	if c.TrusteePassword != b.keystone.PasswordOf(c.TrusteeUserID) {
		b.Error("Keystone has another password than the cluster's row")
	}
	for _, s := range b.heat.Stacks() {
		if sent(&s, "password") != c.TrusteePassword || sent(&s, "trust") != c.TrustID {
			b.Errorf("stack %s has other credentials than the cluster's row", s.Name)
		}
	}
}

func TestRotateCredential(t *testing.T) {
	for name, user := range map[string]string{"by its owner": keystonetest.DemoUser, "by another user": keystonetest.OtherUser} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.options.Trust.ClusterUserTrust = true
			c := b.conductor()
			uuid := b.withGroup(c)
			before := b.cluster(uuid)
			b.heat.SetHold(true)
			b.rotateCredential(uuid, user, keystonetest.DemoProj)
			b.until("Heat has the update", func() bool { return b.heat.Stacks()[0].Updates == 1 }, c)
			// The stack in Heat was made with the former trust.
			busy := b.cluster(uuid)
			b.wantStatuses(busy, magnum.UpdateInProgress, magnum.CreateComplete, magnum.CreateComplete, magnum.CreateComplete)
			if b.keystone.Trusts() != 2 {
				t.Errorf("%d trusts while Heat is at work", b.keystone.Trusts())
			}
			b.heat.SetHold(false)
			got := b.settled(uuid, c)
			b.wantStatuses(got, magnum.UpdateComplete, magnum.CreateComplete, magnum.CreateComplete, magnum.CreateComplete)
			b.credentialsOf(uuid, user)
			if got.TrustID == before.TrustID || got.TrusteePassword == before.TrusteePassword || got.TrusteeUserID != before.TrusteeUserID {
				t.Error("trust or password are the former ones, or the trustee is not")
			}
			var asked []string
			for _, r := range b.driver.renders {
				if r.Intent == driver.IntentRotateCredential {
					asked = append(asked, fmt.Sprintf("%q %v", r.NodeGroup, r.ClusterOutputs != nil))
				}
			}
			if d := cmp.Diff([]string{`"" false`, `"gpu" true`}, slices.Compact(asked)); d != "" {
				t.Errorf("rendered for groups, with outputs (-want +got):\n%s", d)
			}
			// And it goes on to work.
			b.deleteGroup(uuid, "gpu")
			if got := b.settled(uuid, c); got.Status != magnum.UpdateComplete {
				t.Errorf("%s %q", got.Status, got.StatusReason)
			}
		})
	}
}

// None of the secrets, former or new, is told to anybody but Heat.
func TestRotateCredentialKeepsSecrets(t *testing.T) {
	b := newBench(t)
	b.options.Trust.ClusterUserTrust = true
	c := b.conductor()
	uuid := b.withGroup(c)
	before := b.cluster(uuid)
	refusals := 0
	b.heat.SetBefore(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPatch || refusals > 0 {
			return false
		}
		refusals++
		var in map[string]any
		_ = json.NewDecoder(r.Body).Decode(&in) // as sent by us
		heattest.Refuse(w, http.StatusConflict, fmt.Sprintf("bad parameters: %v", in["parameters"]))
		return true
	})
	b.rotateCredential(uuid, keystonetest.OtherUser, keystonetest.DemoProj)
	after := b.settled(uuid, c)
	if after.Status != magnum.UpdateComplete || refusals != 1 {
		t.Fatalf("%s %q", after.Status, after.StatusReason)
	}
	var told strings.Builder
	fmt.Fprintf(&told, "%s\n%+v\n%+v\n", b.log, b.driver.renders, b.driver.outputs)
	ops, err := b.db.Operations(t.Context(), uuid)
	b.must(err)
	for _, op := range ops {
		fmt.Fprintf(&told, "%s %s %s %q\n", op.Data, op.Input, op.LastError, op.SealedToken)
	}
	for what, canary := range map[string]string{
		"former password": before.TrusteePassword, "new password": after.TrusteePassword,
		"trusts": "secret-trust-", "tokens": "secret-token-", "private keys": "PRIVATE KEY",
	} {
		if canary == "" || strings.Contains(told.String(), canary) {
			t.Errorf("the %s was told", what)
		}
	}
}

func TestRotateCredentialFails(t *testing.T) {
	tests := map[string]struct {
		prepare func(*bench)
		project string
		want    string
		// harmless is that the cluster has all that it had.
		harmless bool
	}{
		"somebody of another project": {func(*bench) {}, "another", "The credentials of a cluster can be rotated only by a user of its own project.", true},
		"Keystone makes no trust": {func(b *bench) {
			b.keystone.Fault = func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/trusts") {
					return false
				}
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusForbidden)
				_, _ = w.Write([]byte(`{"error": {"message": "No application credentials."}}`))
				return true
			}
		}, keystonetest.DemoProj, "No application credentials.", true},
		"the driver refuses": {func(b *bench) {
			b.driver.render = func(driver.RenderRequest) (driver.RenderResponse, error) {
				return driver.RenderResponse{}, driver.Errorf(driver.ClassUnsupported, "cannot")
			}
		}, keystonetest.DemoProj, "cannot", false},
		"Heat refuses": {func(b *bench) {
			b.heat.SetBefore(func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodPatch {
					heattest.Refuse(w, http.StatusBadRequest, "no")
				}
				return r.Method == http.MethodPatch
			})
		}, keystonetest.DemoProj, "no", false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			c := b.conductor()
			uuid := b.withGroup(c)
			before := b.cluster(uuid)
			tc.prepare(b)
			b.rotateCredential(uuid, keystonetest.OtherUser, tc.project)
			got := b.settled(uuid, c)
			b.wantStatuses(got, magnum.UpdateFailed, magnum.CreateComplete, magnum.CreateComplete, magnum.CreateComplete)
			if !strings.HasSuffix(got.StatusReason, tc.want) {
				t.Errorf("reason %q, want %q", got.StatusReason, tc.want)
			}
			same := got.UserID == before.UserID && got.TrustID == before.TrustID && got.TrusteePassword == before.TrusteePassword &&
				b.keystone.PasswordOf(got.TrusteeUserID) == before.TrusteePassword
			if same != tc.harmless {
				t.Errorf("all as it was: %v, want %v", same, tc.harmless)
			}
			// Asked for again it is done, and nothing of the first try stays.
			b.keystone.Fault, b.driver.render = nil, nil
			b.heat.SetBefore(nil)
			b.options.Trust.ClusterUserTrust = true
			b.rotateCredential(uuid, keystonetest.DemoUser, keystonetest.DemoProj)
			if got := b.settled(uuid, c); got.Status != magnum.UpdateComplete {
				t.Errorf("%s %q", got.Status, got.StatusReason)
			}
			b.credentialsOf(uuid, keystonetest.DemoUser)
		})
	}
}

func TestRotateCredentialSurvivesCrash(t *testing.T) {
	survives(t, magnum.OpRotateCredential, func(b *bench, c *Conductor) string {
		b.options.Trust.ClusterUserTrust = true
		return b.withGroup(c)
	}, func(b *bench, uuid string) {
		b.rotateCredential(uuid, keystonetest.OtherUser, keystonetest.DemoProj)
	}, func(b *bench, uuid string) {
		b.wantStatuses(b.cluster(uuid), magnum.UpdateComplete, magnum.CreateComplete, magnum.CreateComplete, magnum.CreateComplete)
		b.credentialsOf(uuid, keystonetest.OtherUser)
		if u := b.keystone.Users(keystonetest.TrustDom); len(u) != 2 {
			b.Errorf("users %v", u)
		}
	})
}

// Of a cluster that is deleted in the middle of it nothing is left: not even
// where its password is not known any more.
func TestDeleteDuringRotateCredential(t *testing.T) {
	for _, phase := range []string{"trust", "render", "password", "stack", "follow", "outputs", "former-trust"} {
		for _, point := range []Point{Before, After} {
			t.Run(fmt.Sprintf("%s %s", point, phase), func(t *testing.T) {
				b := newBench(t)
				var uuid string
				accepted := b.deleteAt(magnum.OpRotateCredential, phase, point, &uuid)
				c := b.conductor()
				uuid = b.made(c)
				b.rotateCredential(uuid, keystonetest.OtherUser, keystonetest.DemoProj)
				b.destroyed(uuid, c, b.conductor())
				if !*accepted {
					t.Error("the delete was never asked for")
				}
				b.nothingLeft(uuid)
			})
		}
	}
}
