package statetest

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
)

const full = "Resource limit exceeded: You have reached the maximum clusters per project, 2. You may delete a cluster to make room for a new one."

func acceptCreateTests() map[string]func(*testing.T, *suite) {
	return map[string]func(*testing.T, *suite){
		"rule 1: cluster and operation are there": func(t *testing.T, s *suite) {
			c := s.newCluster(t, "c")
			op := &magnum.Operation{
				Kind: magnum.OpCreate, Phase: "trust", Input: []byte(`{"a": 1}`), Data: []byte(`{}`), SealedToken: []byte{0, 1, 255},
				Initiator: magnum.Initiator{UserID: "u1", ProjectID: "p1", Roles: []string{"member"}}, RequestID: "req-1",
				Deadline: s.clock.Now().Add(time.Hour),
			}
			must(t, s.AcceptCreate(t.Context(), c, op, 1))
			got, err := s.Operation(t.Context(), op.ID)
			must(t, err)
			wantSame(t, "operation", op, got)
			if got.ClusterUUID != c.UUID || !got.CreatedAt.Equal(s.clock.Now()) || !got.FinishedAt.IsZero() {
				t.Errorf("operation %+v", got)
			}
			active, err := s.ActiveOperation(t.Context(), c.UUID)
			must(t, err)
			wantSame(t, "active operation", op, active)
			s.get(t, c.UUID)
		},
		"rule 1: quota": func(t *testing.T, s *suite) {
			for _, name := range []string{"a", "b"} {
				must(t, s.CheckQuota(t.Context(), "p1", 2))
				must(t, s.AcceptCreate(t.Context(), s.newCluster(t, name), &magnum.Operation{Kind: magnum.OpCreate}, 2))
			}
			wantError(t, s.CheckQuota(t.Context(), "p1", 2), magnum.Forbidden, full)
			refused := s.newCluster(t, "c")
			op := &magnum.Operation{Kind: magnum.OpCreate, ID: nobody}
			wantError(t, s.AcceptCreate(t.Context(), refused, op, 2), magnum.Forbidden, full)
			s.wantAbsent(t, refused.UUID, op.ID)
			other := s.newCluster(t, "c")
			other.ProjectID = "p2"
			must(t, s.AcceptCreate(t.Context(), other, &magnum.Operation{Kind: magnum.OpCreate}, 2))
			wantError(t, s.CheckQuota(t.Context(), "p3", 0), magnum.Forbidden,
				"Resource limit exceeded: You have reached the maximum clusters per project, 0. You may delete a cluster to make room for a new one.")
		},
		"rule 1: quota under load": quotaUnderLoad,
		"rule 1: a uuid in use": func(t *testing.T, s *suite) {
			c, _ := s.add(t, s.newCluster(t, "c"))
			again := s.newCluster(t, "again")
			again.UUID = c.UUID
			check := s.unchanged(t, c.UUID)
			wantError(t, s.AcceptCreate(t.Context(), again, &magnum.Operation{Kind: magnum.OpCreate}, 9), magnum.Conflict,
				"A cluster with UUID "+c.UUID+" already exists.")
			check()
		},
		"rule 1: two groups of a name": func(t *testing.T, s *suite) {
			c := s.newCluster(t, "c")
			c.NodeGroups[1].Name = c.NodeGroups[0].Name
			op := &magnum.Operation{Kind: magnum.OpCreate, ID: nobody}
			wantError(t, s.AcceptCreate(t.Context(), c, op, 9), magnum.Conflict,
				"A node group with name default-master already exists in the cluster c.")
			s.wantAbsent(t, c.UUID, op.ID)
		},
		"rule 1: the template is gone": func(t *testing.T, s *suite) {
			c := s.newCluster(t, "c")
			must(t, s.DeleteTemplate(t.Context(), s.tmpl.UUID))
			op := &magnum.Operation{Kind: magnum.OpCreate, ID: nobody}
			wantError(t, s.AcceptCreate(t.Context(), c, op, 9), magnum.NotFound, "ClusterTemplate "+s.tmpl.UUID+" could not be found.")
			s.wantAbsent(t, c.UUID, op.ID)
		},
	}
}

func (s *suite) wantAbsent(t *testing.T, uuid, operation string) {
	t.Helper()
	if _, err := s.Cluster(t.Context(), everybody(), uuid); magnum.KindOf(err) != magnum.NotFound {
		t.Errorf("the cluster is there: %v", err)
	}
	if _, err := s.Operation(t.Context(), operation); magnum.KindOf(err) != magnum.NotFound {
		t.Errorf("the operation is there: %v", err)
	}
}

func quotaUnderLoad(t *testing.T, s *suite) {
	const limit, tries = 20, 200
	s.template(t)
	clusters := make([]*magnum.Cluster, tries)
	for i := range clusters {
		clusters[i] = s.newCluster(t, "c")
	}
	var accepted, refused atomic.Int64
	var group sync.WaitGroup
	for _, c := range clusters {
		group.Go(func() {
			switch err := s.AcceptCreate(t.Context(), c, &magnum.Operation{Kind: magnum.OpCreate}, limit); {
			case err == nil:
				accepted.Add(1)
			case magnum.KindOf(err) == magnum.Forbidden:
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	group.Wait()
	if accepted.Load() != limit || refused.Load() != tries-limit {
		t.Errorf("accepted %d, refused %d", accepted.Load(), refused.Load())
	}
	all, err := s.Clusters(t.Context(), everybody(), state.Page{})
	must(t, err)
	ops, err := s.Claim(t.Context(), state.Claimant{Owner: "a"}, lease, 2*tries)
	must(t, err)
	groups := 0
	for _, c := range all {
		groups += len(c.NodeGroups)
	}
	if len(all) != limit || len(ops) != limit || groups != 2*limit {
		t.Errorf("%d clusters, %d groups, %d operations", len(all), groups, len(ops))
	}
}

func acceptTests() map[string]func(*testing.T, *suite) {
	refused := errors.New("refused")
	return map[string]func(*testing.T, *suite){
		"rule 1: change and operation": func(t *testing.T, s *suite) {
			c := s.ready(t, "c")
			s.clock.Add(time.Hour)
			op := &magnum.Operation{Kind: magnum.OpResize, Phase: "render"}
			must(t, s.Accept(t.Context(), c.UUID, op, func(c *magnum.Cluster) error {
				if len(c.NodeGroups) != 2 || c.Driver.Name != "atomic" {
					t.Errorf("change is given %+v", c)
				}
				c.Status, c.NodeGroups[1].NodeCount, c.Driver.Version = magnum.UpdateInProgress, 5, "2.0.0"
				c.NodeGroups = append(c.NodeGroups, magnum.NodeGroup{Name: "gpu", Role: "worker"})
				return nil
			}))
			got := s.get(t, c.UUID)
			if got.Status != magnum.UpdateInProgress || got.NodeGroups[1].NodeCount != 5 || got.Driver.Version != "2.0.0" || got.NodeGroup("gpu") == nil {
				t.Errorf("stored %+v", got)
			}
			if !got.UpdatedAt.Equal(s.clock.Now()) || !got.NodeGroups[1].UpdatedAt.Equal(s.clock.Now()) || !got.NodeGroups[0].UpdatedAt.IsZero() {
				t.Errorf("updated at %s, %s, %s", got.UpdatedAt, got.NodeGroups[1].UpdatedAt, got.NodeGroups[0].UpdatedAt)
			}
			active, err := s.ActiveOperation(t.Context(), c.UUID)
			must(t, err)
			wantSame(t, "operation", op, active)
			must(t, s.Advance(t.Context(), s.claim(t, "a"), func(c *magnum.Cluster) error {
				c.NodeGroups = c.NodeGroups[:2]
				return nil
			}))
			if got := s.get(t, c.UUID); len(got.NodeGroups) != 2 {
				t.Errorf("%d groups", len(got.NodeGroups))
			}
		},
		"rule 1: what is refused changes nothing": func(t *testing.T, s *suite) {
			c := s.ready(t, "c")
			check := s.unchanged(t, c.UUID)
			for _, kind := range []magnum.OperationKind{magnum.OpUpdate, magnum.OpDelete} {
				err := s.Accept(t.Context(), c.UUID, &magnum.Operation{Kind: kind}, func(c *magnum.Cluster) error {
					c.Status, c.NodeGroups[0].NodeCount = magnum.UpdateFailed, 99
					return refused
				})
				if !errors.Is(err, refused) {
					t.Errorf("got %v", err)
				}
			}
			err := s.Accept(t.Context(), c.UUID, &magnum.Operation{Kind: magnum.OpUpdate}, func(c *magnum.Cluster) error {
				c.Status = magnum.UpdateInProgress
				c.NodeGroups = append(c.NodeGroups, magnum.NodeGroup{Name: magnum.DefaultWorker})
				return nil
			})
			wantError(t, err, magnum.Conflict, "A node group with name default-worker already exists in the cluster c.")
			check()
		},
		"an unknown cluster": func(t *testing.T, s *suite) {
			wantError(t, s.Accept(t.Context(), nobody, &magnum.Operation{Kind: magnum.OpUpdate}, accept), magnum.NotFound,
				"Cluster "+nobody+" could not be found.")
		},
		"a change without an operation": func(t *testing.T, s *suite) {
			c, op := s.add(t, s.newCluster(t, "c"))
			must(t, s.Accept(t.Context(), c.UUID, nil, func(c *magnum.Cluster) error {
				c.HealthStatus = magnum.Unhealthy
				c.HealthReason = map[string]string{"api": "no"}
				return nil
			}))
			got := s.get(t, c.UUID)
			if got.HealthStatus != magnum.Unhealthy || got.HealthReason["api"] != "no" {
				t.Errorf("stored %+v", got)
			}
			if all, err := s.Operations(t.Context(), c.UUID); err != nil || len(all) != 1 || all[0].ID != op.ID {
				t.Errorf("operations %v, %v", all, err)
			}
		},
		"rule 2: one at a time": func(t *testing.T, s *suite) {
			c, _ := s.add(t, s.newCluster(t, "c"))
			check := s.unchanged(t, c.UUID)
			for _, kind := range []magnum.OperationKind{magnum.OpUpdate, magnum.OpResize} {
				wantError(t, s.Accept(t.Context(), c.UUID, &magnum.Operation{Kind: kind}, accept), magnum.Conflict,
					"Cluster c already has an operation in progress.")
			}
			// What the status says comes first.
			err := s.Accept(t.Context(), c.UUID, &magnum.Operation{Kind: magnum.OpUpdate}, func(*magnum.Cluster) error { return refused })
			if !errors.Is(err, refused) {
				t.Errorf("got %v", err)
			}
			check()
		},
		"rule 2: a delete takes the place": func(t *testing.T, s *suite) {
			c, op := s.add(t, s.newCluster(t, "c"))
			del := &magnum.Operation{Kind: magnum.OpDelete, Phase: "stack"}
			must(t, s.Accept(t.Context(), c.UUID, del, func(c *magnum.Cluster) error {
				c.Status = magnum.DeleteInProgress
				return nil
			}))
			old, err := s.Operation(t.Context(), op.ID)
			must(t, err)
			if old.FinishedAt.IsZero() || old.SealedToken != nil {
				t.Errorf("superseded: %+v", old)
			}
			active, err := s.ActiveOperation(t.Context(), c.UUID)
			must(t, err)
			wantSame(t, "active", del, active)
			// The other delete is no error, and no operation.
			check := s.unchanged(t, c.UUID)
			must(t, s.Accept(t.Context(), c.UUID, &magnum.Operation{Kind: magnum.OpDelete}, func(c *magnum.Cluster) error {
				c.Status = magnum.DeleteFailed
				return nil
			}))
			check()
			wantError(t, s.Accept(t.Context(), c.UUID, &magnum.Operation{Kind: magnum.OpUpdate}, accept), magnum.Conflict,
				"Cluster c already has an operation in progress.")
			all, err := s.Operations(t.Context(), c.UUID)
			must(t, err)
			if len(all) != 2 {
				t.Errorf("%d operations", len(all))
			}
		},
		"rule 2: many at once": func(t *testing.T, s *suite) {
			c := s.ready(t, "c")
			var accepted, conflicts atomic.Int64
			var group sync.WaitGroup
			for range 40 {
				group.Go(func() {
					err := s.Accept(t.Context(), c.UUID, &magnum.Operation{Kind: magnum.OpResize}, func(c *magnum.Cluster) error {
						c.NodeGroups[1].NodeCount++
						return nil
					})
					switch {
					case err == nil:
						accepted.Add(1)
					case magnum.KindOf(err) == magnum.Conflict:
						conflicts.Add(1)
					default:
						t.Error(err)
					}
				})
			}
			group.Wait()
			if got := s.get(t, c.UUID).NodeGroups[1].NodeCount; accepted.Load() != 1 || conflicts.Load() != 39 || got != 3 {
				t.Errorf("accepted %d, conflicts %d, %d nodes", accepted.Load(), conflicts.Load(), got)
			}
		},
		"rule 5: no update is lost": func(t *testing.T, s *suite) {
			c := s.ready(t, "c")
			var group sync.WaitGroup
			for range 40 {
				group.Go(func() {
					must(t, s.Accept(t.Context(), c.UUID, nil, func(c *magnum.Cluster) error {
						c.DockerVolumeSize++
						return nil
					}))
				})
			}
			group.Wait()
			if got := s.get(t, c.UUID).DockerVolumeSize; got != 40 {
				t.Errorf("counted to %d", got)
			}
		},
	}
}
