package state

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/go-magnum/magnum/core/magnum"
)

func nodeGroupNotFound(ident string) error {
	return magnum.Errorf(magnum.NotFound, "Nodegroup %s could not be found.", ident)
}

// NodeGroups lists the groups of a cluster that a scope sees; a role other
// than "" is demanded of them. A cluster that the scope does not see has no
// groups. An unknown marker is NotFound, a sort key that is no column is
// Invalid.
func (db *DB) NodeGroups(ctx context.Context, s Scope, clusterUUID, role string, p Page) ([]magnum.NodeGroup, error) {
	l := list{table: "nodegroup", alias: "g", columns: db.columns.nodegroup, notFound: nodeGroupNotFound}
	// A group's tenant is its cluster's, and a user's clusters are known by
	// the cluster alone.
	own, args := s.where("c")
	l.visible = "g.cluster_id IN (SELECT c.uuid FROM cluster AS c WHERE c.uuid = ? AND " + own + ")"
	l.visibleArgs = append([]any{clusterUUID}, args...)
	l.where, l.args = l.visible, l.visibleArgs
	if role != "" {
		l.where, l.args = l.visible+" AND g.role = ?", append(l.visibleArgs[:len(l.visibleArgs):len(l.visibleArgs)], role)
	}
	var found []nodeGroupRow
	err := db.snapshot(ctx, "list the node groups of cluster "+clusterUUID, func(tx bun.Tx) error {
		return l.page(ctx, tx, p, &found)
	})
	if err != nil {
		return nil, err
	}
	all := make([]magnum.NodeGroup, len(found))
	for i := range found {
		if all[i], err = found[i].nodeGroup(); err != nil {
			return nil, err
		}
	}
	return all, nil
}
