package state

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/Masterminds/semver/v3"
	"github.com/uptrace/bun"

	"github.com/go-magnum/magnum/sdk/driver"
)

// Driver is an installed version of a driver, as it describes itself.
type Driver struct {
	Name, Version, Digest string
	Active                bool
	Description           driver.Description
}

// offerRow is that a host's conductor can serve clusters with a version.
type offerRow struct {
	bun.BaseModel `bun:"table:driver_offer,alias:f"`

	Host    string `bun:"host,pk"`
	Name    string `bun:"name,pk"`
	Version string `bun:"version,pk"`
	Digest  string `bun:"digest"`
	Active  bool   `bun:"active"`
}

type descriptionRow struct {
	bun.BaseModel `bun:"table:driver_description,alias:p"`

	Name        string `bun:"name,pk"`
	Version     string `bun:"version,pk"`
	Digest      string `bun:"digest,pk"`
	Description string `bun:"description"`
}

// PublishDrivers makes these the drivers of a host, in [DB.Drivers] as long as
// its conductor is heard of. Hosts that were silent for a day are forgotten.
func (db *DB) PublishDrivers(ctx context.Context, host string, drivers []Driver) error {
	offers, descriptions := make([]offerRow, len(drivers)), make([]descriptionRow, len(drivers))
	for i, d := range drivers {
		text, err := json.Marshal(d.Description)
		if err != nil {
			return fmt.Errorf("publish driver %s %s: %w", d.Name, d.Version, err)
		}
		offers[i] = offerRow{Host: host, Name: d.Name, Version: d.Version, Digest: d.Digest, Active: d.Active}
		descriptions[i] = descriptionRow{Name: d.Name, Version: d.Version, Digest: d.Digest, Description: string(text)}
	}
	return db.change(ctx, "publish the drivers of "+host, func(tx bun.Tx) error {
		_, err := tx.NewDelete().Model((*offerRow)(nil)).Where("f.host = ?", host).
			WhereOr("NOT EXISTS ("+heardOf+" AND s.host = f.host)", ConductorBinary, stampOf(db.now().Add(-forgottenAfter))).Exec(ctx)
		if err != nil {
			return err
		}
		for i := range offers {
			// Bytes of the same digest may have been described otherwise by
			// another release of ours: the last one to look has the word.
			if _, err := tx.NewDelete().Model(&descriptions[i]).WherePK().Exec(ctx); err != nil {
				return err
			}
		}
		if len(offers) > 0 {
			if _, err := tx.NewInsert().Model(&offers).Exec(ctx); err != nil {
				return err
			}
			if _, err := tx.NewInsert().Model(&descriptions).Exec(ctx); err != nil {
				return err
			}
		}
		_, err = tx.NewDelete().Model((*descriptionRow)(nil)).Where(
			"NOT EXISTS (SELECT 1 FROM driver_offer AS f WHERE f.name = p.name AND f.version = p.version AND f.digest = p.digest)").Exec(ctx)
		return err
	})
}

// heardOf is a conductor that has reported since a time.
const heardOf = "SELECT 1 FROM magnum_service AS s WHERE s.binary = ? AND s.last_seen_up > ?"

// offered are the drivers that count: those of hosts whose conductor is up; of
// all, where none is, since requests wait for one in the database.
const offered = `SELECT f.host, f.name, f.version, f.digest, f.active, p.description
	FROM driver_offer AS f JOIN driver_description AS p ON p.name = f.name AND p.version = f.version AND p.digest = f.digest
	WHERE EXISTS (` + heardOf + ` AND s.host = f.host) OR NOT EXISTS (` + heardOf + `)
	ORDER BY f.name, f.version, f.digest`

// offer is a row of offered.
type offer struct {
	bun.BaseModel

	Host        string `bun:"host"`
	Name        string `bun:"name"`
	Version     string `bun:"version"`
	Digest      string `bun:"digest"`
	Active      bool   `bun:"active"`
	Description string `bun:"description"`
}

// Drivers returns the drivers that conductors can serve clusters with, by name
// and version. Where hosts differ, a version is there if one of them has it, with
// the content that most of them have. One version of a driver is active at most,
// of those that are so on any host: the one that most hosts have, because the
// next conductor to be free may be any of them; of several the oldest, which is
// the one to stay with until all hosts are upgraded, and to go back to with the
// first that is rolled back.
func (db *DB) Drivers(ctx context.Context) ([]Driver, error) {
	var rows []offer
	up := stampOf(db.now().Add(-db.silentAfter))
	stmt, err := db.prepare(ctx, offered)
	if err == nil {
		err = db.scan(ctx, stmt, &rows, ConductorBinary, up, ConductorBinary, up)
	}
	if err != nil {
		return nil, db.explain("list drivers", err)
	}
	all, hosts := []Driver{}, []int{}
	for start, end := 0, 0; start < len(rows); start = end {
		for end < len(rows) && rows[end].Name == rows[start].Name && rows[end].Version == rows[start].Version {
			end++
		}
		d, err := common(rows[start:end])
		if err != nil {
			return nil, err
		}
		all, hosts = append(all, d), append(hosts, end-start)
	}
	chosen := map[string]int{}
	for i, d := range all {
		if !d.Active {
			continue
		}
		best, some := chosen[d.Name]
		if !some || hosts[i] > hosts[best] || hosts[i] == hosts[best] && older(d.Version, all[best].Version) {
			chosen[d.Name] = i
		}
	}
	for i := range all {
		best, some := chosen[all[i].Name]
		all[i].Active = some && best == i
	}
	return all, nil
}

// common is a version as most hosts have it; its content should be the same on
// all, and need not be.
func common(same []offer) (Driver, error) {
	best, active := same[0], false
	times := map[string]int{}
	for _, o := range same { // by digest
		times[o.Digest]++
		active = active || o.Active
		if times[o.Digest] > times[best.Digest] {
			best = o
		}
	}
	d := Driver{Name: best.Name, Version: best.Version, Digest: best.Digest, Active: active}
	if err := json.Unmarshal([]byte(best.Description), &d.Description); err != nil {
		return Driver{}, fmt.Errorf("read the description of driver %s %s: %w", d.Name, d.Version, err)
	}
	return d, nil
}

func older(a, b string) bool {
	x, errX := semver.NewVersion(a)
	y, errY := semver.NewVersion(b)
	if errX != nil || errY != nil {
		return a < b
	}
	return x.LessThan(y)
}
