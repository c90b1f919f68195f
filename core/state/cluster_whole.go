package state

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/uptrace/bun/schema"

	"github.com/go-magnum/magnum/core/magnum"
)

// whole is all that is stored of the clusters a condition finds: one, or two
// that share a name, and then the rest is of no interest.
type whole struct {
	pins     []pinRow
	clusters []clusterRow
	groups   []nodeGroupRow

	at *landing
}

// Kinds of rows in the answer to wholeQuery.
const (
	pinKind int64 = iota
	clusterKind
	groupKind
)

// wholeQuery reads a cluster, its driver and its node groups in one statement,
// one row for each: what costs is the number of statements. It is not a join,
// because SQLite plans a join anew for each value of its parameters, which
// takes four times as long as all the rest.
//
// The driver stands first, since go-sqlite3 takes the columns' types from the
// first part: in the others, times then come as the texts they are, and not
// through its search for their form, which was a tenth of a request.
//
// Each part finds the cluster by itself: not even the address of a node group
// leaves the database for somebody who may not see the cluster.
func (db *DB) wholeQuery(where string) string {
	width := max(len(db.columns.pin), len(db.columns.cluster), len(db.columns.nodegroup))
	part := func(kind int64, alias string, names []string, from string) string {
		return fmt.Sprintf("SELECT %d, %s%s FROM %s", kind, db.columns.of(alias, names), strings.Repeat(", NULL", width-len(names)), from)
	}
	it := "(SELECT c.uuid FROM cluster AS c WHERE " + where + " LIMIT 1)"
	return strings.Join([]string{
		part(pinKind, "d", db.columns.pin, "cluster_driver AS d WHERE d.cluster_uuid = "+it),
		part(clusterKind, "c", db.columns.cluster, "(SELECT * FROM cluster AS c WHERE "+where+" LIMIT 2) AS c"),
		part(groupKind, "g", db.columns.nodegroup, "nodegroup AS g WHERE g.cluster_id = "+it),
	}, " UNION ALL ")
}

// whole reads what is stored of the clusters that fit a condition on c. The
// answer goes back to [DB.forget] once something was made of it.
func (db *DB) whole(ctx context.Context, where string, args []any) (*whole, error) {
	stmt, err := db.prepareAs(ctx, "whole "+where, func() string { return db.wholeQuery(where) }) //nolint:sqlclosecheck // kept
	if err != nil {
		return nil, err
	}
	db.statements.Add(1)
	found, err := stmt.QueryContext(brief(ctx), slices.Concat(args, args, args)...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close() }() // after the end it has nothing to say
	columns, err := found.Columns()
	if err != nil {
		return nil, err
	}
	w, ok := db.wholes.Get().(*whole)
	if !ok {
		w = &whole{at: newLanding(len(columns))}
	}
	l := w.at
	for found.Next() {
		if err := found.Scan(l.into...); err != nil {
			return nil, err
		}
		switch l.values[0] {
		case pinKind:
			err = land(db.columns.pinTable, &w.pins, l.values[1:])
		case clusterKind:
			err = land(db.columns.clusterTable, &w.clusters, l.values[1:])
		default:
			err = land(db.columns.groupTable, &w.groups, l.values[1:])
		}
		if err != nil {
			return nil, err
		}
	}
	return w, found.Err()
}

// forget keeps an answer's memory, but nothing of what it said, for the next.
func (db *DB) forget(w *whole) {
	clear(w.pins)
	clear(w.clusters)
	clear(w.groups)
	clear(w.at.values)
	w.pins, w.clusters, w.groups = w.pins[:0], w.clusters[:0], w.groups[:0]
	db.wholes.Put(w)
}

// land appends a row.
func land[T any](table *schema.Table, rows *[]T, values []any) error {
	*rows = append(*rows, *new(T))
	return fill(reflect.ValueOf(&(*rows)[len(*rows)-1]).Elem(), table.Fields, values)
}

// cluster is the first one.
func (w *whole) cluster() (*magnum.Cluster, error) {
	c, err := w.clusters[0].cluster()
	if err != nil {
		return nil, err
	}
	for i := range w.pins {
		if err := w.pins[i].fill(c); err != nil {
			return nil, err
		}
	}
	// Sorted here: with ORDER BY, SQLite gathers all in a table first.
	slices.SortFunc(w.groups, func(a, b nodeGroupRow) int { return cmp.Compare(a.ID, b.ID) })
	c.NodeGroups = make([]magnum.NodeGroup, len(w.groups))
	for i := range w.groups {
		if c.NodeGroups[i], err = w.groups[i].nodeGroup(); err != nil {
			return nil, err
		}
	}
	return c, nil
}
