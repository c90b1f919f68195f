package statetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
)

func (s *suite) fullCluster(t *testing.T) *magnum.Cluster {
	return &magnum.Cluster{
		Name: "full", ProjectID: "p1", UserID: "u1", ClusterTemplateID: s.template(t).UUID, Keypair: "kp",
		DockerVolumeSize: 3, Labels: magnum.Labels{"a": "b"}, FlavorID: "f", MasterFlavorID: "mf", StackID: "st",
		APIAddress: "https://api", Status: magnum.CreateInProgress, StatusReason: "why", HealthStatus: magnum.Healthy,
		HealthReason: map[string]string{"api": "ok"}, CreateTimeout: 0, DiscoveryURL: "d", COEVersion: "v1", ContainerVersion: "1.12",
		FixedNetwork: "fn", FixedSubnet: "fs", FloatingIPEnabled: true, MasterLBEnabled: true,
		CACertRef: "c1", MagnumCertRef: "c2", EtcdCACertRef: "c3", FrontProxyCertRef: "c4",
		TrustID: "t1", TrusteeUsername: "t2", TrusteeUserID: "t3", TrusteePassword: "t4",
		Driver: magnum.DriverRef{Name: "atomic", Version: "1.2.3"}, Faults: map[string]string{"masters.0": `no "host"`},
		NodeGroups: []magnum.NodeGroup{
			{
				Name: magnum.DefaultMaster, Role: magnum.RoleMaster, IsDefault: true, DockerVolumeSize: 3, Labels: magnum.Labels{"c": "d"},
				FlavorID: "f", ImageID: "i", NodeAddresses: []string{"10.0.0.1", "10.0.0.2"}, NodeCount: 2, MaxNodeCount: 4, MinNodeCount: 1,
				StackID: "st", Status: magnum.CreateInProgress, StatusReason: "why", Version: "v",
				NodeLabels: magnum.Labels{"zone": "a"}, NodeTaints: []magnum.Taint{{Key: "gpu", Value: "\"1\"", Effect: "NoSchedule"}, {Key: "x", Effect: "NoExecute"}},
			},
			{Name: magnum.DefaultWorker, Role: magnum.RoleWorker, IsDefault: true, Labels: magnum.Labels{}, NodeAddresses: []string{}, NodeLabels: magnum.Labels{}},
		},
	}
}

func clusterTests() map[string]func(*testing.T, *suite) {
	return map[string]func(*testing.T, *suite){
		"a NUL character is no reason to keep nothing": func(t *testing.T, s *suite) {
			c := s.newCluster(t, "c")
			c.StatusReason = "the script's last words: \x00'; --"
			s.add(t, c)
			wantSame(t, "status reason", "the script's last words: \uFFFD'; --", s.get(t, c.UUID).StatusReason)
		},
		"every field comes back": func(t *testing.T, s *suite) {
			want, _ := s.add(t, s.fullCluster(t))
			if want.ID == 0 || want.NodeGroups[1].ID == 0 || want.NodeGroups[1].ClusterID != want.UUID ||
				want.NodeGroups[1].ProjectID != "p1" || !want.CreatedAt.Equal(s.clock.Now()) {
				t.Errorf("not filled in: %+v", want)
			}
			wantSame(t, "cluster by uuid", want, s.get(t, want.UUID))
			wantSame(t, "cluster by name", want, s.get(t, "full"))
			all, err := s.Clusters(t.Context(), everybody(), state.Page{})
			must(t, err)
			wantSame(t, "list", []*magnum.Cluster{want}, all)
		},
		"look-ups": func(t *testing.T, s *suite) {
			c, _ := s.add(t, s.newCluster(t, "prod"))
			for ident, found := range map[string]bool{
				c.UUID: true, strings.ToUpper(c.UUID): true, strings.ReplaceAll(c.UUID, "-", ""): false,
				"prod": true, "PROD": false, "prod ": false, "": false, "1": false, nobody: false,
			} {
				got, err := s.Cluster(t.Context(), state.Scope{ProjectID: "p1"}, ident)
				if !found {
					wantError(t, err, magnum.NotFound, "Cluster "+ident+" could not be found.")
				} else if err != nil || got.UUID != c.UUID || len(got.NodeGroups) != 2 {
					t.Errorf("%q: %v, %v", ident, got, err)
				}
			}
		},
		"two of a name": func(t *testing.T, s *suite) {
			for _, project := range []string{"p1", "p1", "p2"} {
				c := s.newCluster(t, "twin")
				c.ProjectID = project
				s.add(t, c)
			}
			_, err := s.Cluster(t.Context(), state.Scope{ProjectID: "p1"}, "twin")
			wantError(t, err, magnum.Conflict, "Multiple clusters exist with same name. Please use the cluster uuid instead.")
			got, err := s.Cluster(t.Context(), state.Scope{ProjectID: "p2"}, "twin")
			if err != nil || got.ProjectID != "p2" {
				t.Errorf("%v, %v", got, err)
			}
		},
		"rule 6: tenants": func(t *testing.T, s *suite) {
			c, _ := s.add(t, s.newCluster(t, "c"))
			for name, tc := range map[string]struct {
				scope state.Scope
				sees  bool
			}{
				"own project":        {state.Scope{ProjectID: "p1", UserID: "u9"}, true},
				"other project":      {state.Scope{ProjectID: "p2", UserID: "u1"}, false},
				"user, no project":   {state.Scope{UserID: "u1"}, true},
				"stranger":           {state.Scope{UserID: "u2"}, false},
				"nobody":             {state.Scope{}, false},
				"admin":              {everybody(), true},
				"admin of a project": {state.Scope{ProjectID: "p2", All: true}, true},
			} {
				for _, ident := range []string{c.UUID, c.Name} {
					_, err := s.Cluster(t.Context(), tc.scope, ident)
					if tc.sees != (err == nil) {
						t.Errorf("%s: %v", name, err)
					}
				}
				all, err := s.Clusters(t.Context(), tc.scope, state.Page{})
				must(t, err)
				if tc.sees != (len(all) == 1) {
					t.Errorf("%s: lists %d", name, len(all))
				}
			}
		},
		"a fixed number of statements": func(t *testing.T, s *suite) {
			for i := range 30 {
				s.add(t, s.newCluster(t, fmt.Sprintf("c%d", i)))
			}
			count := func(f func()) int64 {
				before := s.QueryCount()
				f()
				return s.QueryCount() - before
			}
			last, err := s.Clusters(t.Context(), everybody(), state.Page{Limit: 1})
			must(t, err)
			for name, tc := range map[string]struct {
				page state.Page
				want int64
			}{
				"one":    {state.Page{Limit: 1}, 3},
				"all":    {state.Page{}, 3},
				"sorted": {state.Page{SortKey: "name", Descending: true}, 3},
				"marker": {state.Page{Marker: last[0].UUID, SortKey: "name"}, 4},
			} {
				got := count(func() {
					_, err := s.Clusters(t.Context(), everybody(), tc.page)
					must(t, err)
				})
				if got != tc.want {
					t.Errorf("%s: %d statements, want %d", name, got, tc.want)
				}
			}
			if got := count(func() { s.get(t, last[0].UUID) }); got != 1 {
				t.Errorf("one cluster: %d statements", got)
			}
		},
	}
}

// listTests also hold for templates: both go through the same query.
func listTests() map[string]func(*testing.T, *suite) {
	return map[string]func(*testing.T, *suite){
		"order": func(t *testing.T, s *suite) {
			s.addForLists(t)
			for _, tc := range []struct {
				key       string
				asc, desc string
			}{
				{"", "b a d c e", "e c d a b"},
				{"id", "b a d c e", "e c d a b"},
				{"name", "a b c d e", "e d c b a"},
				{"docker_volume_size", "a d b e c", "c e b d a"}, // null null 1 1 2
				{"keypair", "b e a d c", "c d a e b"},            // null null k1 k1 k2
				{"created_at", "b a d c e", "e c d a b"},
				{"labels", "b a d c e", "e c d a b"},
				{"master_lb_enabled", "b a d e c", "c e d a b"},
			} {
				for _, desc := range []bool{false, true} {
					want := tc.asc
					if desc {
						want = tc.desc
					}
					page := state.Page{SortKey: tc.key, Descending: desc}
					all, err := s.Clusters(t.Context(), everybody(), page)
					must(t, err)
					wantSame(t, fmt.Sprintf("%+v", page), strings.Fields(want), clusterNames(all))
					for size := 1; size <= 5; size++ {
						wantSame(t, fmt.Sprintf("%+v in pages of %d", page, size), strings.Fields(want), s.paged(t, page, size))
					}
				}
			}
		},
		"bad sort keys": func(t *testing.T, s *suite) {
			for _, key := range []string{"node_count", "bogus", "id; DROP TABLE cluster", "c.id", "Name", "trustee_password", "driver"} {
				_, err := s.Clusters(t.Context(), everybody(), state.Page{SortKey: key})
				wantError(t, err, magnum.Invalid, `The sort_key value "`+key+`" is an invalid field for sorting`)
			}
			_, err := s.Templates(t.Context(), everybody(), state.Page{SortKey: "status"})
			wantError(t, err, magnum.Invalid, `The sort_key value "status" is an invalid field for sorting`)
			_, err = s.Templates(t.Context(), everybody(), state.Page{SortKey: "driver"})
			must(t, err)
		},
		"markers": func(t *testing.T, s *suite) {
			s.addForLists(t)
			foreign := s.newCluster(t, "foreign")
			foreign.ProjectID = "p2"
			s.add(t, foreign)
			for _, marker := range []string{nobody, foreign.UUID, "b", "'"} {
				_, err := s.Clusters(t.Context(), state.Scope{ProjectID: "p1"}, state.Page{Marker: marker})
				wantError(t, err, magnum.NotFound, "Cluster "+marker+" could not be found.")
			}
			_, err := s.Templates(t.Context(), everybody(), state.Page{Marker: nobody})
			wantError(t, err, magnum.NotFound, "ClusterTemplate "+nobody+" could not be found.")
			// A scope of several conditions and a marker's do not mix.
			all, err := s.Clusters(t.Context(), state.Scope{ProjectID: "p1"}, state.Page{Marker: s.get(t, "b").UUID, SortKey: "keypair"})
			must(t, err)
			wantSame(t, "after b", []string{"e", "a", "d", "c"}, clusterNames(all))
		},
		"templates in pages": func(t *testing.T, s *suite) {
			for _, c := range []magnum.ClusterTemplate{
				{Name: "b", ProjectID: "p1"}, {Name: "x", ProjectID: "p2"}, {Name: "a", ProjectID: "p1"},
				{Name: "d", ProjectID: "p2", Public: true}, {Name: "y", ProjectID: "p2", Public: true, Hidden: true}, {Name: "c", ProjectID: "p1"},
			} {
				must(t, s.CreateTemplate(t.Context(), &c))
			}
			page := state.Page{SortKey: "name", Limit: 1}
			got := []string{}
			for {
				all, err := s.Templates(t.Context(), state.Scope{ProjectID: "p1"}, page)
				must(t, err)
				if len(all) == 0 {
					break
				}
				got = append(got, templateNames(all)...)
				page.Marker = all[len(all)-1].UUID
			}
			wantSame(t, "pages", []string{"a", "b", "c", "d"}, got)
		},
	}
}

func (s *suite) addForLists(t *testing.T) {
	t.Helper()
	for _, c := range []struct {
		name, keypair string
		size          int
		lb            bool
	}{{"b", "", 1, false}, {"a", "k1", 0, false}, {"d", "k1", 0, false}, {"c", "k2", 2, true}, {"e", "", 1, false}} {
		cluster := s.newCluster(t, c.name)
		cluster.Keypair, cluster.DockerVolumeSize, cluster.MasterLBEnabled = c.keypair, c.size, c.lb
		s.add(t, cluster)
		s.clock.Add(time.Second)
	}
}

func (s *suite) paged(t *testing.T, page state.Page, size int) []string {
	t.Helper()
	page.Limit = size
	got := []string{}
	for range 10 {
		all, err := s.Clusters(t.Context(), everybody(), page)
		must(t, err)
		got = append(got, clusterNames(all)...)
		if len(all) < size {
			return got
		}
		page.Marker = all[len(all)-1].UUID
	}
	t.Error("pages without end")
	return got
}
