package state

import (
	"database/sql"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Measure has a registry read how the database is used.
func (db *DB) Measure(reg prometheus.Registerer) {
	f := promauto.With(reg)
	f.NewCounterFunc(prometheus.CounterOpts{
		Name: "magnum_database_statements_total", Help: "SQL statements run, without those that begin and end transactions.",
	}, func() float64 { return float64(db.statements.Load()) })
	f.NewCounterFunc(prometheus.CounterOpts{
		Name: "magnum_database_errors_total", Help: "Statements and transactions that failed for a reason that lies with the database.",
	}, func() float64 { return float64(db.failures.Load()) })
	for pool, of := range map[string]*sql.DB{"read": db.read.DB, "write": db.write.DB} {
		f := promauto.With(prometheus.WrapRegistererWith(prometheus.Labels{"pool": pool}, reg))
		gauge := func(name, help string, value func(sql.DBStats) float64) {
			f.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return value(of.Stats()) })
		}
		gauge("magnum_database_connections_in_use", "Connections that are in use.",
			func(s sql.DBStats) float64 { return float64(s.InUse) })
		gauge("magnum_database_connections_max", "The most connections there may be.",
			func(s sql.DBStats) float64 { return float64(s.MaxOpenConnections) })
		f.NewCounterFunc(prometheus.CounterOpts{
			Name: "magnum_database_wait_seconds_total", Help: "Time that callers waited for a connection.",
		}, func() float64 { return of.Stats().WaitDuration.Seconds() })
	}
}
