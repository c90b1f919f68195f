package state

import (
	"context"
	"database/sql"
	"errors"

	"github.com/uptrace/bun"

	"github.com/go-magnum/magnum/core/magnum"
)

type quotaRow struct {
	bun.BaseModel `bun:"table:quotas,alias:q"`

	CreatedAt stamp  `bun:"created_at,nullzero"`
	UpdatedAt stamp  `bun:"updated_at,nullzero"`
	ID        int64  `bun:"id,pk,autoincrement"`
	ProjectID string `bun:"project_id,nullzero"`
	Resource  string `bun:"resource"`
	HardLimit int    `bun:"hard_limit"`
}

func (r *quotaRow) quota() *magnum.Quota {
	return &magnum.Quota{ID: r.ID, ProjectID: r.ProjectID, Resource: r.Resource, HardLimit: r.HardLimit,
		CreatedAt: r.CreatedAt.time(), UpdatedAt: r.UpdatedAt.time()}
}

func quotaNotFound(projectID, resource string) error {
	return magnum.Errorf(magnum.NotFound, "Quota could not be found: project_id %s resource %s.", projectID, resource)
}

// Quota returns what was set for a project. NotFound where nothing was: the
// default holds then.
func (db *DB) Quota(ctx context.Context, projectID, resource string) (*magnum.Quota, error) {
	var row quotaRow
	err := db.read.NewSelect().Model(&row).Where("q.project_id = ?", projectID).Where("q.resource = ?", resource).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, quotaNotFound(projectID, resource)
	}
	if err != nil {
		return nil, db.explain("load the quota of project "+projectID, err)
	}
	return row.quota(), nil
}

// Quotas lists what was set: for the scope's project, or, where all is asked
// and the scope lets, for every project. Markers are ids. An unknown one is
// NotFound, a sort key that is no column is Invalid. Users have no quotas, so
// a scope without a project sees none.
func (db *DB) Quotas(ctx context.Context, s Scope, all bool, p Page) ([]*magnum.Quota, error) {
	own := Scope{ProjectID: s.ProjectID}
	l := list{table: "quotas", alias: "q", columns: db.columns.quota, byID: true, notFound: func(marker string) error {
		return magnum.Errorf(magnum.NotFound, "Quota could not be found: quota id %s .", marker)
	}}
	l.visible, l.visibleArgs = Scope{ProjectID: s.ProjectID, All: s.All}.where("q")
	l.where, l.args = own.where("q")
	if all {
		l.where, l.args = l.visible, l.visibleArgs
	}
	var rows []quotaRow
	err := db.snapshot(ctx, "list quotas", func(tx bun.Tx) error { return l.page(ctx, tx, p, &rows) })
	if err != nil {
		return nil, err
	}
	quotas := make([]*magnum.Quota, len(rows))
	for i := range rows {
		quotas[i] = rows[i].quota()
	}
	return quotas, nil
}

// CreateQuota stores a new quota and sets its ID and CreatedAt. Conflict if
// the project has one for that resource.
func (db *DB) CreateQuota(ctx context.Context, q *magnum.Quota) error {
	row := quotaRow{CreatedAt: stampOf(db.now()), ProjectID: q.ProjectID, Resource: q.Resource, HardLimit: q.HardLimit}
	err := db.change(ctx, "create the quota of project "+q.ProjectID, func(tx bun.Tx) error {
		_, err := tx.NewInsert().Model(&row).Exec(ctx)
		if duplicate(err) {
			return magnum.Errorf(magnum.Conflict, "Quota for project %s already exists for resource %s.", q.ProjectID, q.Resource)
		}
		return err
	})
	if err != nil {
		return err
	}
	*q = *row.quota()
	return nil
}

// UpdateQuota changes the limit and returns the quota as it is then.
func (db *DB) UpdateQuota(ctx context.Context, projectID, resource string, limit int) (*magnum.Quota, error) {
	var row quotaRow
	err := db.change(ctx, "update the quota of project "+projectID, func(tx bun.Tx) error {
		err := tx.NewSelect().Model(&row).Where("q.project_id = ?", projectID).Where("q.resource = ?", resource).Scan(ctx)
		if errors.Is(err, sql.ErrNoRows) {
			return quotaNotFound(projectID, resource)
		}
		if err != nil || row.HardLimit == limit {
			return err
		}
		row.HardLimit, row.UpdatedAt = limit, stampOf(db.now())
		return one(tx.NewUpdate().Model(&row).Column("hard_limit", "updated_at").WherePK().Exec(ctx))
	})
	if err != nil {
		return nil, err
	}
	return row.quota(), nil
}

// DeleteQuota removes a quota, so that the default holds again.
func (db *DB) DeleteQuota(ctx context.Context, projectID, resource string) error {
	return db.change(ctx, "delete the quota of project "+projectID, func(tx bun.Tx) error {
		res, err := tx.NewDelete().Model((*quotaRow)(nil)).
			Where("q.project_id = ?", projectID).Where("q.resource = ?", resource).Exec(ctx)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err == nil && n == 0 {
			return quotaNotFound(projectID, resource)
		}
		return err
	})
}
