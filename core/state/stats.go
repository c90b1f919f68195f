package state

import (
	"context"

	"github.com/uptrace/bun"
)

// Stats is how much there is.
type Stats struct {
	Clusters int
	Nodes    int // masters too, as upstream counts
}

// Stats counts the clusters that a scope sees, and their nodes.
func (db *DB) Stats(ctx context.Context, s Scope) (Stats, error) {
	var found Stats
	where, args := s.where("c")
	err := db.snapshot(ctx, "count clusters and nodes", func(tx bun.Tx) error {
		err := tx.NewSelect().TableExpr("cluster AS c").ColumnExpr("COUNT(*)").Where(where, args...).Scan(ctx, &found.Clusters)
		if err != nil {
			return err
		}
		return tx.NewSelect().TableExpr("nodegroup AS g").Join("JOIN cluster AS c ON c.uuid = g.cluster_id").
			ColumnExpr("COALESCE(SUM(g.node_count), 0)").Where(where, args...).Scan(ctx, &found.Nodes)
	})
	return found, err
}
