package state

import (
	"context"
	"maps"

	"github.com/uptrace/bun"

	"github.com/go-magnum/magnum/core/magnum"
)

// KeypairChange changes a cluster and what its keypairs are for: pairs maps
// purposes to the uuids of keypairs. What is not in it any more afterwards is
// deleted; what comes into it must be stored.
type KeypairChange func(c *magnum.Cluster, pairs map[string]string) error

// StageKeypairs is [DB.SaveClusterKeypairs] by the owner of an operation;
// ErrFenced if that was lost.
func (db *DB) StageKeypairs(ctx context.Context, op *magnum.Operation, pairs map[string]Keypair) error {
	return db.change(ctx, "stage keypairs in operation "+op.ID, func(tx bun.Tx) error {
		if err := fenced(one(mine(tx, op).Set("fence = ?", op.Fence).Where(active).Exec(ctx))); err != nil {
			return err
		}
		return db.addKeypairs(ctx, tx, op.ClusterUUID, pairs)
	})
}

// AdvanceKeypairs is [DB.Advance] with a change of the cluster's keypairs, all
// or nothing.
func (db *DB) AdvanceKeypairs(ctx context.Context, op *magnum.Operation, change KeypairChange) error {
	return db.change(ctx, "save operation "+op.ID, func(tx bun.Tx) error {
		if err := saveOperation(ctx, tx, op); err != nil {
			return err
		}
		_, err := db.saveKeypairs(ctx, tx, op, change)
		return err
	})
}

// FinishKeypairs is [DB.Finish] with a change of the cluster's keypairs, all or
// nothing.
func (db *DB) FinishKeypairs(ctx context.Context, op *magnum.Operation, change KeypairChange) error {
	return db.end(ctx, op, func(tx bun.Tx) (*magnum.Cluster, error) { return db.saveKeypairs(ctx, tx, op, change) })
}

func (db *DB) saveKeypairs(ctx context.Context, tx bun.Tx, op *magnum.Operation, change KeypairChange) (*magnum.Cluster, error) {
	var rows []struct {
		Purpose string `bun:"purpose"`
		UUID    string `bun:"keypair_uuid"`
	}
	err := tx.NewSelect().TableExpr("cluster_keypair").Column("purpose", "keypair_uuid").
		Where("cluster_uuid = ?", op.ClusterUUID).Scan(ctx, &rows)
	if err != nil {
		return nil, err
	}
	before, after := map[string]string{}, map[string]string{}
	for _, r := range rows {
		before[r.Purpose], after[r.Purpose] = r.UUID, r.UUID
	}
	c, err := db.saveCluster(ctx, tx, op, func(c *magnum.Cluster) error { return change(c, after) })
	if err != nil || maps.Equal(before, after) {
		return c, err
	}
	return c, reassign(ctx, tx, op.ClusterUUID, before, after)
}

// reassign makes after what a cluster's keypairs are for, and deletes those
// that are for nothing any more.
func reassign(ctx context.Context, tx bun.Tx, clusterUUID string, before, after map[string]string) error {
	kept := map[string]bool{}
	for _, uuid := range after {
		kept[uuid] = true
	}
	for _, uuid := range before {
		if kept[uuid] {
			continue
		}
		if _, err := tx.NewDelete().TableExpr("x509keypair").Where("uuid = ?", uuid).Exec(ctx); err != nil {
			return err
		}
	}
	if _, err := tx.NewDelete().TableExpr("cluster_keypair").Where("cluster_uuid = ?", clusterUUID).Exec(ctx); err != nil {
		return err
	}
	for purpose, uuid := range after {
		if err := assignKeypair(ctx, tx, clusterUUID, purpose, uuid); err != nil {
			return err
		}
	}
	return nil
}
