package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/go-magnum/magnum/core/magnum"
)

// Scope is whose rows a caller may see: all, or those of a project, or those
// of a user where the token has no project. The zero Scope sees none.
type Scope struct {
	ProjectID, UserID string
	All               bool
}

// where is the tenant filter, for rows of the table with that alias.
func (s Scope) where(alias string) (clause string, args []any) {
	switch {
	case s.All:
		return "1 = 1", nil
	case s.ProjectID != "":
		return alias + ".project_id = ?", []any{s.ProjectID}
	case s.UserID != "":
		return alias + ".user_id = ?", []any{s.UserID}
	default:
		return "1 = 0", nil
	}
}

// Page is a part of a list. The zero Page is all of it, in the order of
// creation.
type Page struct {
	Limit      int    // 0 is none
	Marker     string // the uuid of the last row of the page before, or the id of a quota
	SortKey    string // a column; id if empty
	Descending bool
}

// columns are those of upstream's tables, as their rows here declare them.
type columns struct {
	cluster, pin, nodegroup, template, quota []string

	clusterTable, pinTable, groupTable *schema.Table
}

func columnsOf(db *bun.DB) columns {
	names := func(row any) []string {
		all := []string{}
		for _, f := range db.Table(reflect.TypeOf(row)).Fields {
			all = append(all, f.Name)
		}
		return all
	}
	return columns{
		cluster:   names(clusterRow{}),
		pin:       names(pinRow{}),
		nodegroup: names(nodeGroupRow{}),
		template:  names(templateRow{}),
		quota:     names(quotaRow{}),

		clusterTable: db.Table(reflect.TypeFor[clusterRow]()),
		pinTable:     db.Table(reflect.TypeFor[pinRow]()),
		groupTable:   db.Table(reflect.TypeFor[nodeGroupRow]()),
	}
}

func (columns) of(alias string, names []string) string {
	return alias + "." + strings.Join(names, ", "+alias+".")
}

// isUUID reports whether a text is looked up as a uuid and not as a name, and
// returns how uuids are stored. One without hyphens is a uuid, but none that
// is stored, as upstream has it.
func isUUID(ident string) (string, bool) {
	if uuid.Validate(ident) != nil || strings.HasPrefix(ident, "{") || strings.HasPrefix(ident, "urn:") {
		return "", false
	}
	return strings.ToLower(ident), true
}

// list is a query for a page of a table.
type list struct {
	table, alias string
	columns      []string
	where        string
	args         []any
	visible      string // filter of the marker, which a list may not show
	visibleArgs  []any
	byID         bool // markers are ids: the rows have no uuid
	notFound     func(marker string) error
}

// mark is the condition that finds the marker's row.
func (l list) mark(marker string) (clause string, value any, ok bool) {
	if l.byID {
		id, err := strconv.ParseInt(marker, 10, 64)
		return l.alias + ".id = ?", id, err == nil
	}
	id, ok := isUUID(marker)
	return l.alias + ".uuid = ?", id, ok
}

// secretColumns cannot be sorted by: the order would tell about the content.
func secretColumn(name string) bool { return name == "trustee_password" }

// page runs the query into rows. It takes one statement, or two with a marker.
func (l list) page(ctx context.Context, tx bun.Tx, p Page, rows any) error {
	key := p.SortKey
	if key == "" {
		key = "id"
	}
	if !slices.Contains(l.columns, key) || secretColumn(key) {
		return magnum.Errorf(magnum.Invalid, `The sort_key value "%s" is an invalid field for sorting`, key)
	}
	dir, after := "ASC", ">"
	if p.Descending {
		dir, after = "DESC", "<"
	}
	q := tx.NewSelect().TableExpr("? AS ?", bun.Ident(l.table), bun.Ident(l.alias)).
		ColumnExpr(columns{}.of(l.alias, l.columns)).Where(l.where, l.args...)
	if p.Marker != "" {
		if err := l.after(ctx, tx, q, p.Marker, key, after); err != nil {
			return err
		}
	}
	if key != "id" {
		// Nulls are the smallest, whatever the engine thinks of them.
		q = q.OrderExpr(fmt.Sprintf("CASE WHEN %[1]s.%[2]s IS NULL THEN 0 ELSE 1 END %[3]s, %[1]s.%[2]s %[3]s", l.alias, key, dir))
	}
	q = q.OrderExpr(l.alias + ".id " + dir)
	if p.Limit > 0 {
		q = q.Limit(int64(p.Limit))
	}
	found, err := q.Rows(ctx)
	if err != nil {
		return err
	}
	return scanRows(tx, found, rows)
}

// after leaves only what comes behind the marker's row. The marker's value is
// compared inside the database, so that its own type and collation count.
func (l list) after(ctx context.Context, tx bun.Tx, q *bun.SelectQuery, marker, key, after string) error {
	found, id, ok := l.mark(marker)
	if !ok {
		return l.notFound(marker)
	}
	var row struct {
		ID   int64
		Null bool
	}
	err := tx.NewSelect().TableExpr("? AS ?", bun.Ident(l.table), bun.Ident(l.alias)).
		ColumnExpr(fmt.Sprintf("%[1]s.id AS id, CASE WHEN %[1]s.%[2]s IS NULL THEN 1 ELSE 0 END AS \"null\"", l.alias, key)).
		Where(found, id).Where(l.visible, l.visibleArgs...).Scan(ctx, &row.ID, &row.Null)
	if errors.Is(err, sql.ErrNoRows) {
		return l.notFound(marker)
	}
	if err != nil {
		return err
	}
	column := l.alias + "." + key
	value := fmt.Sprintf("(SELECT m.%s FROM %s AS m WHERE m.id = ?)", key, l.table)
	behind := l.alias + ".id " + after + " ?"
	switch {
	case key == "id":
		q.Where(behind, row.ID)
	case row.Null && after == ">":
		q.Where(column+" IS NOT NULL OR "+behind, row.ID)
	case row.Null:
		q.Where(column+" IS NULL AND "+behind, row.ID)
	case after == ">":
		q.Where(column+" > "+value+" OR ("+column+" = "+value+" AND "+behind+")", row.ID, row.ID, row.ID)
	default:
		q.Where(column+" < "+value+" OR "+column+" IS NULL OR ("+column+" = "+value+" AND "+behind+")", row.ID, row.ID, row.ID)
	}
	return nil
}
