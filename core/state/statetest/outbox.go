package statetest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
)

// tells makes a message of an event that a test can read.
func tells(e *magnum.Event) (state.Message, error) {
	if e.Cluster.Name == "untold" {
		return state.Message{}, errors.New("no words")
	}
	return state.Message{EventType: string(e.Action), Priority: string(e.Outcome), Body: e.Cluster.Name + " " + string(e.Cluster.Status)}, nil
}

// told is what waits in the outbox, a line each.
func (s *suite) told(t *testing.T) []string {
	t.Helper()
	all, err := s.Outbox(t.Context(), 100)
	must(t, err)
	lines := []string{}
	for _, m := range all {
		lines = append(lines, strings.Join([]string{m.EventType, m.Priority, m.Body}, " "))
	}
	return lines
}

// forget empties the outbox.
func (s *suite) forget(t *testing.T) {
	t.Helper()
	all, err := s.Outbox(t.Context(), 100)
	must(t, err)
	must(t, s.Delivered(t.Context(), all))
}

func outboxTests() map[string]func(*testing.T, *suite) {
	return map[string]func(*testing.T, *suite){
		"rule 7: each operation": toldOfEach,
		"rule 7: a create and a delete": func(t *testing.T, s *suite) {
			s.add(t, s.newCluster(t, "c"))
			wantSame(t, "accepted", []string{"create pending c CREATE_IN_PROGRESS"}, s.told(t))
			s.forget(t)
			op := s.claim(t, "a")
			fail := func(c *magnum.Cluster) error { c.Status = magnum.CreateFailed; return nil }
			must(t, s.Advance(t.Context(), op, fail)) // which says nothing yet
			wantSame(t, "under way", []string{}, s.told(t))
			must(t, s.Finish(t.Context(), op, fail))
			wantSame(t, "failed", []string{"create failure c CREATE_FAILED"}, s.told(t))
			s.forget(t)
			remove := func(c *magnum.Cluster) error { c.Status = magnum.DeleteInProgress; return nil }
			must(t, s.Accept(t.Context(), op.ClusterUUID, &magnum.Operation{Kind: magnum.OpDelete}, remove))
			must(t, s.Accept(t.Context(), op.ClusterUUID, &magnum.Operation{Kind: magnum.OpDelete}, remove)) // the same again
			op = s.claim(t, "a")
			must(t, s.Destroy(t.Context(), op))
			wantSame(t, "deleted", []string{"delete pending c DELETE_IN_PROGRESS", "delete success c DELETE_COMPLETE"}, s.told(t))
		},
		"rule 7: what does not happen": func(t *testing.T, s *suite) {
			c, _ := s.add(t, s.newCluster(t, "c"))
			op := s.claim(t, "a")
			s.clock.Add(2 * lease)
			taken := s.claim(t, "b")
			s.forget(t)
			refused := errors.New("refused")
			for what, err := range map[string]error{
				"no quota": s.AcceptCreate(t.Context(), s.newCluster(t, "d"), &magnum.Operation{Kind: magnum.OpCreate}, 1),
				"busy":     s.Accept(t.Context(), c.UUID, &magnum.Operation{Kind: magnum.OpUpdate}, accept),
				"refused":  s.Accept(t.Context(), c.UUID, &magnum.Operation{Kind: magnum.OpDelete}, func(*magnum.Cluster) error { return refused }),
				"lost":     s.Finish(t.Context(), op, accept),
				"failed":   s.Finish(t.Context(), taken, func(*magnum.Cluster) error { return refused }),
			} {
				if err == nil {
					t.Errorf("%s: no error", what)
				}
			}
			must(t, s.Accept(t.Context(), c.UUID, nil, accept)) // health, which starts nothing
			wantSame(t, "told", []string{}, s.told(t))
		},
		"rule 7: nothing happens that cannot be told": func(t *testing.T, s *suite) {
			c, op := s.newCluster(t, "untold"), &magnum.Operation{Kind: magnum.OpCreate, ID: nobody}
			if err := s.AcceptCreate(t.Context(), c, op, 9); err == nil {
				t.Error("accepted")
			}
			s.wantAbsent(t, c.UUID, op.ID)
		},
		"rule 7: taken over by a delete": func(t *testing.T, s *suite) {
			c, _ := s.add(t, s.newCluster(t, "c"))
			must(t, s.Accept(t.Context(), c.UUID, &magnum.Operation{Kind: magnum.OpDelete}, accept))
			must(t, s.Destroy(t.Context(), s.claim(t, "a")))
			wantSame(t, "told", []string{
				"create pending c CREATE_IN_PROGRESS", "delete pending c CREATE_IN_PROGRESS", "delete success c DELETE_COMPLETE",
			}, s.told(t))
		},
		"in order, until delivered": func(t *testing.T, s *suite) {
			for _, name := range []string{"a", "b", "c"} {
				s.add(t, s.newCluster(t, name))
				s.clock.Add(time.Second)
			}
			all, err := s.Outbox(t.Context(), 2)
			must(t, err)
			if len(all) != 2 || all[0].ID >= all[1].ID || all[0].ClusterUUID == all[1].ClusterUUID {
				t.Fatalf("got %+v", all)
			}
			must(t, s.Delivered(t.Context(), nil))
			must(t, s.Delivered(t.Context(), all[1:]))
			wantSame(t, "left", []string{"create pending a CREATE_IN_PROGRESS", "create pending c CREATE_IN_PROGRESS"}, s.told(t))
			count, longest, err := s.OutboxWaiting(t.Context())
			must(t, err)
			if count != 2 || longest != 3*time.Second {
				t.Errorf("%d wait, the first for %s", count, longest)
			}
			s.forget(t)
			if count, longest, err = s.OutboxWaiting(t.Context()); err != nil || count != 0 || longest != 0 {
				t.Errorf("%d wait, the first for %s, %v", count, longest, err)
			}
		},
		"trimmed": func(t *testing.T, s *suite) {
			start := s.clock.Now()
			for _, name := range []string{"a", "b", "c", "d"} {
				s.add(t, s.newCluster(t, name))
				s.clock.Add(time.Second)
			}
			for _, trim := range []struct {
				before        time.Duration
				most, dropped int
				left          string // of the clusters
			}{{0, 4, 0, "abcd"}, {time.Second, 9, 1, "bcd"}, {time.Second, 3, 0, "bcd"}, {0, 2, 1, "cd"}, {time.Hour, 9, 2, ""}} {
				dropped, err := s.TrimOutbox(t.Context(), start.Add(trim.before), trim.most)
				must(t, err)
				left := ""
				for _, line := range s.told(t) {
					left += strings.Fields(line)[2]
				}
				if int(dropped) != trim.dropped || left != trim.left {
					t.Errorf("%+v: %d dropped, left %s", trim, dropped, left)
				}
			}
		},
		"held by one": func(t *testing.T, s *suite) {
			hold := func(owner string, want bool) {
				t.Helper()
				held, err := s.HoldOutbox(t.Context(), owner, lease)
				must(t, err)
				if held != want {
					t.Errorf("%s holds it: %t", owner, held)
				}
			}
			hold("a", true)
			hold("b", false)
			s.clock.Add(lease)
			hold("a", true) // prolonged
			s.clock.Add(time.Second)
			hold("b", false)
			s.clock.Add(lease)
			hold("b", true) // a has died
			hold("a", false)
			must(t, s.LeaveOutbox(t.Context(), "a"))
			hold("a", false)
			must(t, s.LeaveOutbox(t.Context(), "b"))
			hold("a", true)
		},
	}
}

// toldOfEach: upstream has an event for the begin of these operations, and one
// for the end of each.
func toldOfEach(t *testing.T, s *suite) {
	for _, tc := range []struct {
		kind    magnum.OperationKind
		status  magnum.Status // in the end
		pending bool
		outcome string
	}{
		{magnum.OpUpdate, magnum.UpdateComplete, true, "success"},
		{magnum.OpResize, magnum.UpdateFailed, true, "failure"},
		{magnum.OpResize, magnum.RollbackComplete, true, "success"},
		{magnum.OpUpgrade, magnum.RollbackFailed, true, "failure"},
		{magnum.OpUpgrade, magnum.UpdateComplete, true, "success"},
		{magnum.OpRotateCA, magnum.UpdateComplete, false, "success"},
		{magnum.OpRotateCredential, magnum.UpdateFailed, false, "failure"},
		{magnum.OpCreateNodeGroup, magnum.UpdateComplete, false, "success"},
		{magnum.OpUpdateNodeGroup, magnum.UpdateFailed, false, "failure"},
		{magnum.OpDeleteNodeGroup, magnum.UpdateComplete, false, "success"},
	} {
		name := string(tc.kind)
		c := s.ready(t, name)
		s.forget(t)
		must(t, s.Accept(t.Context(), c.UUID, &magnum.Operation{Kind: tc.kind}, func(c *magnum.Cluster) error {
			c.Status = magnum.UpdateInProgress
			return nil
		}))
		want := []string{}
		if tc.pending {
			want = append(want, "update pending "+name+" UPDATE_IN_PROGRESS")
		}
		wantSame(t, name+" accepted", want, s.told(t))
		end := func(c *magnum.Cluster, _ map[string]string) error { c.Status = tc.status; return nil } //nolint:unparam // that is its type
		op := s.claim(t, "a")
		if tc.kind == magnum.OpRotateCA {
			must(t, s.FinishKeypairs(t.Context(), op, end))
		} else {
			must(t, s.Finish(t.Context(), op, func(c *magnum.Cluster) error { return end(c, nil) }))
		}
		wantSame(t, name+" ended", append(want, "update "+tc.outcome+" "+name+" "+string(tc.status)), s.told(t))
		s.forget(t)
	}
}
