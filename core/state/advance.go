package state

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/go-magnum/magnum/core/magnum"
)

// Advance saves how far an operation has come: its Phase, Data, SealedToken,
// NotBefore, Attempts, LastError and Deadline, and Driver unless that is nil, and
// with them what change, which may be nil, does to the cluster. ErrFenced if the operation was lost.
func (db *DB) Advance(ctx context.Context, op *magnum.Operation, change func(*magnum.Cluster) error) error {
	return db.change(ctx, fmt.Sprintf("save operation %s", op.ID), func(tx bun.Tx) error {
		if err := saveOperation(ctx, tx, op); err != nil {
			return err
		}
		_, err := db.saveCluster(ctx, tx, op, change)
		return err
	})
}

// Finish is Advance, after which the operation is over: nobody claims it, the
// cluster takes another one, and the sealed token is erased.
func (db *DB) Finish(ctx context.Context, op *magnum.Operation, change func(*magnum.Cluster) error) error {
	return db.end(ctx, op, func(tx bun.Tx) (*magnum.Cluster, error) { return db.saveCluster(ctx, tx, op, change) })
}

// Destroy ends a delete: the operation is over, and of the cluster nothing is
// left but the record of its operations.
func (db *DB) Destroy(ctx context.Context, op *magnum.Operation) error {
	return db.end(ctx, op, func(tx bun.Tx) (*magnum.Cluster, error) {
		h, err := hold(ctx, tx, op.ClusterUUID)
		if err != nil {
			return nil, err
		}
		refs := []string{h.CACertRef, h.MagnumCertRef, h.EtcdCACertRef, h.FrontProxyCertRef}
		for _, q := range []*bun.DeleteQuery{
			tx.NewDelete().TableExpr("x509keypair").
				Where("uuid IN (?) OR uuid IN (SELECT keypair_uuid FROM cluster_keypair WHERE cluster_uuid = ?)", bun.List(refs), h.UUID),
			tx.NewDelete().TableExpr("cluster_keypair").Where("cluster_uuid = ?", h.UUID),
			tx.NewDelete().TableExpr("nodegroup").Where("cluster_id = ?", h.UUID),
			tx.NewDelete().TableExpr("cluster_driver").Where("cluster_uuid = ?", h.UUID),
			tx.NewDelete().TableExpr("driver_operation").Where("cluster_uuid = ?", h.UUID),
		} {
			if _, err := q.Exec(ctx); err != nil {
				return nil, err
			}
		}
		h.Status, h.StatusReason = magnum.DeleteComplete, "" // for the event: the row is gone
		return h.Cluster, one(tx.NewDelete().Model(&h.row).WherePK().Exec(ctx))
	})
}

// end finishes an operation and tells so. last writes what else there is, and
// returns the cluster as it is in the end; nil, if there is nothing to tell.
func (db *DB) end(ctx context.Context, op *magnum.Operation, last func(tx bun.Tx) (*magnum.Cluster, error)) error {
	finished := micros(db.now())
	err := db.change(ctx, fmt.Sprintf("finish operation %s", op.ID), func(tx bun.Tx) error {
		if err := saveOperation(ctx, tx, op); err != nil {
			return err
		}
		c, err := last(tx)
		if err != nil {
			return err
		}
		err = fenced(one(mine(tx, op).Set("active_key = NULL").Set("sealed_token = NULL").
			Set("lease_until = 0").Set("finished_at = ?", finished).Exec(ctx)))
		if err != nil || c == nil {
			return err
		}
		return db.tell(ctx, tx, magnum.Ended(op, c))
	})
	if err == nil {
		op.FinishedAt, op.LeaseUntil, op.SealedToken = fromMicros(finished), time.Time{}, nil
	}
	return err
}

func saveOperation(ctx context.Context, tx bun.Tx, op *magnum.Operation) error {
	row, err := operationRowOf(op)
	if err != nil {
		return err
	}
	err = fenced(one(mine(tx, op).
		Set("phase = ?", row.Phase).Set("data = ?", bun.NullZero(row.Data)).
		Set("sealed_token = ?", row.SealedToken).Set("not_before = ?", row.NotBefore).
		Set("attempts = ?", row.Attempts).Set("last_error = ?", row.LastError).
		Set("deadline = ?", row.Deadline).Where(active).Exec(ctx)))
	if err != nil {
		return err
	}
	return saveDriverOperation(ctx, tx, op)
}

// saveCluster returns the cluster as it was saved; nil without a change.
func (db *DB) saveCluster(ctx context.Context, tx bun.Tx, op *magnum.Operation, change func(*magnum.Cluster) error) (*magnum.Cluster, error) {
	if change == nil {
		return nil, nil
	}
	h, err := hold(ctx, tx, op.ClusterUUID)
	if err != nil {
		return nil, err
	}
	if err := change(h.Cluster); err != nil {
		return nil, err
	}
	return h.Cluster, db.save(ctx, tx, h)
}
