package state

import (
	"context"
	"time"

	"github.com/uptrace/bun"
)

// forgottenAfter is how long the rows of a host that went silent are kept.
const forgottenAfter = 24 * time.Hour

// HostDriver is how an installed version of a driver stands on a host.
type HostDriver struct {
	Host, Name, Version, Digest string
	// Active says that the host gives it to new clusters, Generation which
	// activation of the driver there was the last.
	Active     bool
	Generation int
	State      string
	PID        int // 0: no process
	Since      time.Time
	// SeenAt is when the host reported it.
	SeenAt time.Time
}

type hostDriverRow struct {
	bun.BaseModel `bun:"table:driver_host,alias:h"`

	Host       string `bun:"host,pk"`
	Name       string `bun:"name,pk"`
	Version    string `bun:"version,pk"`
	Digest     string `bun:"digest"`
	Active     bool   `bun:"active"`
	State      string `bun:"state"`
	PID        int    `bun:"pid"`
	Generation int    `bun:"generation"`
	Since      int64  `bun:"since"`
	SeenAt     int64  `bun:"seen_at"`
}

// ReportDrivers makes these the drivers of a host, and forgets hosts that have
// been silent for a day.
func (db *DB) ReportDrivers(ctx context.Context, host string, drivers []HostDriver) error {
	now := db.now()
	rows := make([]hostDriverRow, len(drivers))
	for i, d := range drivers {
		rows[i] = hostDriverRow{
			Host: host, Name: d.Name, Version: d.Version, Digest: d.Digest, Active: d.Active, State: d.State, PID: d.PID,
			Generation: d.Generation, Since: micros(d.Since), SeenAt: micros(now),
		}
	}
	return db.change(ctx, "report the drivers of "+host, func(tx bun.Tx) error {
		_, err := tx.NewDelete().Model((*hostDriverRow)(nil)).
			Where("host = ?", host).WhereOr("seen_at < ?", micros(now.Add(-forgottenAfter))).Exec(ctx)
		if err != nil || len(rows) == 0 {
			return err
		}
		_, err = tx.NewInsert().Model(&rows).Exec(ctx)
		return err
	})
}

// Fleet returns what all hosts have reported, by driver, host and version.
func (db *DB) Fleet(ctx context.Context) ([]HostDriver, error) {
	var rows []hostDriverRow
	if err := db.read.NewSelect().Model(&rows).OrderExpr("h.name, h.host, h.version").Scan(ctx); err != nil {
		return nil, db.explain("list the drivers of all hosts", err)
	}
	all := make([]HostDriver, len(rows))
	for i, r := range rows {
		all[i] = HostDriver{
			Host: r.Host, Name: r.Name, Version: r.Version, Digest: r.Digest, Active: r.Active, State: r.State, PID: r.PID,
			Generation: r.Generation, Since: fromMicros(r.Since), SeenAt: fromMicros(r.SeenAt),
		}
	}
	return all, nil
}
