package statetest

import (
	"fmt"
	"testing"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
)

// nodeGroupTests are about the list of one cluster's groups; order and pages
// are those of all lists.
func nodeGroupTests() map[string]func(*testing.T, *suite) {
	return map[string]func(*testing.T, *suite){
		"only what is asked for": func(t *testing.T, s *suite) {
			c := s.ready(t, "c")
			s.ready(t, "other")
			must(t, s.Accept(t.Context(), c.UUID, nil, func(c *magnum.Cluster) error {
				c.NodeGroups = append(c.NodeGroups,
					magnum.NodeGroup{Name: "b", Role: "gpu", MaxNodeCount: 4},
					magnum.NodeGroup{Name: "a", Role: magnum.RoleWorker, NodeTaints: []magnum.Taint{{Key: "k", Effect: "NoSchedule"}}})
				return nil
			}))
			list := func(scope state.Scope, role string, p state.Page) []string {
				all, err := s.NodeGroups(t.Context(), scope, c.UUID, role, p)
				must(t, err)
				names := []string{}
				for i := range all {
					names = append(names, all[i].Name)
				}
				return names
			}
			own := state.Scope{ProjectID: c.ProjectID}
			for _, tc := range []struct {
				scope state.Scope
				role  string
				page  state.Page
				want  []string
			}{
				{own, "", state.Page{}, []string{"default-master", "default-worker", "b", "a"}},
				{everybody(), "", state.Page{}, []string{"default-master", "default-worker", "b", "a"}},
				{state.Scope{UserID: c.UserID}, "", state.Page{}, []string{"default-master", "default-worker", "b", "a"}},
				{state.Scope{ProjectID: "p2"}, "", state.Page{}, []string{}},
				{state.Scope{}, "", state.Page{}, []string{}},
				{own, "worker", state.Page{}, []string{"default-worker", "a"}},
				{own, "nobody", state.Page{}, []string{}},
				{own, "worker", state.Page{SortKey: "name"}, []string{"a", "default-worker"}},
				{own, "", state.Page{SortKey: "max_node_count", Descending: true, Limit: 2}, []string{"b", "a"}},
			} {
				wantSame(t, fmt.Sprintf("%+v", tc), tc.want, list(tc.scope, tc.role, tc.page))
			}
			all, err := s.NodeGroups(t.Context(), own, c.UUID, "", state.Page{})
			must(t, err)
			wantSame(t, "the groups as the cluster has them", s.get(t, c.UUID).NodeGroups, all)

			// In pages of one, with a role that the marker has too.
			page, names := state.Page{SortKey: "name", Limit: 1}, []string{}
			for range 5 {
				all, err := s.NodeGroups(t.Context(), own, c.UUID, "worker", page)
				must(t, err)
				if len(all) == 0 {
					break
				}
				names = append(names, all[0].Name)
				page.Marker = all[0].UUID
			}
			wantSame(t, "pages", []string{"a", "default-worker"}, names)
		},
		"markers and sort keys": func(t *testing.T, s *suite) {
			c, other := s.ready(t, "c"), s.ready(t, "other")
			for _, marker := range []string{nobody, other.NodeGroups[0].UUID, "default-worker", "1"} {
				_, err := s.NodeGroups(t.Context(), everybody(), c.UUID, "", state.Page{Marker: marker})
				wantError(t, err, magnum.NotFound, "Nodegroup "+marker+" could not be found.")
			}
			_, err := s.NodeGroups(t.Context(), state.Scope{ProjectID: "p2"}, c.UUID, "", state.Page{Marker: c.NodeGroups[0].UUID})
			wantError(t, err, magnum.NotFound, "Nodegroup "+c.NodeGroups[0].UUID+" could not be found.")
			_, err = s.NodeGroups(t.Context(), everybody(), c.UUID, "", state.Page{SortKey: "keypair"})
			wantError(t, err, magnum.Invalid, `The sort_key value "keypair" is an invalid field for sorting`)
		},
	}
}
