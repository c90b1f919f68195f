package state

import (
	"cmp"
	"context"
	"fmt"
	"slices"

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
	query := "SELECT " + db.columns.of("c", db.columns.cluster) + " FROM cluster AS c WHERE " + where
	if id, ok := isUUID(ident); ok {
		query, args = query+" AND c.uuid = ?", append(args, id)
	} else {
		query, args = query+" AND c.name = ? LIMIT 2", append(args, ident)
	}
	c, err := db.cluster(ctx, ident, query, args)
	if err != nil {
		return nil, db.explain(fmt.Sprintf("load cluster %s", ident), err)
	}
	return c, nil
}

// cluster reads in three statements, not in a join: SQLite plans a join anew
// for each value of its parameters, which takes longer than all three. And in
// one transaction: between two of them the cluster could be deleted.
func (db *DB) cluster(ctx context.Context, ident, query string, args []any) (*magnum.Cluster, error) {
	one, err := db.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	pin, err := db.prepare(ctx, "SELECT d.driver, d.version FROM cluster_driver AS d WHERE d.cluster_uuid = ?")
	if err != nil {
		return nil, err
	}
	members, err := db.prepare(ctx, "SELECT "+db.columns.of("g", db.columns.nodegroup)+" FROM nodegroup AS g WHERE g.cluster_id = ?")
	if err != nil {
		return nil, err
	}
	tx, err := db.read.DB.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	// Nothing was written, and what was read is whole: an error that counts
	// came before.
	defer func() { _ = tx.Rollback() }()

	var found []clusterRow
	if err := db.scan(ctx, tx.StmtContext(ctx, one), &found, args...); err != nil {
		return nil, err
	}
	switch len(found) {
	case 0:
		return nil, clusterNotFound(ident)
	case 1:
	default:
		return nil, magnum.Errorf(magnum.Conflict,
			"Multiple clusters exist with same name. Please use the cluster uuid instead.")
	}
	var pins []pinRow
	if err := db.scan(ctx, tx.StmtContext(ctx, pin), &pins, found[0].UUID); err != nil {
		return nil, err
	}
	groups := make([]nodeGroupRow, 0, 4)
	if err := db.scan(ctx, tx.StmtContext(ctx, members), &groups, found[0].UUID); err != nil {
		return nil, err
	}
	// Sorted here: ORDER BY has the same price as a join.
	slices.SortFunc(groups, func(a, b nodeGroupRow) int { return cmp.Compare(a.ID, b.ID) })
	c, err := found[0].cluster()
	if err != nil {
		return nil, err
	}
	if len(pins) > 0 {
		c.Driver = pins[0].ref()
	}
	c.NodeGroups = make([]magnum.NodeGroup, len(groups))
	for i := range groups {
		if c.NodeGroups[i], err = groups[i].nodeGroup(); err != nil {
			return nil, err
		}
	}
	return c, nil
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
		byID[pins[i].ClusterUUID].Driver = pins[i].ref()
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
