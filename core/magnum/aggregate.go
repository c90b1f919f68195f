package magnum

import "strings"

// Aggregate is what the statuses of a cluster's node groups make of its own,
// by upstream's rules, and the names of the groups that have failed. previous
// is the status that the cluster had.
//
//   - A group in progress comes before one that failed, and that before the
//     complete ones.
//   - Without groups beside the default ones, which share a stack, the cluster
//     has the default master's status. With them everything but a delete is
//     called an update.
//   - A cluster that is complete stays CREATE_COMPLETE only if nothing was
//     done to it since.
func Aggregate(previous Status, groups []NodeGroup) (s Status, failed []string) {
	var first *NodeGroup
	extra := false
	for i := range groups {
		g := &groups[i]
		extra = extra || !g.IsDefault
		if g.IsDefault && (first == nil || g.IsMaster() && !first.IsMaster()) {
			first = g
		}
		if g.Status.Failed() {
			failed = append(failed, g.Name)
		}
	}
	if first == nil { // only in a database that somebody has edited
		return previous, failed
	}
	s = first.Status
	if extra {
		s = extended(s, groups)
	}
	if s == CreateComplete && previous != CreateComplete && previous != CreateInProgress {
		s = UpdateComplete
	}
	return s, failed
}

// extended is the status of a cluster with groups beside the default ones.
func extended(first Status, groups []NodeGroup) Status {
	action := "UPDATE"
	if strings.HasPrefix(string(first), "DELETE_") {
		action = "DELETE"
	}
	for _, state := range []string{"_IN_PROGRESS", "_FAILED", "_COMPLETE"} {
		for i := range groups {
			if strings.HasSuffix(string(groups[i].Status), state) {
				return Status(action + state)
			}
		}
	}
	return first
}
