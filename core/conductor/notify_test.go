package conductor

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/core/heat/heattest"
	"github.com/go-magnum/magnum/core/keystone/keystonetest"
	"github.com/go-magnum/magnum/core/magnum"
)

// told is what waits to be sent of a cluster, an action and an outcome each.
func (b *bench) told(cluster string) []string {
	b.Helper()
	all, err := b.db.Outbox(b.Context(), 1000)
	b.must(err)
	lines := []string{}
	for _, m := range all {
		var body struct {
			Payload struct{ Action, Outcome string }
		}
		b.must(json.Unmarshal([]byte(m.Body), &body))
		if m.ClusterUUID == cluster {
			lines = append(lines, body.Payload.Action+" "+body.Payload.Outcome)
		}
	}
	return lines
}

func (b *bench) wantTold(cluster string, want ...string) {
	b.Helper()
	if diff := cmp.Diff(want, b.told(cluster)); diff != "" {
		b.Errorf("events (-want +got):\n%s", diff)
	}
}

// TestTold: what is told of each operation, from the request to its end.
func TestTold(t *testing.T) {
	stackEnds := func(b *bench, status string) {
		b.heat.SetAfter(func(http.ResponseWriter, *http.Request) bool {
			b.heat.Change("", func(s *heattest.Stack) {
				if s.Updates > 0 {
					s.Status, s.Reason, s.Resources = status, "no host", nil
				}
			})
			return false
		})
	}
	resize := func(b *bench, uuid string) { b.accept(uuid, resizeTo(5, 3), magnum.UpdateInProgress) }
	upgrade := func(b *bench, uuid string) { b.upgrade(uuid, "", b.newTemplate("other", nil)) }
	for name, tc := range map[string]struct {
		ask  func(b *bench, uuid string)
		want []string // after the two of the create
	}{
		"create":                 {func(*bench, string) {}, nil},
		"resize":                 {resize, []string{"update pending", "update success"}},
		"resize that fails":      {func(b *bench, uuid string) { stackEnds(b, "UPDATE_FAILED"); resize(b, uuid) }, []string{"update pending", "update failure"}},
		"resize that rolls back": {func(b *bench, uuid string) { stackEnds(b, "ROLLBACK_COMPLETE"); resize(b, uuid) }, []string{"update pending", "update success"}},
		"resize that cannot":     {func(b *bench, uuid string) { stackEnds(b, "ROLLBACK_FAILED"); resize(b, uuid) }, []string{"update pending", "update failure"}},
		"update": {func(b *bench, uuid string) {
			op := resizeTo(5, 3)
			op.Kind = magnum.OpUpdate
			b.accept(uuid, op, magnum.UpdateInProgress)
		}, []string{"update pending", "update success"}},
		"upgrade":                  {upgrade, []string{"update pending", "update failure"}}, // no driver is published for it
		"rotation of authorities":  {func(b *bench, uuid string) { b.rotateCA(uuid) }, []string{"update success"}},
		"rotation of credentials":  {func(b *bench, uuid string) { b.rotateCredential(uuid, keystonetest.DemoUser, keystonetest.DemoProj) }, []string{"update success"}},
		"creation of a node group": {func(b *bench, uuid string) { b.createGroup(uuid, "gpu") }, []string{"update success"}},
		"delete":                   {func(b *bench, uuid string) { b.delete(uuid) }, []string{"delete pending", "delete success"}},
		"delete that fails": {func(b *bench, uuid string) {
			b.heat.SetAfter(func(_ http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodDelete {
					b.heat.Change("", func(s *heattest.Stack) { s.Status, s.Reason, s.Resources = "DELETE_FAILED", "in use", nil })
				}
				return false
			})
			b.delete(uuid)
		}, []string{"delete pending", "delete failure"}},
		"resize called off by a delete": {func(b *bench, uuid string) { resize(b, uuid); b.delete(uuid) }, []string{"update pending", "delete pending", "delete success"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			c := b.conductor()
			uuid := b.made(c)
			tc.ask(b, uuid)
			b.until("the operation ends", func() bool {
				op, err := b.db.ActiveOperation(t.Context(), uuid)
				b.must(err)
				return op == nil
			}, c)
			b.wantTold(uuid, append([]string{"create pending", "create success"}, tc.want...)...)
		})
	}
}

func TestToldOfFailedCreate(t *testing.T) {
	b := newBench(t)
	b.heat.Before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			heattest.Refuse(w, http.StatusBadRequest, "Property error")
		}
		return r.Method == http.MethodPost
	}
	uuid := b.create(nil)
	if got := b.settled(uuid, b.conductor()); got.Status != magnum.CreateFailed {
		t.Errorf("%s", got.Status)
	}
	b.wantTold(uuid, "create pending", "create failure")
}
