package state

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/uptrace/bun"
)

// Two files with one number make every upgrade fail: after a merge look again
// which number is free.
//
//go:embed migrations
var migrations embed.FS

const (
	// schemaTable is the history of the schema.
	schemaTable = "schema_history"
	// migrationLease is far longer than a migration takes: it only matters if
	// a process dies in the middle of one.
	migrationLease = 5 * time.Minute
	migrationRetry = 100 * time.Millisecond
)

func (db *DB) provider() (*goose.Provider, error) {
	dir, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db.write.DB, dir,
		goose.WithDisableGlobalRegistry(true), goose.WithTableName(schemaTable), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	return p, nil
}

// Latest is the version of the schema that this build works with.
func (db *DB) Latest() int64 {
	p, err := db.provider()
	if err != nil {
		panic(err) // the embedded files are part of the build
	}
	sources := p.ListSources()
	return sources[len(sources)-1].Version
}

// Version is the schema's version in the database; 0 is none.
func (db *DB) Version(ctx context.Context) (int64, error) {
	there, err := db.hasTable(ctx, schemaTable)
	if err != nil || !there {
		return 0, db.explain("read the schema's version", err)
	}
	var version sql.NullInt64
	err = db.read.NewRaw("SELECT MAX(version_id) FROM "+schemaTable).Scan(ctx, &version)
	if err != nil {
		return 0, db.explain("read the schema's version", err)
	}
	return version.Int64, nil
}

func (db *DB) hasTable(ctx context.Context, name string) (bool, error) {
	var n int
	err := db.read.NewRaw("SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = ?", name).Scan(ctx, &n)
	return n > 0, err
}

// Upgrade brings the schema to [DB.Latest]. Processes that do it at the same
// time wait for each other.
func (db *DB) Upgrade(ctx context.Context) (from, to int64, err error) {
	foreign, err := db.hasTable(ctx, "alembic_version")
	if err != nil {
		return 0, 0, db.explain("upgrade the schema", err)
	}
	if foreign {
		return 0, 0, errors.New("upgrade the schema: this database was made by the Magnum written in Python; it has to be adopted, not upgraded")
	}
	release, err := db.guard(ctx)
	if err != nil {
		return 0, 0, db.explain("upgrade the schema", err)
	}
	defer func() { err = errors.Join(err, release()) }()
	if from, err = db.Version(ctx); err != nil {
		return 0, 0, err
	}
	if latest := db.Latest(); from > latest {
		return from, from, fmt.Errorf("upgrade the schema: the database is at version %d, newer than this build's %d", from, latest)
	}
	p, err := db.provider()
	if err != nil {
		return from, from, err
	}
	if _, err := p.Up(ctx); err != nil {
		return from, from, db.explain("upgrade the schema", err)
	}
	to, err = db.Version(ctx)
	return from, to, err
}

// guard takes the lease row that lets one process at a time migrate. Advisory
// locks would be shorter, but do not hold on every engine.
func (db *DB) guard(ctx context.Context) (release func() error, err error) {
	_, err = db.write.NewRaw("CREATE TABLE IF NOT EXISTS lease (" +
		"name VARCHAR(64) NOT NULL PRIMARY KEY, owner VARCHAR(255) NOT NULL, lease_until BIGINT NOT NULL)").Exec(ctx)
	if err != nil {
		return nil, err
	}
	owner := db.newID()
	for waited := false; ; waited = true {
		taken, err := db.takeLease(ctx, "migration", owner, migrationLease)
		if taken {
			break
		}
		if waited && ctx.Err() != nil {
			return nil, fmt.Errorf("another process is upgrading the schema: %w", ctx.Err())
		}
		if err != nil {
			return nil, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(migrationRetry):
		}
	}
	return func() error {
		// Also where ctx has ended meanwhile.
		return db.explain("release the migration's lease", db.dropLease(context.WithoutCancel(ctx), "migration", owner))
	}, nil
}

// takeLease takes a lease that nobody has, or prolongs the owner's own.
func (db *DB) takeLease(ctx context.Context, name, owner string, length time.Duration) (taken bool, err error) {
	err = db.write.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		now := db.now()
		res, err := tx.NewRaw("UPDATE lease SET owner = ?, lease_until = ? WHERE name = ? AND (owner = ? OR lease_until < ?)",
			owner, micros(now.Add(length)), name, owner, micros(now)).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 1 {
			taken = n == 1
			return err
		}
		_, err = tx.NewRaw("INSERT INTO lease (name, owner, lease_until) VALUES (?, ?, ?)",
			name, owner, micros(now.Add(length))).Exec(ctx)
		taken = err == nil
		return err
	})
	if duplicate(err) {
		return false, nil
	}
	return taken, err
}

func (db *DB) dropLease(ctx context.Context, name, owner string) error {
	_, err := db.write.NewRaw("DELETE FROM lease WHERE name = ? AND owner = ?", name, owner).Exec(ctx)
	return err
}
