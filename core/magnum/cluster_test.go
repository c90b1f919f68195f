package magnum

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestClusterCountsAndAddresses(t *testing.T) {
	c := Cluster{NodeGroups: []NodeGroup{
		{UUID: "1", Name: DefaultMaster, Role: RoleMaster, IsDefault: true, NodeCount: 3, NodeAddresses: []string{"m0", "m1", "m2"}},
		{UUID: "2", Name: DefaultWorker, Role: RoleWorker, IsDefault: true, NodeCount: 2, NodeAddresses: []string{"w0", "w1"}},
		{UUID: "3", Name: "gpu", Role: "gpu", NodeCount: 4, NodeAddresses: []string{"g0"}},
	}}
	if got := [2]int{c.MasterCount(), c.NodeCount()}; got != [2]int{3, 6} {
		t.Errorf("masters and nodes are %v, want 3 and 6: any role but master is a worker's", got)
	}
	if d := cmp.Diff([]string{"w0", "w1", "g0"}, c.Addresses(false)); d != "" {
		t.Errorf("node addresses (-want +got):\n%s", d)
	}
	if g := c.Default(false); g == nil || g.Name != DefaultWorker {
		t.Errorf("the default worker group is %v", g)
	}
	if g := c.NodeGroup("3"); g == nil || g.Name != "gpu" {
		t.Errorf("group by uuid is %v", g)
	}
	if c.NodeGroup("none") != nil {
		t.Error("a group that is not there was found")
	}
	if got := (&Cluster{}).Addresses(true); got == nil || len(got) != 0 {
		t.Errorf("addresses of no groups are %#v, want an empty list, which is not null", got)
	}
}

func TestOperationAllows(t *testing.T) {
	tests := map[OperationKind]map[Status]bool{
		OpUpdate: {CreateComplete: true, UpdateComplete: true, RollbackComplete: true, UpdateFailed: false, CreateFailed: false, CreateInProgress: false},
		OpResize: {CreateComplete: true, UpdateFailed: true, UpdateInProgress: true, CreateFailed: false, DeleteInProgress: false},
	}
	for kind, statuses := range tests {
		for status, want := range statuses {
			if got := slices.Contains(kind.Allows(), status); got != want {
				t.Errorf("%s of a cluster that is %s: allowed %v, want %v", kind, status, got, want)
			}
		}
	}
	if OpDelete.Allows() != nil {
		t.Error("delete is not allowed in every status")
	}
}

func TestKindOf(t *testing.T) {
	err := fmt.Errorf("show the cluster: %w", Errorf(NotFound, "Cluster %s could not be found.", "x"))
	if KindOf(err) != NotFound {
		t.Errorf("the kind of a wrapped error is %v", KindOf(err))
	}
	if KindOf(errors.New("disk full")) != Internal {
		t.Error("an error of nobody's is not internal")
	}
}
