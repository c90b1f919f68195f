package conductor

import (
	"database/sql"
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/core/heat/heattest"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

// keypairs counts the rows of x509keypair, whatever anybody says of them.
func (b *bench) keypairs() int {
	b.Helper()
	db, err := sql.Open("sqlite3", b.path)
	b.must(err)
	defer func() { _ = db.Close() }()
	n := 0
	b.must(db.QueryRowContext(b.Context(), "SELECT COUNT(*) FROM x509keypair").Scan(&n))
	return n
}

func (b *bench) rotateCA(uuid string) {
	b.Helper()
	b.request(uuid, magnum.OpRotateCA, nil, func(c *magnum.Cluster) {
		c.CreateTimeout = 3 // minutes, for tests that come to the end of them
		for i := range c.NodeGroups {
			if c.NodeGroups[i].IsDefault {
				c.NodeGroups[i].Status = magnum.UpdateInProgress
			}
		}
	})
}

// certificates are what a cluster has of them, by what they are for; with the
// service account's keys, which its row does not refer to.
func (b *bench) certificates(uuid string) map[string]string {
	b.Helper()
	c := b.cluster(uuid)
	pairs, err := b.db.ClusterKeypairs(b.Context(), uuid)
	b.must(err)
	refs := map[string]string{
		"ca": c.CACertRef, "magnum": c.MagnumCertRef, "etcd-ca": c.EtcdCACertRef,
		"front-proxy-ca": c.FrontProxyCertRef, "service-account": pairs["service-account"].UUID,
	}
	for purpose, ref := range refs {
		if _, err := b.db.Keypair(b.Context(), ref); err != nil || pairs[purpose].UUID != ref {
			b.Errorf("%s is %s in the cluster's row and %s among its keypairs (%v)", purpose, ref, pairs[purpose].UUID, err)
		}
	}
	return refs
}

// rotated reports whether all certificates are others than before, or none.
func (b *bench) rotated(before, after map[string]string) bool {
	b.Helper()
	changed := 0
	for purpose := range before {
		if before[purpose] != after[purpose] {
			changed++
		}
	}
	if changed != 0 && changed != len(before) {
		b.Errorf("half a rotation: %v, before %v", after, before)
	}
	return changed != 0
}

func TestRotateCA(t *testing.T) {
	b := newBench(t)
	c := b.conductor()
	uuid := b.withGroup(c)
	before := b.certificates(uuid)
	old := b.cluster(uuid)
	b.heat.SetHold(true)
	b.rotateCA(uuid)
	turn(t.Context(), c)
	// Nodes fetch theirs now: the new ones are in force, and the old ones kept.
	busy := b.cluster(uuid)
	if !b.rotated(before, b.certificates(uuid)) || b.keypairs() != 10 {
		t.Errorf("while Heat is at work: %d keypairs, %q", b.keypairs(), busy.StatusReason)
	}
	b.wantStatuses(busy, magnum.UpdateInProgress, magnum.UpdateInProgress, magnum.UpdateInProgress, magnum.CreateComplete)
	b.heat.SetHold(false)
	got := b.settled(uuid, c)
	b.wantStatuses(got, magnum.UpdateComplete, magnum.UpdateComplete, magnum.UpdateComplete, magnum.CreateComplete)
	if !b.rotated(before, b.certificates(uuid)) || b.keypairs() != 5 {
		t.Errorf("in the end: %d keypairs", b.keypairs())
	}
	// What is signed from now on is signed with the new authority.
	shown, err := c.Cert.CA(t.Context(), got, "")
	b.must(err)
	access, err := c.Cert.Mint(t.Context(), got, "admin", "system:masters", accessFor)
	b.must(err)
	if was, err := c.Cert.CA(t.Context(), old, ""); err == nil || was != "" || access.CACert != shown {
		t.Errorf("the old authority is still there: %v", err)
	}
	for _, s := range b.heat.Stacks() {
		if s.Updates != 1 {
			t.Errorf("stack %s was updated %d times", s.Name, s.Updates)
		}
	}
	var asked []string
	for _, r := range b.driver.renders {
		if r.Intent == driver.IntentRotateCA {
			asked = append(asked, fmt.Sprintf("%q %v", r.NodeGroup, r.ClusterOutputs != nil))
		}
	}
	if d := cmp.Diff([]string{`"" false`, `"gpu" true`}, asked); d != "" {
		t.Errorf("rendered for groups, with outputs (-want +got):\n%s", d)
	}
}

func TestRotateCAFails(t *testing.T) {
	// patched answers updates of a stack, of which the first is 0.
	patched := func(n int, answer func(http.ResponseWriter)) func(*bench) {
		return func(b *bench) {
			seen := 0
			b.heat.SetBefore(func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodPatch {
					return false
				}
				seen++
				if seen <= n {
					return false
				}
				answer(w)
				return true
			})
		}
	}
	refuse := func(w http.ResponseWriter) { heattest.Refuse(w, http.StatusBadRequest, "no") }
	const failed, done, was = magnum.UpdateFailed, magnum.UpdateComplete, magnum.CreateComplete
	tests := map[string]struct {
		prepare func(*bench)
		rotated bool
		reason  string
		want    []magnum.Status
	}{
		"the driver refuses": {func(b *bench) {
			b.driver.render = func(driver.RenderRequest) (driver.RenderResponse, error) {
				return driver.RenderResponse{}, driver.Errorf(driver.ClassUnsupported, "cannot")
			}
		}, false, "cannot", []magnum.Status{failed, failed, failed, was}},
		"the driver is gone": {func(b *bench) {
			b.driver.get = driver.Errorf(driver.ClassNotFound, "Driver fake 1.0.0 is not installed.")
		}, false, "Driver fake 1.0.0 is not installed.", []magnum.Status{failed, failed, failed, was}},
		"Heat refuses": {patched(0, refuse), false, "no", []magnum.Status{failed, failed, failed, was}},
		// It may have got through: what nodes have by then cannot be taken back.
		"Heat does not answer": {patched(0, heattest.Lose), true, "", []magnum.Status{failed, failed, failed, was}},
		"the stack fails": {func(b *bench) {
			b.heat.SetAfter(func(_ http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodPatch {
					b.heat.Change("", func(s *heattest.Stack) {
						if s.Updates > 0 {
							s.Status, s.Reason = "UPDATE_FAILED", "broken"
						}
					})
				}
				return false
			})
		}, true, "broken", []magnum.Status{failed, failed, failed, was}},
		"the group's stack is refused": {patched(1, refuse), true, "gpu failed: no", []magnum.Status{failed, done, done, failed}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			c := b.conductor()
			uuid := b.withGroup(c)
			before := b.certificates(uuid)
			tc.prepare(b)
			b.rotateCA(uuid)
			got := b.settled(uuid, c)
			b.wantStatuses(got, tc.want...)
			if tc.reason != "" && got.StatusReason != tc.reason {
				t.Errorf("reason %q, want %q", got.StatusReason, tc.reason)
			}
			if r := b.rotated(before, b.certificates(uuid)); r != tc.rotated || b.keypairs() != 5 {
				t.Errorf("rotated %v, want %v; %d keypairs, want 5", r, tc.rotated, b.keypairs())
			}
			b.heat.SetBefore(nil)
			b.heat.SetAfter(nil)
			b.delete(uuid)
			b.destroyed(uuid, c)
			b.nothingLeft(uuid)
			if n := b.keypairs(); n != 0 {
				t.Errorf("%d keypairs are left", n)
			}
		})
	}
}

// Word that Heat did not take it counts only if it cannot have taken it before.
func TestRotateCALostAnswerThenRefused(t *testing.T) {
	b := newBench(t)
	c := b.conductor()
	uuid := b.made(c)
	before := b.certificates(uuid)
	tries := 0
	b.heat.SetBefore(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPatch {
			return false
		}
		tries++
		if tries == 1 {
			heattest.Lose(w)
		} else {
			heattest.Refuse(w, http.StatusBadRequest, "no")
		}
		return true
	})
	b.rotateCA(uuid)
	got := b.settled(uuid, c)
	if got.Status != magnum.UpdateFailed || !b.rotated(before, b.certificates(uuid)) || tries != 2 || b.keypairs() != 5 {
		t.Errorf("%s %q after %d tries, %d keypairs", got.Status, got.StatusReason, tries, b.keypairs())
	}
}

func TestRotateCASurvivesCrash(t *testing.T) {
	var before map[string]string
	survives(t, magnum.OpRotateCA, func(b *bench, c *Conductor) string {
		uuid := b.withGroup(c)
		before = b.certificates(uuid)
		return uuid
	}, func(b *bench, uuid string) { b.rotateCA(uuid) }, func(b *bench, uuid string) {
		b.wantStatuses(b.cluster(uuid), magnum.UpdateComplete, magnum.UpdateComplete, magnum.UpdateComplete, magnum.CreateComplete)
		if !b.rotated(before, b.certificates(uuid)) || b.keypairs() != 5 {
			b.Errorf("rotated %v, %d keypairs", b.rotated(before, b.certificates(uuid)), b.keypairs())
		}
	})
}

// Of a cluster that is deleted in the middle of it nothing is left.
func TestDeleteDuringRotateCA(t *testing.T) {
	for _, phase := range []string{"certificates", "render", "switch", "stack", "follow", "outputs"} {
		for _, point := range []Point{Before, After} {
			t.Run(fmt.Sprintf("%s %s", point, phase), func(t *testing.T) {
				b := newBench(t)
				var uuid string
				accepted := b.deleteAt(magnum.OpRotateCA, phase, point, &uuid)
				c := b.conductor()
				uuid = b.made(c)
				b.rotateCA(uuid)
				b.destroyed(uuid, c, b.conductor())
				b.nothingLeft(uuid)
				if n := b.keypairs(); n != 0 || !*accepted {
					t.Errorf("%d keypairs are left; the delete came: %v", n, *accepted)
				}
			})
		}
	}
}
