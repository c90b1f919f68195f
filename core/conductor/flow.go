package conductor

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/go-magnum/magnum/core/magnum"
)

// flow is the list of an operation's phases, and what it does to statuses and
// rows when it begins and ends.
type flow struct {
	phases []phase
	// cluster is the word in the cluster's status while this goes on, group
	// that in the statuses of the groups it is about: CREATE, UPDATE, DELETE.
	cluster, group string
	// about reports whether an operation is about a group. The statuses of
	// the others stay as they are.
	about func(g *magnum.NodeGroup) bool

	// begin puts into the rows what is wanted, where the API has not; end
	// what was reached; restore what was before, after a failure. All may be
	// nil.
	begin, end, restore func(cluster *magnum.Cluster)
	// finish ends the operation; Finish with ends if nil.
	finish func(ctx context.Context, t *task) error
	// ending and failing write the end and the failure; Finish if nil.
	ending, failing save
}

func (c *Conductor) flow(t *task) (flow, error) {
	f, err := c.stackFlow(t)
	if err == nil && t.cluster.Stackless {
		f = c.stackless(t, f)
	}
	return f, err
}

func (c *Conductor) stackFlow(t *task) (flow, error) {
	switch t.op.Kind {
	case magnum.OpCreate:
		return c.createFlow(), nil
	case magnum.OpUpdate, magnum.OpResize:
		return c.resizeFlow(t)
	case magnum.OpDelete:
		return c.deleteFlow(t), nil
	case magnum.OpUpgrade:
		return c.upgradeFlow(t)
	case magnum.OpRotateCA:
		return c.rotateCAFlow(t)
	case magnum.OpRotateCredential:
		return c.rotateCredentialFlow(t)
	case magnum.OpCreateNodeGroup:
		return c.createGroupFlow(t)
	case magnum.OpUpdateNodeGroup:
		return c.updateGroupFlow(t)
	case magnum.OpDeleteNodeGroup:
		return c.deleteGroupFlow(t)
	}
	return flow{}, fatal(fmt.Sprintf("Operation %s is not known to this conductor.", t.op.Kind))
}

// input reads what was asked.
func (t *task) input(into any) error {
	if err := json.Unmarshal(t.op.Input, into); err != nil {
		return fatal("The request's data cannot be read.")
	}
	return nil
}

// named is the group that a request names.
func (t *task) named(name string) (*magnum.NodeGroup, error) {
	if g := t.cluster.NodeGroup(name); g != nil {
		return g, nil
	}
	return nil, fatal(fmt.Sprintf("Nodegroup %s could not be found.", name))
}

// ownStack is the uuid of a group that has a stack of its own, and empty for
// one that is part of the cluster's.
func ownStack(g *magnum.NodeGroup) string {
	if g.IsDefault {
		return ""
	}
	return g.UUID
}

// inStack reports whether a group is in the stack that belongs to group, or to
// the cluster if that is empty.
func inStack(group string) func(*magnum.NodeGroup) bool {
	return func(g *magnum.NodeGroup) bool { return ownStack(g) == group }
}

func nobody(*magnum.NodeGroup) bool    { return false }
func everybody(*magnum.NodeGroup) bool { return true }

// mark sets the statuses of the groups that an operation is about.
func (f flow) mark(cluster *magnum.Cluster, s magnum.Status) {
	for i := range cluster.NodeGroups {
		if g := &cluster.NodeGroups[i]; f.about(g) {
			g.Status, g.StatusReason = s, ""
		}
	}
}

func (f flow) starts(cluster *magnum.Cluster) {
	if f.begin != nil {
		f.begin(cluster)
	}
	cluster.Faults = nil
	cluster.Status = status(f.cluster, "IN_PROGRESS")
	f.mark(cluster, status(f.group, "IN_PROGRESS"))
}

func (f flow) ends(cluster *magnum.Cluster) {
	f.mark(cluster, status(f.group, "COMPLETE"))
	if f.end != nil {
		f.end(cluster)
	}
	s, failed := magnum.Aggregate(cluster.Status, cluster.NodeGroups)
	if s.InProgress() || s == "" {
		// Of groups nobody works on: what is left of a database's past.
		s = status(f.cluster, "COMPLETE")
	}
	cluster.Status, cluster.StatusReason = s, ""
	if s.Failed() {
		cluster.StatusReason = failures(cluster, failed, "")
	}
}

// failure is how an operation ended that did not reach its end.
type failure struct {
	reason string
	// group is whose own stack it was about then; empty for the cluster's.
	group string
	// stack is that the stack itself failed, and faults why. rolledBack is
	// how Heat ended an update that it undid.
	stack      bool
	faults     map[string]string
	rolledBack magnum.Status
}

func (f flow) fails(cluster *magnum.Cluster, why failure) {
	if f.restore != nil {
		f.restore(cluster)
	}
	word := status(f.group, "FAILED")
	if why.rolledBack != "" {
		word = why.rolledBack
	}
	f.mark(cluster, word)
	for i := range cluster.NodeGroups {
		g := &cluster.NodeGroups[i]
		if !inStack(why.group)(g) {
			continue
		}
		if !f.about(g) && !g.IsDefault {
			// A change of the whole cluster that came as far as this group.
			f.mark(cluster, status(f.group, "COMPLETE"))
			g.Status = word
		}
		// What kept the cluster's stack from being asked for is no fault of
		// its groups, and is said in the cluster's reason.
		if f.about(g) && why.stack || !g.IsDefault {
			g.StatusReason = why.reason
		}
	}
	s, failed := magnum.Aggregate(cluster.Status, cluster.NodeGroups)
	switch {
	case s.Failed():
	case why.rolledBack != "":
		s = why.rolledBack
	default:
		s = status(f.cluster, "FAILED")
	}
	if f.cluster == "DELETE" {
		failed = nil // all of them; but it is one that has kept the rest
		if g := cluster.NodeGroup(why.group); g != nil {
			failed = []string{g.Name}
		}
	}
	cluster.Status, cluster.StatusReason, cluster.Faults = s, failures(cluster, failed, why.reason), why.faults
}

func status(action, state string) magnum.Status { return magnum.Status(action + "_" + state) }

// failures is the reason of a failed cluster: upstream's list of the groups
// that failed, and the cause. Where it is only the default groups the list is
// left out: they are the cluster, and the cause says more.
func failures(cluster *magnum.Cluster, names []string, cause string) string {
	var list, causes []string
	extra := false
	for _, name := range names {
		list = append(list, name+" failed")
		g := cluster.NodeGroup(name)
		extra = extra || !g.IsDefault
		if g.StatusReason != "" && (len(causes) == 0 || causes[len(causes)-1] != g.StatusReason) {
			causes = append(causes, g.StatusReason)
		}
	}
	if cause == "" {
		cause = strings.Join(causes, "; ")
	}
	switch {
	case cause == "":
		return strings.Join(list, ", ")
	case !extra:
		return cause
	}
	return strings.Join(list, ", ") + ": " + cause
}
