package state

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/mattn/go-sqlite3"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/feature"
	"github.com/uptrace/bun/dialect/sqlitedialect"

	"github.com/go-magnum/magnum/core/magnum"
)

// Config says which database to open.
type Config struct {
	// Connection is a SQLAlchemy URL, as in [database] connection.
	Connection string
	// Now is the clock; time.Now if nil.
	Now func() time.Time
	// NewID makes uuids; random ones if nil.
	NewID func() string
	// SilentAfter is after how long without a report a conductor does not count
	// as up; 3 minutes if 0.
	SilentAfter time.Duration
	// Message makes the message that an event is sent as; nil: nobody is told.
	// It is called inside transactions, and more than once for one event.
	Message func(*magnum.Event) (Message, error)
	// Existing is for who only looks: a database that is not there is an
	// error instead of a new one.
	Existing bool
}

// DB is an open database. All its methods may be called at the same time.
type DB struct {
	write *bun.DB // one connection; transactions lock at once
	read  *bun.DB
	now   func() time.Time
	newID func() string

	message     func(*magnum.Event) (Message, error)
	silentAfter time.Duration

	closed     atomic.Bool
	statements atomic.Int64
	failures   atomic.Int64
	prepared   sync.Map // of query, or key, to *sql.Stmt on read
	columns    columns
	wholes     sync.Pool // of *whole
}

// Open opens a database, and makes an empty one where there is none. It does
// not touch the schema: see [DB.Upgrade].
func Open(ctx context.Context, c Config) (*DB, error) {
	src, err := parseConnection(c.Connection)
	if err != nil {
		return nil, err
	}
	// Passphrases and trustee passwords are in it, so the file is made before
	// SQLite makes it readable for all. Its journal takes over the mode.
	flags := os.O_CREATE | os.O_RDWR
	if c.Existing {
		flags = os.O_RDWR
	}
	file, err := os.OpenFile(src.path, flags, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	if err := file.Close(); err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	db := &DB{now: c.Now, newID: c.NewID, message: c.Message, silentAfter: cmp.Or(c.SilentAfter, 3*time.Minute)}
	if db.now == nil {
		db.now = time.Now
	}
	if db.newID == nil {
		db.newID = uuid.NewString
	}
	// A commit is on the disk before it is acknowledged: synchronous is FULL.
	if db.write, err = db.pool(ctx, src.dsn("_txlock=immediate", "_synchronous=FULL"), 1); err != nil {
		return nil, err
	}
	// No mutex within SQLite: database/sql gives a connection to one caller at a
	// time, and for each column of each row SQLite would lock it again.
	if db.read, err = db.pool(ctx, src.dsn("_query_only=on", "_mutex=no"), max(4, 2*runtime.GOMAXPROCS(0))); err != nil {
		return nil, errors.Join(err, db.write.Close())
	}
	db.columns = columnsOf(db.read)
	return db, nil
}

func (db *DB) pool(ctx context.Context, dsn string, size int) (*bun.DB, error) {
	pool, err := sql.Open("sqlite3", dsn)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	dialect := sqlitedialect.New(sqlitedialect.WithoutFeature(feature.Returning | feature.InsertReturning | feature.DeleteReturning))
	b := bun.NewDB(pool, textDialect{dialect}).WithQueryHook(counter{&db.statements})
	if err := b.PingContext(ctx); err != nil {
		return nil, errors.Join(db.explain("open the database", err), b.Close())
	}
	return b, nil
}

// Close closes the database. Calls that come later fail.
func (db *DB) Close() error {
	if db.closed.Swap(true) {
		return nil
	}
	var errs []error
	db.prepared.Range(func(_, stmt any) bool {
		errs = append(errs, stmt.(*sql.Stmt).Close())
		return true
	})
	// The writer last: it is the one that may fold the journal into the file.
	errs = append(errs, db.read.Close(), db.write.Close())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close the database: %w", err)
	}
	return nil
}

// QueryCount is the number of statements run so far, without those that begin
// and end transactions.
func (db *DB) QueryCount() int64 { return db.statements.Load() }

type counter struct{ n *atomic.Int64 }

func (c counter) BeforeQuery(ctx context.Context, e *bun.QueryEvent) context.Context {
	switch e.Query {
	case "BEGIN", "COMMIT", "ROLLBACK":
	default:
		c.n.Add(1)
	}
	return ctx
}

func (counter) AfterQuery(context.Context, *bun.QueryEvent) {}

// change runs f in a writing transaction. Other writers wait.
func (db *DB) change(ctx context.Context, what string, f func(tx bun.Tx) error) error {
	return db.explain(what, db.write.RunInTx(ctx, nil, func(_ context.Context, tx bun.Tx) error { return f(tx) }))
}

// snapshot runs f in a reading transaction, so that its statements see one
// state of the database.
func (db *DB) snapshot(ctx context.Context, what string, f func(tx bun.Tx) error) error {
	return db.explain(what, db.read.RunInTx(ctx, nil, func(_ context.Context, tx bun.Tx) error { return f(tx) }))
}

// prepare returns a reading statement, which is prepared once and kept. It
// needs a connection and must not be called in a transaction: if all
// connections were held by callers who wait for one more, none would go on.
func (db *DB) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	return db.prepareAs(ctx, query, func() string { return query })
}

// prepareAs is prepare for a query that is made from a key.
func (db *DB) prepareAs(ctx context.Context, key string, query func() string) (*sql.Stmt, error) {
	if kept, ok := db.prepared.Load(key); ok {
		return kept.(*sql.Stmt), nil
	}
	stmt, err := db.read.DB.PrepareContext(ctx, query())
	if err != nil {
		return nil, err
	}
	kept, raced := db.prepared.LoadOrStore(key, stmt)
	if raced {
		err = stmt.Close() //nolint:sqlclosecheck // only the one that lost the race
	}
	return kept.(*sql.Stmt), err
}

// scan runs a prepared statement and reads its answer into rows.
func (db *DB) scan(ctx context.Context, stmt *sql.Stmt, rows any, args ...any) error {
	db.statements.Add(1)
	found, err := stmt.QueryContext(brief(ctx), args...)
	if err != nil {
		return err
	}
	return scanRows(db.read, found, rows)
}

// brief is the context for reading a few rows by their keys. It is not
// watched: that takes two goroutines and as long as the read itself, which is
// over before it could be interrupted. Nor does a reader wait for writers.
func brief(ctx context.Context) context.Context {
	if ctx.Err() != nil {
		return ctx
	}
	return context.WithoutCancel(ctx)
}

// unavailable is what users see of a database that does not answer.
const unavailable = "The database is not available."

// explain adds to an error of the database what was being done, and says in
// plain words what an operator can mend. Errors made for users, and the
// caller's own, pass as they are, except that they are told what failed.
func (db *DB) explain(what string, err error) error {
	if err == nil {
		return nil
	}
	var known *magnum.Error
	if errors.As(err, &known) {
		return err
	}
	// A caller that gave up, and a statement that found nothing, say nothing
	// of the database; nor does who uses it after its end.
	if !errors.Is(err, context.Canceled) && !errors.Is(err, ErrFenced) && !errors.Is(err, sql.ErrNoRows) {
		db.failures.Add(1)
	}
	reason := ""
	var lite sqlite3.Error
	switch {
	case errors.As(err, &lite):
		switch lite.Code {
		case sqlite3.ErrFull:
			reason = "the disk is full"
		case sqlite3.ErrBusy, sqlite3.ErrLocked:
			reason = "another process keeps the database locked"
		case sqlite3.ErrReadonly, sqlite3.ErrPerm, sqlite3.ErrCantOpen, sqlite3.ErrAuth:
			reason = "the database's file or folder cannot be written"
		case sqlite3.ErrIoErr:
			reason = "the disk fails"
		case sqlite3.ErrCorrupt, sqlite3.ErrNotADB:
			reason = "the database's file is damaged or not a database"
		case sqlite3.ErrError:
			if strings.HasPrefix(lite.Error(), "no such table") {
				reason = "the database's schema is missing or old: run magnum-db-manage upgrade"
			}
		}
	case db.closed.Load():
		reason = "the database is closed"
	}
	if reason == "" {
		return fmt.Errorf("%s: %w", what, err)
	}
	return &magnum.Error{Kind: magnum.Unavailable, Message: unavailable, Cause: fmt.Errorf("%s: %s: %w", what, reason, err)}
}

// duplicate reports whether a row could not be written because a unique column
// has that value already.
func duplicate(err error) bool {
	var lite sqlite3.Error
	return errors.As(err, &lite) &&
		(lite.ExtendedCode == sqlite3.ErrConstraintUnique || lite.ExtendedCode == sqlite3.ErrConstraintPrimaryKey)
}
