package statetest

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
)

func wantFenced(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, state.ErrFenced) {
		t.Errorf("got %v, want ErrFenced", err)
	}
}

func claimTests() map[string]func(*testing.T, *suite) {
	return map[string]func(*testing.T, *suite){
		"rule 3: claimed once": func(t *testing.T, s *suite) {
			_, op := s.add(t, s.newCluster(t, "c"))
			if none, err := s.Claim(t.Context(), state.Claimant{Owner: "a"}, lease, 0); err != nil || len(none) > 0 {
				t.Errorf("none were asked for: %v, %v", none, err)
			}
			got := s.claim(t, "a")
			if got.ID != op.ID || got.Owner != "a" || got.Fence != 1 || !got.LeaseUntil.Equal(s.clock.Now().Add(lease)) || string(got.SealedToken) != "sealed" {
				t.Errorf("claimed %+v", got)
			}
			s.wantNothingToClaim(t)
		},
		"rule 3: the oldest first": func(t *testing.T, s *suite) {
			var want []string
			for i := range 5 {
				_, op := s.add(t, s.newCluster(t, fmt.Sprint("c", i)))
				want = append(want, op.ID)
				s.clock.Add(time.Millisecond)
			}
			id := func(op *magnum.Operation) string { return op.ID }
			first, err := s.Claim(t.Context(), state.Claimant{Owner: "a"}, lease, 2)
			must(t, err)
			rest, err := s.Claim(t.Context(), state.Claimant{Owner: "a"}, lease, 10)
			must(t, err)
			wantSame(t, "order", want, append(names(first, id), names(rest, id)...))
		},
		"rule 3: by many at once": func(t *testing.T, s *suite) {
			for i := range 50 {
				s.add(t, s.newCluster(t, fmt.Sprint("c", i)))
			}
			var mu sync.Mutex
			seen := map[string]int{}
			var group sync.WaitGroup
			for i := range 8 {
				group.Go(func() {
					for {
						ops, err := s.Claim(t.Context(), state.Claimant{Owner: fmt.Sprint("owner", i)}, lease, 3)
						if err != nil {
							t.Error(err)
							return
						}
						mu.Lock()
						for _, op := range ops {
							seen[op.ID]++
						}
						done := len(seen) == 50
						mu.Unlock()
						if done {
							return
						}
					}
				})
			}
			group.Wait()
			for id, n := range seen {
				if n != 1 {
					t.Errorf("%s was claimed %d times", id, n)
				}
			}
		},
		"rule 3: a lost lease": func(t *testing.T, s *suite) {
			c, _ := s.add(t, s.newCluster(t, "c"))
			old := s.claim(t, "a")
			s.clock.Add(lease - time.Second)
			s.wantNothingToClaim(t)
			s.clock.Add(time.Second)
			again := s.claim(t, "a") // by its own owner too
			if again.Fence != 2 {
				t.Errorf("fence %d", again.Fence)
			}
			check := s.unchanged(t, c.UUID)
			spoil := func(c *magnum.Cluster) error { c.StackID = "stale"; return nil }
			wantFenced(t, s.Renew(t.Context(), old, lease))
			wantFenced(t, s.Release(t.Context(), old))
			wantFenced(t, s.Advance(t.Context(), old, spoil))
			wantFenced(t, s.Finish(t.Context(), old, spoil))
			wantFenced(t, s.Destroy(t.Context(), old))
			check()
			must(t, s.Finish(t.Context(), again, nil))
		},
		"rule 3: a late write holds while nobody claims": func(t *testing.T, s *suite) {
			c, _ := s.add(t, s.newCluster(t, "c"))
			op := s.claim(t, "a")
			s.clock.Add(10 * lease)
			must(t, s.Advance(t.Context(), op, func(c *magnum.Cluster) error { c.StackID = "st"; return nil }))
			if got := s.get(t, c.UUID).StackID; got != "st" {
				t.Errorf("stack %q", got)
			}
		},
		"renewed": func(t *testing.T, s *suite) {
			s.add(t, s.newCluster(t, "c"))
			op := s.claim(t, "a")
			for range 3 {
				s.clock.Add(lease - time.Second)
				must(t, s.Renew(t.Context(), op, lease))
				if !op.LeaseUntil.Equal(s.clock.Now().Add(lease)) {
					t.Errorf("lease until %s", op.LeaseUntil)
				}
				s.wantNothingToClaim(t)
			}
		},
		"holdings": func(t *testing.T, s *suite) {
			claim := func(owner string) *magnum.Operation {
				s.add(t, s.newCluster(t, "c"))
				return s.claim(t, owner)
			}
			mine, finished, others := claim("a"), claim("a"), claim("b")
			released := claim("a") // and claimable again, so the last one
			must(t, s.Finish(t.Context(), finished, nil))
			must(t, s.Release(t.Context(), released))
			s.clock.Add(2 * lease) // the lease is over, and nobody has taken it
			for owner, want := range map[string]map[string]int64{"a": {mine.ID: 1}, "b": {others.ID: 1}, "c": {}} {
				got, err := s.Holdings(t.Context(), owner)
				must(t, err)
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("holdings of %s (-want +got):\n%s", owner, d)
				}
			}
		},
		"released": func(t *testing.T, s *suite) {
			s.add(t, s.newCluster(t, "c"))
			op := s.claim(t, "a")
			stale := *op
			must(t, s.Release(t.Context(), op))
			wantFenced(t, s.Advance(t.Context(), &stale, nil))
			if got := s.claim(t, "b"); got.Fence != 2 {
				t.Errorf("fence %d", got.Fence)
			}
		},
		"not before": func(t *testing.T, s *suite) {
			s.add(t, s.newCluster(t, "c"))
			op := s.claim(t, "a")
			op.NotBefore = s.clock.Now().Add(2 * lease)
			must(t, s.Advance(t.Context(), op, nil))
			must(t, s.Release(t.Context(), op))
			s.clock.Add(2*lease - time.Second)
			s.wantNothingToClaim(t)
			s.clock.Add(time.Second)
			s.claim(t, "b")
		},
		"waiting is what may be claimed": func(t *testing.T, s *suite) {
			want := func(what string, count int, longest time.Duration) {
				t.Helper()
				n, first, err := s.Waiting(t.Context())
				must(t, err)
				if n != count || first != longest {
					t.Errorf("%s: %d wait, the first for %s; want %d and %s", what, n, first, count, longest)
				}
			}
			want("nothing there", 0, 0)
			s.add(t, s.newCluster(t, "c1"))
			s.clock.Add(time.Second)
			s.add(t, s.newCluster(t, "c2"))
			want("two", 2, time.Second)
			older, err := s.Claim(t.Context(), state.Claimant{Owner: "a"}, lease, 1)
			must(t, err)
			op := older[0]
			want("one is claimed", 1, 0)
			op.NotBefore = s.clock.Now().Add(time.Minute)
			must(t, s.Advance(t.Context(), op, nil))
			must(t, s.Release(t.Context(), op))
			s.clock.Add(59 * time.Second)
			want("one is put off", 1, 59*time.Second)
			second := s.claim(t, "b")
			s.clock.Add(time.Second + lease/2)
			want("it is due since the time it was put off to", 1, lease/2)
			must(t, s.Finish(t.Context(), s.claim(t, "c"), nil))
			want("over, and held", 0, 0)
			s.clock.Add(lease)
			want("the lease has run out", 1, s.clock.Now().Sub(second.LeaseUntil))
		},
		"rule 4: a delete waits for the lease": func(t *testing.T, s *suite) {
			c, _ := s.add(t, s.newCluster(t, "c"))
			create := s.claim(t, "a")
			must(t, s.Accept(t.Context(), c.UUID, &magnum.Operation{Kind: magnum.OpDelete}, accept))
			s.wantNothingToClaim(t)
			// Its owner learns that it is over, and cannot go on.
			check := s.unchanged(t, c.UUID)
			wantFenced(t, s.Renew(t.Context(), create, lease))
			wantFenced(t, s.Advance(t.Context(), create, func(c *magnum.Cluster) error { c.StackID = "st"; return nil }))
			wantFenced(t, s.Finish(t.Context(), create, nil))
			check()
			s.clock.Add(lease)
			if got := s.claim(t, "b"); got.Kind != magnum.OpDelete {
				t.Errorf("claimed %s", got.Kind)
			}
		},
		"rule 4: a delete starts as the lease is given back": func(t *testing.T, s *suite) {
			c, _ := s.add(t, s.newCluster(t, "c"))
			create := s.claim(t, "a")
			must(t, s.Accept(t.Context(), c.UUID, &magnum.Operation{Kind: magnum.OpDelete}, accept))
			must(t, s.Release(t.Context(), create))
			if got := s.claim(t, "b"); got.Kind != magnum.OpDelete {
				t.Errorf("claimed %s", got.Kind)
			}
		},
		"rule 4: another cluster's lease is of no account": func(t *testing.T, s *suite) {
			s.add(t, s.newCluster(t, "c1"))
			s.claim(t, "a")
			s.add(t, s.newCluster(t, "c2"))
			s.claim(t, "a")
		},
	}
}

func driverOperations(t *testing.T, s *suite) {
	want := func(uuid string, want ...magnum.DriverOperation) {
		t.Helper()
		got, err := s.DriverOperations(t.Context(), uuid)
		must(t, err)
		wantSame(t, "driver operations", append([]magnum.DriverOperation{}, want...), got)
	}
	c := s.newCluster(t, "c")
	c.Stackless = true
	c, _ = s.add(t, c)
	if !s.get(t, c.UUID).Stackless {
		t.Error("it is not known that the cluster has no stack")
	}
	op := s.claim(t, "a")
	save := func(op *magnum.Operation, d magnum.DriverOperation) error {
		op.Driver = &d
		defer func() { op.Driver = nil }()
		return s.Advance(t.Context(), op, nil)
	}
	must(t, save(op, magnum.DriverOperation{}))
	want(c.UUID, magnum.DriverOperation{OperationID: op.ID})
	big := bytes.Repeat([]byte{0, 1, 2, 255}, 256<<10) // a whole MiB
	first := magnum.DriverOperation{OperationID: op.ID, Handle: "h", State: big, Seq: 7}
	must(t, save(op, first))
	want(c.UUID, first)
	must(t, s.Advance(t.Context(), op, nil)) // with nothing to say of it
	want(c.UUID, first)

	// A delete finds what it took the place of, and who lost that writes nothing.
	deletes := &magnum.Operation{Kind: magnum.OpDelete}
	must(t, s.Accept(t.Context(), c.UUID, deletes, accept))
	wantFenced(t, save(op, magnum.DriverOperation{Over: true}))
	must(t, s.Release(t.Context(), op))
	second := s.claim(t, "b")
	must(t, save(second, magnum.DriverOperation{}))
	all, err := s.DriverOperations(t.Context(), c.UUID)
	must(t, err)
	if len(all) != 2 {
		t.Errorf("%d are under way, want both", len(all))
	}
	must(t, save(second, magnum.DriverOperation{Handle: "d", Alone: true}))
	want(c.UUID, magnum.DriverOperation{OperationID: second.ID, Handle: "d"})
	must(t, save(second, magnum.DriverOperation{Over: true}))
	want(c.UUID)

	// Nothing is left of a cluster that is gone, and another's is untouched.
	other, _ := s.add(t, s.newCluster(t, "other"))
	theirs := s.claim(t, "b")
	must(t, save(theirs, magnum.DriverOperation{Handle: "o"}))
	must(t, save(second, magnum.DriverOperation{Handle: "d"}))
	must(t, s.Destroy(t.Context(), second))
	want(c.UUID)
	want(other.UUID, magnum.DriverOperation{OperationID: theirs.ID, Handle: "o"})
}

func advanceTests() map[string]func(*testing.T, *suite) {
	return map[string]func(*testing.T, *suite){
		"saves operation and cluster": func(t *testing.T, s *suite) {
			c, _ := s.add(t, s.newCluster(t, "c"))
			op := s.claim(t, "a")
			op.Phase, op.Data, op.SealedToken = "stack", []byte(`{"stack_name": "c-1"}`), nil
			op.NotBefore, op.Attempts, op.LastError = s.clock.Now().Add(time.Second), 3, "it's down"
			op.Deadline = s.clock.Now().Add(time.Hour)
			must(t, s.Advance(t.Context(), op, func(c *magnum.Cluster) error {
				c.TrustID, c.NodeGroups[0].NodeAddresses = "trust", []string{"10.0.0.1"}
				return nil
			}))
			got, err := s.Operation(t.Context(), op.ID)
			must(t, err)
			wantSame(t, "operation", op, got)
			if got := s.get(t, c.UUID); got.TrustID != "trust" || len(got.NodeGroups[0].NodeAddresses) != 1 {
				t.Errorf("cluster %+v", got)
			}
		},
		"rule 1: all or nothing": func(t *testing.T, s *suite) {
			c, _ := s.add(t, s.newCluster(t, "c"))
			op := s.claim(t, "a")
			check := s.unchanged(t, c.UUID)
			failed := errors.New("failed")
			change := func(c *magnum.Cluster) error { c.StackID = "st"; return failed }
			for _, write := range []func() error{
				func() error { return s.Advance(t.Context(), op, change) },
				func() error { return s.Finish(t.Context(), op, change) },
			} {
				op.Phase, op.Attempts = "lost", 7
				if err := write(); !errors.Is(err, failed) {
					t.Errorf("got %v", err)
				}
				if !op.FinishedAt.IsZero() {
					t.Error("marked as finished")
				}
			}
			check()
		},
		"what the driver has under way": driverOperations,
		"finish": func(t *testing.T, s *suite) {
			c, _ := s.add(t, s.newCluster(t, "c"))
			op := s.claim(t, "a")
			op.Phase = "done"
			must(t, s.Finish(t.Context(), op, func(c *magnum.Cluster) error { c.Status = magnum.CreateComplete; return nil }))
			got, err := s.Operation(t.Context(), op.ID)
			must(t, err)
			wantSame(t, "operation", op, got)
			if got.FinishedAt.IsZero() || got.SealedToken != nil || !got.LeaseUntil.IsZero() || got.Phase != "done" {
				t.Errorf("operation %+v", got)
			}
			if active, err := s.ActiveOperation(t.Context(), c.UUID); err != nil || active != nil {
				t.Errorf("active %v, %v", active, err)
			}
			if got := s.get(t, c.UUID).Status; got != magnum.CreateComplete {
				t.Errorf("status %s", got)
			}
			s.clock.Add(10 * lease)
			s.wantNothingToClaim(t)
			wantFenced(t, s.Finish(t.Context(), op, nil))
			must(t, s.Accept(t.Context(), c.UUID, &magnum.Operation{Kind: magnum.OpUpdate}, accept))
		},
		"destroy": func(t *testing.T, s *suite) {
			c := s.ready(t, "c")
			other := s.ready(t, "other")
			for uuid, cluster := range map[string]string{"k1": c.UUID, "k2": c.UUID, "k3": other.UUID} {
				must(t, s.SaveClusterKeypairs(t.Context(), cluster, map[string]state.Keypair{uuid: {UUID: uuid}}))
			}
			must(t, s.SaveKeypair(t.Context(), state.Keypair{UUID: "adopted"}))
			must(t, s.Accept(t.Context(), c.UUID, &magnum.Operation{Kind: magnum.OpDelete}, func(c *magnum.Cluster) error {
				c.EtcdCACertRef = "adopted"
				return nil
			}))
			op := s.claim(t, "a")
			must(t, s.Destroy(t.Context(), op))
			if _, err := s.Cluster(t.Context(), everybody(), c.UUID); magnum.KindOf(err) != magnum.NotFound {
				t.Errorf("the cluster is there: %v", err)
			}
			for uuid, there := range map[string]bool{"k1": false, "k2": false, "k3": true, "adopted": false} {
				if _, err := s.Keypair(t.Context(), uuid); (err == nil) != there {
					t.Errorf("keypair %s: %v", uuid, err)
				}
			}
			got, err := s.Operation(t.Context(), op.ID)
			must(t, err)
			if got.FinishedAt.IsZero() {
				t.Error("the operation is not finished")
			}
			if all, err := s.Operations(t.Context(), c.UUID); err != nil || len(all) != 2 {
				t.Errorf("operations %v, %v", all, err)
			}
			wantFenced(t, s.Destroy(t.Context(), op))
			wantSame(t, "the other cluster", other, s.get(t, other.UUID))
			// Nothing is in the way of another one of that uuid.
			again := s.newCluster(t, "c")
			again.UUID = c.UUID
			s.add(t, again)
		},
	}
}
