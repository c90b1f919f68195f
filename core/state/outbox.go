package state

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/go-magnum/magnum/core/magnum"
)

// Message is a row of outbox: an event, ready to be sent.
type Message struct {
	bun.BaseModel `bun:"table:outbox,alias:m"`

	ID          int64  `bun:"id,pk,autoincrement"` // grows in the order of events
	ClusterUUID string `bun:"cluster_uuid"`
	EventType   string `bun:"event_type"`
	Priority    string `bun:"priority"`
	Body        string `bun:"body"`
	CreatedAt   int64  `bun:"created_at"` // microseconds
}

// tell writes an event into the outbox, in the transaction of what it tells of:
// so it is told if and only if that has happened.
func (db *DB) tell(ctx context.Context, tx bun.Tx, e *magnum.Event) error {
	if db.message == nil || e == nil {
		return nil
	}
	m, err := db.message(e)
	if err != nil {
		return err
	}
	m.ID, m.ClusterUUID, m.CreatedAt = 0, e.Cluster.UUID, micros(db.now())
	_, err = tx.NewInsert().Model(&m).Exec(ctx)
	return err
}

// Outbox is the first messages that wait, in the order of their events.
func (db *DB) Outbox(ctx context.Context, limit int) ([]Message, error) {
	var all []Message
	err := db.read.NewSelect().Model(&all).OrderExpr("m.id").Limit(int64(limit)).Scan(ctx)
	return all, db.explain("read the outbox", err)
}

// Delivered takes messages out of the outbox.
func (db *DB) Delivered(ctx context.Context, all []Message) error {
	if len(all) == 0 {
		return nil
	}
	ids := make([]int64, len(all))
	for i, m := range all {
		ids[i] = m.ID
	}
	return db.change(ctx, "take what was sent out of the outbox", func(tx bun.Tx) error {
		_, err := tx.NewDelete().Model((*Message)(nil)).Where("id IN (?)", bun.List(ids)).Exec(ctx)
		return err
	})
}

// TrimOutbox drops what has waited since before a time, and the first ones of
// more than so many. It returns how many those were.
func (db *DB) TrimOutbox(ctx context.Context, before time.Time, most int) (dropped int64, err error) {
	err = db.change(ctx, "trim the outbox", func(tx bun.Tx) error {
		var last []int64
		err := tx.NewSelect().Model((*Message)(nil)).Column("id").OrderExpr("m.id DESC").Limit(1).Offset(int64(most)).Scan(ctx, &last)
		if err != nil {
			return err
		}
		q := tx.NewDelete().Model((*Message)(nil)).Where("created_at < ?", micros(before))
		if len(last) > 0 {
			q = q.WhereOr("id <= ?", last[0])
		}
		res, err := q.Exec(ctx)
		if err != nil {
			return err
		}
		dropped, err = res.RowsAffected()
		return err
	})
	return dropped, err
}

// OutboxWaiting counts the messages that wait to be sent; longest is how long
// the first of them does.
func (db *DB) OutboxWaiting(ctx context.Context) (count int, longest time.Duration, err error) {
	var found struct {
		Count int
		Since int64
	}
	err = db.read.NewSelect().Model((*Message)(nil)).
		ColumnExpr("COUNT(*) AS count").ColumnExpr("COALESCE(MIN(m.created_at), 0) AS since").Scan(ctx, &found)
	if err != nil || found.Count == 0 {
		return 0, 0, db.explain("count the messages that wait", err)
	}
	return found.Count, max(db.now().Sub(fromMicros(found.Since)), 0), nil
}

// outboxLease is the lease of who empties the outbox.
const outboxLease = "outbox"

// HoldOutbox lets one owner at a time empty the outbox, and again who has it
// already. It reports whether that is this one.
func (db *DB) HoldOutbox(ctx context.Context, owner string, length time.Duration) (bool, error) {
	held, err := db.takeLease(ctx, outboxLease, owner, length)
	return held, db.explain("hold the outbox", err)
}

// LeaveOutbox lets the next one hold it at once.
func (db *DB) LeaveOutbox(ctx context.Context, owner string) error {
	return db.explain("leave the outbox", db.dropLease(ctx, outboxLease, owner))
}
