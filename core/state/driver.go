package state

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/go-magnum/magnum/sdk/driver"
)

// Driver is an installed version of a driver, as it describes itself.
type Driver struct {
	Name, Version, Digest string
	Active                bool
	Description           driver.Description
}

type driverRow struct {
	bun.BaseModel `bun:"table:driver,alias:p"`

	Name        string `bun:"name,pk"`
	Version     string `bun:"version,pk"`
	Digest      string `bun:"digest"`
	Active      bool   `bun:"active"`
	Description string `bun:"description"`
}

// PublishDrivers makes these the drivers that [DB.Drivers] returns.
func (db *DB) PublishDrivers(ctx context.Context, drivers []Driver) error {
	rows := make([]driverRow, len(drivers))
	for i, d := range drivers {
		text, err := json.Marshal(d.Description)
		if err != nil {
			return fmt.Errorf("publish driver %s %s: %w", d.Name, d.Version, err)
		}
		rows[i] = driverRow{Name: d.Name, Version: d.Version, Digest: d.Digest, Active: d.Active, Description: string(text)}
	}
	return db.change(ctx, "publish drivers", func(tx bun.Tx) error {
		if _, err := tx.NewDelete().Model((*driverRow)(nil)).Where("1 = 1").Exec(ctx); err != nil {
			return err
		}
		if len(rows) == 0 {
			return nil
		}
		_, err := tx.NewInsert().Model(&rows).Exec(ctx)
		return err
	})
}

// Drivers returns the published drivers by name and version.
func (db *DB) Drivers(ctx context.Context) ([]Driver, error) {
	var found []driverRow
	stmt, err := db.prepare(ctx, "SELECT p.name, p.version, p.digest, p.active, p.description FROM driver AS p ORDER BY p.name, p.version")
	if err == nil {
		err = db.scan(ctx, stmt, &found)
	}
	if err != nil {
		return nil, db.explain("list drivers", err)
	}
	drivers := make([]Driver, len(found))
	for i, row := range found {
		drivers[i] = Driver{Name: row.Name, Version: row.Version, Digest: row.Digest, Active: row.Active}
		if err := json.Unmarshal([]byte(row.Description), &drivers[i].Description); err != nil {
			return nil, fmt.Errorf("read the description of driver %s %s: %w", row.Name, row.Version, err)
		}
	}
	return drivers, nil
}
