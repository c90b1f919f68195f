package state

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// source is where a database is, taken from a SQLAlchemy URL.
type source struct {
	path string // of the SQLite file
	busy time.Duration
}

// busyDefault is how long a write waits for another process's.
const busyDefault = 10 * time.Second

// parseConnection reads the [database] connection of magnum.conf. Its text may
// hold a password and is not repeated in errors.
func parseConnection(connection string) (source, error) {
	scheme, rest, found := strings.Cut(connection, "://")
	engine, _, _ := strings.Cut(scheme, "+")
	switch {
	case connection == "":
		return source{}, fmt.Errorf("[database] connection is not set; it names the database, such as sqlite:////var/lib/magnum/magnum.sqlite")
	case !found:
		return source{}, fmt.Errorf("[database] connection is not a URL; expected something like sqlite:////var/lib/magnum/magnum.sqlite")
	case engine == "mysql" || engine == "mariadb" || engine == "postgresql" || engine == "postgres":
		return source{}, fmt.Errorf("[database] connection: %s is not supported yet; use sqlite:////absolute/path", engine)
	case engine != "sqlite":
		return source{}, fmt.Errorf("[database] connection: unknown database %q; use sqlite:////absolute/path", engine)
	}
	rest, query, _ := strings.Cut(rest, "?")
	host, path, _ := strings.Cut(rest, "/")
	if host != "" {
		return source{}, fmt.Errorf("[database] connection: SQLite has no host; write sqlite:////absolute/path or sqlite:///relative/path")
	}
	if path == "" || path == ":memory:" {
		return source{}, fmt.Errorf("[database] connection: SQLite in memory is not shared between processes; name a file")
	}
	src := source{path: path, busy: busyDefault}
	options, err := url.ParseQuery(query)
	if err != nil {
		return source{}, fmt.Errorf("[database] connection: the options after ? cannot be read")
	}
	for name, values := range options {
		if name != "timeout" {
			return source{}, fmt.Errorf("[database] connection: unknown option %q for SQLite; only timeout is known", name)
		}
		seconds, err := strconv.ParseFloat(values[0], 64)
		if err != nil || seconds < 0 || seconds > 3600 {
			return source{}, fmt.Errorf("[database] connection: timeout must be a number of seconds up to 3600")
		}
		src.busy = time.Duration(seconds * float64(time.Second))
	}
	return src, nil
}

// dsn is the data source name for go-sqlite3.
func (s source) dsn(pragmas ...string) string {
	all := append([]string{
		"_journal_mode=WAL",
		"_foreign_keys=on",
		"_busy_timeout=" + strconv.FormatInt(s.busy.Milliseconds(), 10),
	}, pragmas...)
	return s.path + "?" + strings.Join(all, "&")
}
