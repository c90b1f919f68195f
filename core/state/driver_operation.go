package state

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/go-magnum/magnum/core/magnum"
)

// driverOperationRow is a row of driver_operation.
type driverOperationRow struct {
	bun.BaseModel `bun:"table:driver_operation,alias:w"`

	OperationID string `bun:"operation_id,pk"`
	ClusterUUID string `bun:"cluster_uuid"`
	Handle      string `bun:"handle"`
	State       []byte `bun:"state,nullzero"`
	Seq         int64  `bun:"seq"`
}

// DriverOperations are what a cluster's driver may still have under way.
func (db *DB) DriverOperations(ctx context.Context, clusterUUID string) ([]magnum.DriverOperation, error) {
	var rows []driverOperationRow
	err := db.read.NewSelect().Model(&rows).Where("w.cluster_uuid = ?", clusterUUID).OrderExpr("w.operation_id").Scan(ctx)
	if err != nil {
		return nil, db.explain("list what the driver has under way for cluster "+clusterUUID, err)
	}
	all := make([]magnum.DriverOperation, len(rows))
	for i, r := range rows {
		all[i] = magnum.DriverOperation{OperationID: r.OperationID, Handle: r.Handle, State: r.State, Seq: r.Seq}
	}
	return all, nil
}

// saveDriverOperation writes what an operation's driver has come to. A row is
// replaced, not updated: that is the same on every engine, whether there was
// one or not.
func saveDriverOperation(ctx context.Context, tx bun.Tx, op *magnum.Operation) error {
	now := op.Driver
	if now == nil {
		return nil
	}
	old := tx.NewDelete().Model((*driverOperationRow)(nil)).Where("cluster_uuid = ?", op.ClusterUUID)
	if !now.Alone {
		old = old.Where("operation_id = ?", op.ID)
	}
	if _, err := old.Exec(ctx); err != nil || now.Over {
		return err
	}
	row := driverOperationRow{OperationID: op.ID, ClusterUUID: op.ClusterUUID, Handle: now.Handle, State: now.State, Seq: now.Seq}
	_, err := tx.NewInsert().Model(&row).Exec(ctx)
	return err
}
