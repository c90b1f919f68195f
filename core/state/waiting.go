package state

import (
	"context"
	"time"
)

// Waiting counts the operations that are due and that nobody works on; longest
// is how long the first of them has been due.
func (db *DB) Waiting(ctx context.Context) (count int, longest time.Duration, err error) {
	now := db.now()
	var found struct {
		Count int
		Since int64
	}
	err = db.read.NewSelect().Model((*operationRow)(nil)).
		ColumnExpr("COUNT(*) AS count").
		// Due since it was made, or since the time it was put off to, or since
		// the lease of whoever lost it.
		ColumnExpr("COALESCE(MIN(CASE WHEN o.not_before >= o.created_at AND o.not_before >= o.lease_until THEN o.not_before"+
			" WHEN o.lease_until > o.created_at THEN o.lease_until ELSE o.created_at END), 0) AS since").
		Where(claimable, micros(now), micros(now), micros(now)).Scan(ctx, &found)
	if err != nil {
		return 0, 0, db.explain("count the operations that wait", err)
	}
	if found.Count == 0 {
		return 0, 0, nil
	}
	return found.Count, max(now.Sub(fromMicros(found.Since)), 0), nil
}
