// Package statetest is what every engine of package state must pass. The
// numbers in its tests are those of the rules in state's documentation.
package statetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
)

// Open opens a new and empty database with the schema in place, which is
// closed when the test ends. It fills in the Connection of the given Config.
type Open func(t *testing.T, c state.Config) *state.DB

// Run runs the suite.
func Run(t *testing.T, open Open) {
	for _, part := range []struct {
		name  string
		tests map[string]func(*testing.T, *suite)
	}{
		{"Schema", schemaTests()},
		{"Template", templateTests()},
		{"Cluster", clusterTests()},
		{"List", listTests()},
		{"NodeGroup", nodeGroupTests()},
		{"AcceptCreate", acceptCreateTests()},
		{"Accept", acceptTests()},
		{"Claim", claimTests()},
		{"Advance", advanceTests()},
		{"Keypair", keypairTests()},
		{"Publish", publishTests()},
		{"Quota", quotaTests()},
		{"Outbox", outboxTests()},
	} {
		t.Run(part.name, func(t *testing.T) {
			for name, test := range part.tests {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					s := &suite{clock: &clock{now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}}
					s.DB = open(t, state.Config{Now: s.clock.Now, Message: tells})
					test(t, s)
				})
			}
		})
	}
}

// suite is a database and the clock it goes by.
type suite struct {
	*state.DB
	clock *clock
	tmpl  *magnum.ClusterTemplate
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

const (
	lease  = time.Minute
	nobody = "b0c0ffee-0000-4000-8000-00000000dead"
)

func everybody() state.Scope { return state.Scope{All: true} }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, err error, kind magnum.Kind, message string) {
	t.Helper()
	if err == nil || magnum.KindOf(err) != kind || err.Error() != message {
		t.Errorf("got error %v (kind %d), want %q (kind %d)", err, magnum.KindOf(err), message, kind)
	}
}

func wantSame(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func (s *suite) template(t *testing.T) *magnum.ClusterTemplate {
	t.Helper()
	if s.tmpl == nil {
		s.tmpl = &magnum.ClusterTemplate{Name: "template", ProjectID: "p1", UserID: "u1", COE: "kubernetes"}
		must(t, s.CreateTemplate(t.Context(), s.tmpl))
	}
	return s.tmpl
}

// newCluster is a cluster that was not stored yet.
func (s *suite) newCluster(t *testing.T, name string) *magnum.Cluster {
	t.Helper()
	return &magnum.Cluster{
		Name: name, ProjectID: "p1", UserID: "u1", ClusterTemplateID: s.template(t).UUID,
		Status: magnum.CreateInProgress, CreateTimeout: 60, Driver: magnum.DriverRef{Name: "atomic", Version: "1.2.3"},
		NodeGroups: []magnum.NodeGroup{
			{Name: magnum.DefaultMaster, Role: magnum.RoleMaster, IsDefault: true, NodeCount: 1, Status: magnum.CreateInProgress},
			{Name: magnum.DefaultWorker, Role: magnum.RoleWorker, IsDefault: true, NodeCount: 2, Status: magnum.CreateInProgress},
		},
	}
}

// add stores a cluster with its create operation under way.
func (s *suite) add(t *testing.T, c *magnum.Cluster) (*magnum.Cluster, *magnum.Operation) {
	t.Helper()
	op := &magnum.Operation{Kind: magnum.OpCreate, Phase: "trust", SealedToken: []byte("sealed"), RequestID: "req-1"}
	must(t, s.AcceptCreate(t.Context(), c, op, 1000))
	return c, op
}

// ready stores a cluster and finishes its create.
func (s *suite) ready(t *testing.T, name string) *magnum.Cluster {
	t.Helper()
	c, _ := s.add(t, s.newCluster(t, name))
	op := s.claim(t, "setup")
	must(t, s.Finish(t.Context(), op, func(c *magnum.Cluster) error {
		c.Status = magnum.CreateComplete
		return nil
	}))
	return s.get(t, c.UUID)
}

func (s *suite) get(t *testing.T, uuid string) *magnum.Cluster {
	t.Helper()
	c, err := s.Cluster(t.Context(), everybody(), uuid)
	must(t, err)
	return c
}

// claim claims the one operation there is.
func (s *suite) claim(t *testing.T, owner string) *magnum.Operation {
	t.Helper()
	ops, err := s.Claim(t.Context(), state.Claimant{Owner: owner}, lease, 10)
	must(t, err)
	if len(ops) != 1 {
		t.Fatalf("%d operations to claim, want 1", len(ops))
	}
	return ops[0]
}

func (s *suite) wantNothingToClaim(t *testing.T) {
	t.Helper()
	ops, err := s.Claim(t.Context(), state.Claimant{Owner: "nobody"}, lease, 10)
	must(t, err)
	if len(ops) > 0 {
		t.Errorf("%d operations could be claimed, first %+v", len(ops), *ops[0])
	}
}

// unchanged returns a check that a cluster and its operations are as now.
func (s *suite) unchanged(t *testing.T, uuid string) func() {
	t.Helper()
	look := func() any {
		ops, err := s.Operations(t.Context(), uuid)
		must(t, err)
		return fmt.Sprintf("%+v %+v", s.get(t, uuid), flat(ops))
	}
	before := look()
	return func() {
		t.Helper()
		wantSame(t, "rows", before, look())
	}
}

func flat(ops []*magnum.Operation) (all []magnum.Operation) {
	for _, op := range ops {
		all = append(all, *op)
	}
	return all
}

func names[T any](all []*T, name func(*T) string) []string {
	list := []string{}
	for _, one := range all {
		list = append(list, name(one))
	}
	return list
}

func clusterNames(all []*magnum.Cluster) []string {
	return names(all, func(c *magnum.Cluster) string { return c.Name })
}

func templateNames(all []*magnum.ClusterTemplate) []string {
	return names(all, func(c *magnum.ClusterTemplate) string { return c.Name })
}
