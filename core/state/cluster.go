package state

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/go-magnum/magnum/core/magnum"
)

func clusterNotFound(ident string) error {
	return magnum.Errorf(magnum.NotFound, "Cluster %s could not be found.", ident)
}

// Cluster finds a cluster by uuid or name. Errors for users are NotFound, and
// Conflict where more than one has that name.
func (db *DB) Cluster(ctx context.Context, s Scope, ident string) (*magnum.Cluster, error) {
	where, args := s.where("c")
	if id, ok := isUUID(ident); ok {
		where, args = where+" AND c.uuid = ?", append(args, id)
	} else {
		where, args = where+" AND c.name = ?", append(args, ident)
	}
	w, err := db.whole(ctx, where, args)
	if err == nil {
		defer db.forget(w)
		switch len(w.clusters) {
		case 0:
			return nil, clusterNotFound(ident)
		case 1:
			return w.cluster()
		}
		return nil, magnum.Errorf(magnum.Conflict,
			"Multiple clusters exist with same name. Please use the cluster uuid instead.")
	}
	return nil, db.explain(fmt.Sprintf("load cluster %s", ident), err)
}

// Clusters lists the clusters that a scope sees, with their node groups, in a
// fixed number of statements. An unknown marker is NotFound, a sort key that
// is no column is Invalid.
func (db *DB) Clusters(ctx context.Context, s Scope, p Page) ([]*magnum.Cluster, error) {
	l := list{table: "cluster", alias: "c", columns: db.columns.cluster, notFound: clusterNotFound}
	l.where, l.args = s.where("c")
	l.visible, l.visibleArgs = l.where, l.args
	var all []*magnum.Cluster
	err := db.snapshot(ctx, "list clusters", func(tx bun.Tx) (err error) {
		var found []clusterRow
		if err := l.page(ctx, tx, p, &found); err != nil {
			return err
		}
		all, err = complete(ctx, tx, found)
		return err
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// complete makes clusters of rows: it reads their drivers and node groups.
func complete(ctx context.Context, tx bun.Tx, found []clusterRow) ([]*magnum.Cluster, error) {
	all := make([]*magnum.Cluster, len(found))
	if len(found) == 0 {
		return all, nil
	}
	ids := make([]string, len(found))
	byID := make(map[string]*magnum.Cluster, len(found))
	for i := range found {
		c, err := found[i].cluster()
		if err != nil {
			return nil, err
		}
		all[i], ids[i], byID[c.UUID] = c, c.UUID, c
	}
	var pins []pinRow
	if err := tx.NewSelect().Model(&pins).Where("d.cluster_uuid IN (?)", bun.List(ids)).Scan(ctx); err != nil {
		return nil, err
	}
	for i := range pins {
		if err := pins[i].fill(byID[pins[i].ClusterUUID]); err != nil {
			return nil, err
		}
	}
	var groups []nodeGroupRow
	if err := tx.NewSelect().Model(&groups).Where("g.cluster_id IN (?)", bun.List(ids)).OrderExpr("g.id").Scan(ctx); err != nil {
		return nil, err
	}
	for i := range groups {
		g, err := groups[i].nodeGroup()
		if err != nil {
			return nil, err
		}
		c := byID[g.ClusterID]
		c.NodeGroups = append(c.NodeGroups, g)
	}
	return all, nil
}
