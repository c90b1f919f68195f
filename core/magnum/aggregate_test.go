package magnum

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAggregate(t *testing.T) {
	// group makes the default groups of names "m" and "w", and others.
	group := func(name string, s Status) NodeGroup {
		g := NodeGroup{Name: name, Status: s, Role: RoleWorker}
		switch name {
		case "m":
			g.Role, g.IsDefault = RoleMaster, true
		case "w":
			g.IsDefault = true
		}
		return g
	}
	defaults := func(s Status) []NodeGroup { return []NodeGroup{group("m", s), group("w", s)} }
	with := func(s Status, more ...NodeGroup) []NodeGroup { return append(defaults(s), more...) }
	tests := map[string]struct {
		previous Status
		groups   []NodeGroup
		want     Status
		failed   []string
	}{
		"created":                      {CreateInProgress, defaults(CreateComplete), CreateComplete, nil},
		"created, looked at again":     {CreateComplete, defaults(CreateComplete), CreateComplete, nil},
		"create failed":                {CreateInProgress, defaults(CreateFailed), CreateFailed, []string{"m", "w"}},
		"updated":                      {UpdateInProgress, defaults(UpdateComplete), UpdateComplete, nil},
		"rolled back":                  {UpdateInProgress, defaults(RollbackComplete), RollbackComplete, nil},
		"the last extra group is gone": {UpdateInProgress, defaults(CreateComplete), UpdateComplete, nil},
		"in spite of a failure before": {UpdateFailed, defaults(CreateComplete), UpdateComplete, nil},
		"an extra group created":       {UpdateInProgress, with(CreateComplete, group("x", CreateComplete)), UpdateComplete, nil},
		"an extra group failed":        {UpdateInProgress, with(CreateComplete, group("x", CreateFailed)), UpdateFailed, []string{"x"}},
		"two extra groups failed":      {UpdateInProgress, with(UpdateComplete, group("x", CreateFailed), group("y", DeleteFailed)), UpdateFailed, []string{"x", "y"}},
		"progress before failure":      {UpdateInProgress, with(CreateComplete, group("x", CreateFailed), group("y", CreateInProgress)), UpdateInProgress, []string{"x"}},
		"a default group failed":       {UpdateInProgress, with(UpdateFailed, group("x", CreateComplete)), UpdateFailed, []string{"m", "w"}},
		"rolled back with extra":       {UpdateInProgress, with(RollbackComplete, group("x", CreateComplete)), UpdateComplete, nil},
		"all go":                       {DeleteInProgress, with(DeleteInProgress, group("x", DeleteInProgress)), DeleteInProgress, nil},
		"one does not go":              {DeleteInProgress, with(DeleteFailed, group("x", DeleteFailed)), DeleteFailed, []string{"m", "w", "x"}},
		"an extra group goes":          {UpdateInProgress, with(CreateComplete, group("x", DeleteInProgress)), UpdateInProgress, nil},
		"the master decides":           {UpdateInProgress, []NodeGroup{group("w", CreateComplete), group("m", UpdateComplete)}, UpdateComplete, nil},
		"no status known":              {UpdateInProgress, with("", group("x", "")), "", nil},
		"no groups":                    {UpdateInProgress, nil, UpdateInProgress, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, failed := Aggregate(tc.previous, tc.groups)
			if got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
			if d := cmp.Diff(tc.failed, failed); d != "" {
				t.Errorf("failed groups (-want +got):\n%s", d)
			}
		})
	}
}
