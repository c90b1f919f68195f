package statetest

import (
	"testing"
	"time"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
)

func (s *suite) addQuota(t *testing.T, project string, limit int) *magnum.Quota {
	t.Helper()
	q := &magnum.Quota{ProjectID: project, Resource: magnum.ResourceCluster, HardLimit: limit}
	must(t, s.CreateQuota(t.Context(), q))
	return q
}

func quotaTests() map[string]func(*testing.T, *suite) {
	const missing = "Quota could not be found: project_id p1 resource Cluster."
	return map[string]func(*testing.T, *suite){
		"set, changed and deleted": func(t *testing.T, s *suite) {
			_, err := s.Quota(t.Context(), "p1", magnum.ResourceCluster)
			wantError(t, err, magnum.NotFound, missing)
			_, err = s.UpdateQuota(t.Context(), "p1", magnum.ResourceCluster, 1)
			wantError(t, err, magnum.NotFound, missing)
			wantError(t, s.DeleteQuota(t.Context(), "p1", magnum.ResourceCluster), magnum.NotFound, missing)

			want := s.addQuota(t, "p1", 5)
			other := s.addQuota(t, "p2", 6)
			if want.ID == 0 || !want.CreatedAt.Equal(s.clock.Now()) || !want.UpdatedAt.IsZero() {
				t.Errorf("created as %+v", want)
			}
			get := func(want *magnum.Quota) {
				t.Helper()
				got, err := s.Quota(t.Context(), want.ProjectID, want.Resource)
				must(t, err)
				wantSame(t, "quota", want, got)
			}
			get(want)
			again := *want
			wantError(t, s.CreateQuota(t.Context(), &again), magnum.Conflict, "Quota for project p1 already exists for resource Cluster.")

			s.clock.Add(time.Minute)
			got, err := s.UpdateQuota(t.Context(), "p1", magnum.ResourceCluster, 5)
			must(t, err)
			wantSame(t, "unchanged quota", want, got)
			want.HardLimit, want.UpdatedAt = 0, s.clock.Now()
			got, err = s.UpdateQuota(t.Context(), "p1", magnum.ResourceCluster, 0)
			must(t, err)
			wantSame(t, "changed quota", want, got)
			get(want)
			wantError(t, s.CheckQuota(t.Context(), "p1", 20), magnum.Forbidden,
				"Resource limit exceeded: You have reached the maximum clusters per project, 0. You may delete a cluster to make room for a new one.")

			must(t, s.DeleteQuota(t.Context(), "p1", magnum.ResourceCluster))
			must(t, s.CheckQuota(t.Context(), "p1", 20))
			_, err = s.Quota(t.Context(), "p1", magnum.ResourceCluster)
			wantError(t, err, magnum.NotFound, missing)
			get(other)
		},
		"lists": func(t *testing.T, s *suite) {
			for i, project := range []string{"p2", "p1", "p3"} {
				s.addQuota(t, project, 3-i)
			}
			limits := func(scope state.Scope, all bool, p state.Page) (found []int) {
				t.Helper()
				quotas, err := s.Quotas(t.Context(), scope, all, p)
				must(t, err)
				for _, q := range quotas {
					found = append(found, q.HardLimit)
				}
				return found
			}
			admin, user := state.Scope{ProjectID: "p1", All: true}, state.Scope{ProjectID: "p1"}
			wantSame(t, "own", []int{2}, limits(user, false, state.Page{}))
			wantSame(t, "a user's all", []int{2}, limits(user, true, state.Page{}))
			wantSame(t, "an administrator's own", []int{2}, limits(admin, false, state.Page{}))
			wantSame(t, "all", []int{3, 2, 1}, limits(admin, true, state.Page{}))
			wantSame(t, "by limit", []int{1, 2, 3}, limits(admin, true, state.Page{SortKey: "hard_limit"}))
			wantSame(t, "a page", []int{2}, limits(admin, true, state.Page{Limit: 1, Marker: "1"}))
			wantSame(t, "a page from the end", []int{3}, limits(admin, true, state.Page{Limit: 1, Marker: "2", Descending: true}))
			wantSame(t, "a page of one's own", []int{2}, limits(admin, false, state.Page{Marker: "1"}))
			if found := limits(state.Scope{UserID: "u1"}, true, state.Page{}); found != nil {
				t.Errorf("without a project: %v", found)
			}
			for _, marker := range []string{"99", "x", nobody} {
				_, err := s.Quotas(t.Context(), admin, true, state.Page{Marker: marker})
				wantError(t, err, magnum.NotFound, "Quota could not be found: quota id "+marker+" .")
			}
			_, err := s.Quotas(t.Context(), user, true, state.Page{Marker: "1"})
			wantError(t, err, magnum.NotFound, "Quota could not be found: quota id 1 .")
			_, err = s.Quotas(t.Context(), admin, true, state.Page{SortKey: "uuid"})
			wantError(t, err, magnum.Invalid, `The sort_key value "uuid" is an invalid field for sorting`)
		},
		"statistics": func(t *testing.T, s *suite) {
			count := func(scope state.Scope, want state.Stats) {
				t.Helper()
				got, err := s.Stats(t.Context(), scope)
				must(t, err)
				wantSame(t, "statistics", want, got)
			}
			count(everybody(), state.Stats{})
			nodes := 0
			for i, project := range []string{"p1", "p1", "p2"} {
				c := s.newCluster(t, project)
				c.ProjectID = project
				for j := range c.NodeGroups {
					c.NodeGroups[j].NodeCount = i + 1
					nodes += i + 1
				}
				s.add(t, c)
			}
			groups := nodes / 6
			count(everybody(), state.Stats{Clusters: 3, Nodes: nodes})
			count(state.Scope{ProjectID: "p1"}, state.Stats{Clusters: 2, Nodes: 3 * groups})
			count(state.Scope{ProjectID: "p2"}, state.Stats{Clusters: 1, Nodes: 3 * groups})
			count(state.Scope{ProjectID: "p3"}, state.Stats{})
			count(state.Scope{}, state.Stats{})
		},
	}
}
