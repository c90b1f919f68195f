package state

import (
	"context"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"github.com/go-magnum/magnum/core/magnum"
)

// claimable is an operation that is under way, due, not leased, and not
// waiting for the owner of one that it took the place of.
const claimable = active + ` AND o.not_before <= ? AND o.lease_until <= ? AND NOT EXISTS (
	SELECT 1 FROM operation AS other
	WHERE other.cluster_uuid = o.cluster_uuid AND other.id <> o.id AND other.lease_until > ?)`

// elsewhere is an operation for a cluster whose driver another host has, with a
// conductor that is up, and this one has not.
const elsewhere = `EXISTS (SELECT 1 FROM cluster_driver AS d
	JOIN driver_offer AS f ON f.name = d.driver AND f.version = d.version
	WHERE d.cluster_uuid = o.cluster_uuid AND EXISTS (` + heardOf + ` AND s.host = f.host) AND NOT EXISTS (
		SELECT 1 FROM driver_offer AS mine WHERE mine.host = ? AND mine.name = f.name AND mine.version = f.version))`

// Claimant is who claims operations: one start of a host's conductor.
type Claimant struct{ Host, Owner string }

// Claim takes up to limit operations for an owner, the oldest first; none if
// limit is not positive. Each is leased for that long and has a higher fence
// than ever before. What needs a driver that only other hosts have is left to
// them, as long as one of them is up.
func (db *DB) Claim(ctx context.Context, by Claimant, lease time.Duration, limit int) ([]*magnum.Operation, error) {
	if limit <= 0 {
		return nil, nil
	}
	now := db.now()
	// Looked for where nobody waits: mostly there is nothing to claim.
	var rows []operationRow
	err := db.read.NewSelect().Model(&rows).Where(claimable, micros(now), micros(now), micros(now)).
		Where("NOT "+elsewhere, ConductorBinary, stampOf(now.Add(-db.silentAfter)), by.Host).
		OrderExpr("o.created_at, o.id").Limit(int64(limit)).Scan(ctx)
	if err != nil || len(rows) == 0 {
		return nil, db.explain("claim operations", err)
	}
	var claimed []operationRow
	err = db.change(ctx, "claim operations", func(tx bun.Tx) error {
		claimed = claimed[:0]
		for _, row := range rows {
			// The row as it is now. Another operation's lease cannot have
			// begun since: superseded ones are never renewed.
			res, err := tx.NewUpdate().Model(&row).
				Set("owner = ?", by.Owner).Set("fence = ?", row.Fence+1).Set("lease_until = ?", micros(now.Add(lease))).
				WherePK().Where(active).Where("o.fence = ?", row.Fence).Where("o.lease_until <= ?", micros(now)).Exec(ctx)
			switch err := one(res, err); {
			case errors.Is(err, errMoved):
				continue
			case err != nil:
				return err
			}
			var now operationRow
			if err := tx.NewSelect().Model(&now).Where("o.id = ?", row.ID).Scan(ctx); err != nil {
				return err
			}
			claimed = append(claimed, now)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return operations(claimed)
}

// Renew makes a lease last that long from now. ErrFenced if it was lost.
func (db *DB) Renew(ctx context.Context, op *magnum.Operation, lease time.Duration) error {
	until := micros(db.now().Add(lease))
	err := db.change(ctx, "renew the lease of operation "+op.ID, func(tx bun.Tx) error {
		return fenced(one(mine(tx, op).Set("lease_until = ?", until).Where(active).Exec(ctx)))
	})
	if err == nil {
		op.LeaseUntil = fromMicros(until)
	}
	return err
}

// Holdings are the operations under way that an owner holds, leased or not, by
// id, and the fence of each.
func (db *DB) Holdings(ctx context.Context, owner string) (map[string]int64, error) {
	var rows []operationRow
	err := db.read.NewSelect().Model(&rows).Column("id", "fence").Where(active).Where("o.owner = ?", owner).Scan(ctx)
	if err != nil {
		return nil, db.explain("list the operations of "+owner, err)
	}
	fences := make(map[string]int64, len(rows))
	for _, row := range rows {
		fences[row.ID] = row.Fence
	}
	return fences, nil
}

// Release gives an operation back before its lease runs out, also one that was
// superseded or finished. ErrFenced if it was lost.
func (db *DB) Release(ctx context.Context, op *magnum.Operation) error {
	err := db.change(ctx, "release operation "+op.ID, func(tx bun.Tx) error {
		return fenced(one(mine(tx, op).Set("lease_until = 0").Set("owner = ''").Exec(ctx)))
	})
	if err == nil {
		op.Owner, op.LeaseUntil = "", time.Time{}
	}
	return err
}

// mine is an update of an operation, as long as the caller holds it.
func mine(tx bun.Tx, op *magnum.Operation) *bun.UpdateQuery {
	return tx.NewUpdate().Model((*operationRow)(nil)).
		Where("o.id = ?", op.ID).Where("o.owner = ?", op.Owner).Where("o.fence = ?", op.Fence)
}

func fenced(err error) error {
	if errors.Is(err, errMoved) {
		return ErrFenced
	}
	return err
}
