package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"github.com/go-magnum/magnum/core/magnum"
)

func templateNotFound(ident string) error {
	return magnum.Errorf(magnum.NotFound, "ClusterTemplate %s could not be found.", ident)
}

// templatesOf is the tenant filter of templates: public ones are everybody's.
// A hidden one can be used by those who know it, but is not listed to other
// projects even where it is public.
func templatesOf(s Scope, listed bool) (string, []any) {
	own, args := s.where("t")
	if s.All {
		return own, nil
	}
	if listed {
		return "(" + own + " OR (t.public = ? AND t.hidden = ?))", append(args, true, false)
	}
	return "(" + own + " OR t.public = ?)", append(args, true)
}

// Template finds a template by uuid or name. Errors for users are NotFound,
// and Conflict where more than one has that name.
func (db *DB) Template(ctx context.Context, s Scope, ident string) (*magnum.ClusterTemplate, error) {
	where, args := templatesOf(s, false)
	query := "SELECT " + db.columns.of("t", db.columns.template) + " FROM cluster_template AS t WHERE " + where
	if id, ok := isUUID(ident); ok {
		query, args = query+" AND t.uuid = ?", append(args, id)
	} else {
		query, args = query+" AND t.name = ? LIMIT 2", append(args, ident)
	}
	var found []templateRow
	stmt, err := db.prepare(ctx, query)
	if err == nil {
		err = db.scan(ctx, stmt, &found, args...)
	}
	if err != nil {
		return nil, db.explain(fmt.Sprintf("load cluster template %s", ident), err)
	}
	switch len(found) {
	case 0:
		return nil, templateNotFound(ident)
	case 1:
	default:
		return nil, magnum.Errorf(magnum.Conflict,
			"Multiple ClusterTemplates exist with same name. Please use the ClusterTemplate uuid instead.")
	}
	return found[0].template()
}

// Templates lists the templates that a scope sees. An unknown marker is
// NotFound, a sort key that is no column is Invalid.
func (db *DB) Templates(ctx context.Context, s Scope, p Page) ([]*magnum.ClusterTemplate, error) {
	l := list{table: "cluster_template", alias: "t", columns: db.columns.template, notFound: templateNotFound}
	l.where, l.args = templatesOf(s, true)
	l.visible, l.visibleArgs = templatesOf(s, false)
	var found []templateRow
	err := db.snapshot(ctx, "list cluster templates", func(tx bun.Tx) error { return l.page(ctx, tx, p, &found) })
	if err != nil {
		return nil, err
	}
	all := make([]*magnum.ClusterTemplate, len(found))
	for i := range found {
		if all[i], err = found[i].template(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// CreateTemplate stores a new template and sets its ID, CreatedAt and, where
// it has none, its UUID.
func (db *DB) CreateTemplate(ctx context.Context, t *magnum.ClusterTemplate) error {
	row := templateRowOf(t)
	row.ID, row.UUID = 0, strings.ToLower(t.UUID)
	if row.UUID == "" {
		row.UUID = db.newID()
	}
	row.CreatedAt, row.UpdatedAt = stampOf(db.now()), 0
	err := db.change(ctx, "create cluster template "+row.UUID, func(tx bun.Tx) error {
		_, err := tx.NewInsert().Model(&row).Exec(ctx)
		if duplicate(err) {
			return magnum.Errorf(magnum.Conflict, "A ClusterTemplate with UUID %s already exists.", row.UUID)
		}
		return err
	})
	if err != nil {
		return err
	}
	t.ID, t.UUID, t.CreatedAt, t.UpdatedAt = row.ID, row.UUID, row.CreatedAt.time(), row.UpdatedAt.time()
	return nil
}

// UpdateTemplate changes a template. change is told whether clusters are made
// from it; its error aborts. The answer is the template as change left it.
func (db *DB) UpdateTemplate(ctx context.Context, uuid string, change func(t *magnum.ClusterTemplate, inUse bool) error) (*magnum.ClusterTemplate, error) {
	var changed *magnum.ClusterTemplate
	err := db.change(ctx, "update cluster template "+uuid, func(tx bun.Tx) error {
		before, inUse, err := templateForWrite(ctx, tx, uuid)
		if err != nil {
			return err
		}
		t, err := before.template()
		if err != nil {
			return err
		}
		if err := change(t, inUse); err != nil {
			return err
		}
		after := templateRowOf(t)
		after.ID, after.UUID, after.CreatedAt, after.UpdatedAt = before.ID, before.UUID, before.CreatedAt, before.UpdatedAt
		changed = t
		if after == before {
			return nil
		}
		after.UpdatedAt = stampOf(db.now())
		q := tx.NewUpdate().Model(&after).WherePK()
		if before.UpdatedAt == 0 {
			q = q.Where("t.updated_at IS NULL")
		} else {
			q = q.Where("t.updated_at = ?", before.UpdatedAt)
		}
		t.UpdatedAt = after.UpdatedAt.time()
		return one(q.Exec(ctx))
	})
	if err != nil {
		return nil, err
	}
	return changed, nil
}

// DeleteTemplate removes a template that no cluster is made from.
func (db *DB) DeleteTemplate(ctx context.Context, uuid string) error {
	return db.change(ctx, "delete cluster template "+uuid, func(tx bun.Tx) error {
		row, inUse, err := templateForWrite(ctx, tx, uuid)
		if err != nil {
			return err
		}
		if inUse {
			return magnum.Errorf(magnum.Invalid, "ClusterTemplate %s is referenced by one or multiple clusters.", row.UUID)
		}
		return one(tx.NewDelete().Model(&row).WherePK().Exec(ctx))
	})
}

func templateForWrite(ctx context.Context, tx bun.Tx, uuid string) (row templateRow, inUse bool, err error) {
	err = tx.NewSelect().Model(&row).Where("t.uuid = ?", strings.ToLower(uuid)).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return row, false, templateNotFound(uuid)
	}
	if err != nil {
		return row, false, err
	}
	n, err := tx.NewSelect().TableExpr("cluster").Where("cluster_template_id = ?", row.UUID).Count(ctx)
	if err != nil || n > 0 {
		return row, n > 0, err
	}
	// A cluster on its way to it names it in what was asked.
	n, err = tx.NewSelect().TableExpr("operation AS o").Where(active).Where("o.kind = ?", string(magnum.OpUpgrade)).
		Where("o.input LIKE ?", "%"+row.UUID+"%").Count(ctx)
	return row, n > 0, err
}

// errMoved is a compare-and-set that lost against another process.
var errMoved = errors.New("the row was changed by another process meanwhile")

// one checks that a compare-and-set hit its row.
func one(res sql.Result, err error) error {
	if err != nil {
		return err
	}
	switch n, err := res.RowsAffected(); {
	case err != nil:
		return err
	case n == 0:
		return errMoved
	default:
		return nil
	}
}
