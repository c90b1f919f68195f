package state

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/go-magnum/magnum/core/magnum"
)

// withdrawnFor is how long a version that is being removed gets no clusters: it
// has to be longer than a request takes that chose it before.
const withdrawnFor = 3 * time.Minute

// Pin says which driver a cluster was made with, and has to be served by.
type Pin struct {
	ClusterUUID string
	Driver      magnum.DriverRef
}

// Pins returns the drivers of all clusters.
func (db *DB) Pins(ctx context.Context) ([]Pin, error) {
	var rows []pinRow
	err := db.read.NewSelect().Model(&rows).Column("cluster_uuid", "driver", "version").OrderExpr("d.cluster_uuid").Scan(ctx)
	if err != nil {
		return nil, db.explain("list the clusters' drivers", err)
	}
	pins := make([]Pin, len(rows))
	for i, row := range rows {
		pins[i] = Pin{ClusterUUID: row.ClusterUUID, Driver: magnum.DriverRef{Name: row.Driver, Version: row.Version}}
	}
	return pins, nil
}

// Repin gives a cluster another driver, or another version of its own. check is
// told the cluster as it is, and its error aborts. Conflict is an operation
// under way, which may have asked the former one already, and a version that
// was withdrawn.
func (db *DB) Repin(ctx context.Context, clusterUUID string, to magnum.DriverRef, check func(*magnum.Cluster) error) error {
	return db.change(ctx, "pin cluster "+clusterUUID, func(tx bun.Tx) error {
		h, err := hold(ctx, tx, clusterUUID)
		if err != nil {
			return err
		}
		n, err := tx.NewSelect().TableExpr("operation").Where("active_key = ?", h.UUID).Count(ctx)
		if err != nil {
			return err
		}
		if n > 0 {
			return magnum.Errorf(magnum.Conflict, "Cluster %s already has an operation in progress.", h.Name)
		}
		if err := check(h.Cluster); err != nil {
			return err
		}
		h.Driver = to
		return db.save(ctx, tx, h)
	})
}

// Withdraw keeps clusters from getting a version of a driver that is about to be
// removed, also those whose requests have chosen it already. Clusters that have
// it are returned, and are a reason to withdraw nothing, unless by force.
func (db *DB) Withdraw(ctx context.Context, ref magnum.DriverRef, force bool) (pinned []string, err error) {
	err = db.change(ctx, "withdraw driver "+ref.Name+" "+ref.Version, func(tx bun.Tx) error {
		pinned = nil
		err := tx.NewSelect().Model((*pinRow)(nil)).Column("cluster_uuid").
			Where("d.driver = ?", ref.Name).Where("d.version = ?", ref.Version).OrderExpr("d.cluster_uuid").Scan(ctx, &pinned)
		if err != nil || len(pinned) > 0 && !force {
			return err
		}
		if _, err := tx.NewRaw("DELETE FROM driver_withdrawal WHERE name = ? AND version = ?", ref.Name, ref.Version).Exec(ctx); err != nil {
			return err
		}
		_, err = tx.NewRaw("INSERT INTO driver_withdrawal (name, version, withdrawn_until) VALUES (?, ?, ?)",
			ref.Name, ref.Version, micros(db.now().Add(withdrawnFor))).Exec(ctx)
		return err
	})
	return pinned, err
}

// checkWithdrawn refuses a driver that a cluster is about to get.
func (db *DB) checkWithdrawn(ctx context.Context, tx bun.Tx, ref magnum.DriverRef) error {
	n, err := tx.NewSelect().TableExpr("driver_withdrawal").Where("name = ?", ref.Name).Where("version = ?", ref.Version).
		Where("withdrawn_until > ?", micros(db.now())).Count(ctx)
	if err == nil && n > 0 {
		err = magnum.Errorf(magnum.Conflict, "Driver %s %s is being removed and takes no more clusters. Please try again in a few minutes.",
			ref.Name, ref.Version)
	}
	return err
}
