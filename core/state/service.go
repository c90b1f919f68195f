package state

import (
	"context"
	"time"

	"github.com/uptrace/bun"
)

// ConductorBinary is what a conductor is called in the list of services, as
// upstream's.
const ConductorBinary = "magnum-conductor"

// Service is a row of magnum_service: a process that reports now and then.
type Service struct {
	ID             int64
	Host           string
	Binary         string
	Disabled       bool
	DisabledReason string
	LastSeenUp     time.Time
	ForcedDown     bool
	ReportCount    int
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

type serviceRow struct {
	bun.BaseModel `bun:"table:magnum_service,alias:s"`

	CreatedAt      stamp  `bun:"created_at,nullzero"`
	UpdatedAt      stamp  `bun:"updated_at,nullzero"`
	ID             int64  `bun:"id,pk,autoincrement"`
	Host           string `bun:"host"`
	Binary         string `bun:"binary"`
	Disabled       bool   `bun:"disabled"`
	DisabledReason string `bun:"disabled_reason,nullzero"`
	LastSeenUp     stamp  `bun:"last_seen_up,nullzero"`
	ForcedDown     bool   `bun:"forced_down"`
	ReportCount    int    `bun:"report_count"`
}

// Heartbeat records that a process is alive.
func (db *DB) Heartbeat(ctx context.Context, host, binary string) error {
	now := stampOf(db.now())
	return db.change(ctx, "report "+binary+" on "+host, func(tx bun.Tx) error {
		res, err := tx.NewUpdate().Model((*serviceRow)(nil)).
			Set("report_count = report_count + 1").Set("last_seen_up = ?", now).Set("updated_at = ?", now).
			Where("s.host = ?", host).Where("s.? = ?", bun.Ident("binary"), binary).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n > 0 {
			return err
		}
		_, err = tx.NewInsert().Model(&serviceRow{CreatedAt: now, Host: host, Binary: binary, LastSeenUp: now, ReportCount: 1}).Exec(ctx)
		return err
	})
}

// Services returns all processes that ever reported.
func (db *DB) Services(ctx context.Context) ([]Service, error) {
	var rows []serviceRow
	if err := db.read.NewSelect().Model(&rows).OrderExpr("s.id").Scan(ctx); err != nil {
		return nil, db.explain("list services", err)
	}
	all := make([]Service, len(rows))
	for i, r := range rows {
		all[i] = Service{ID: r.ID, Host: r.Host, Binary: r.Binary, Disabled: r.Disabled, DisabledReason: r.DisabledReason,
			LastSeenUp: r.LastSeenUp.time(), ForcedDown: r.ForcedDown, ReportCount: r.ReportCount,
			CreatedAt: r.CreatedAt.time(), UpdatedAt: r.UpdatedAt.time()}
	}
	return all, nil
}
