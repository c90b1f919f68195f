package state

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/uptrace/bun"

	"github.com/go-magnum/magnum/core/magnum"
)

// AcceptCreate stores a new cluster, its node groups, its driver and the
// operation that will make it, all or nothing. It sets IDs, CreatedAt and
// those UUIDs that are empty. Forbidden is the quota, NotFound a template that
// was deleted meanwhile, Conflict a uuid in use or a driver being removed.
func (db *DB) AcceptCreate(ctx context.Context, c *magnum.Cluster, op *magnum.Operation, defaultLimit int) error {
	now := db.now()
	c.UUID = strings.ToLower(c.UUID)
	if c.UUID == "" {
		c.UUID = db.newID()
	}
	op.ClusterUUID = c.UUID
	return db.change(ctx, "create cluster "+c.UUID, func(tx bun.Tx) error {
		if err := checkQuota(ctx, tx, c.ProjectID, defaultLimit); err != nil {
			return err
		}
		// Where the template is being deleted, one of the two comes too late.
		n, err := tx.NewSelect().TableExpr("cluster_template").Where("uuid = ?", c.ClusterTemplateID).Count(ctx)
		if err != nil {
			return err
		}
		if n == 0 {
			return templateNotFound(c.ClusterTemplateID)
		}
		if err := db.checkWithdrawn(ctx, tx, c.Driver); err != nil {
			return err
		}
		c.CreatedAt, c.UpdatedAt = stampOf(now).time(), stamp(0).time()
		row := clusterRowOf(c)
		row.ID = 0
		if _, err := tx.NewInsert().Model(&row).Exec(ctx); err != nil {
			if duplicate(err) {
				return magnum.Errorf(magnum.Conflict, "A cluster with UUID %s already exists.", c.UUID)
			}
			return err
		}
		c.ID = row.ID
		pin := pinOf(c, c.UUID, 1)
		if _, err := tx.NewInsert().Model(&pin).Exec(ctx); err != nil {
			return err
		}
		for i := range c.NodeGroups {
			if err := db.insertGroup(ctx, tx, c, &c.NodeGroups[i], stampOf(now)); err != nil {
				return err
			}
		}
		return db.begin(ctx, tx, op, c)
	})
}

// Accept changes a cluster and starts an operation on it, all or nothing.
// change checks the request and applies what is visible at once; its error
// aborts. With a nil op the cluster is changed and nothing is started.
//
// An operation under way refuses the request with Conflict. But a delete takes
// its place; and where a delete is under way, another one changes nothing.
func (db *DB) Accept(ctx context.Context, clusterUUID string, op *magnum.Operation, change func(c *magnum.Cluster) error) error {
	return db.change(ctx, "accept a request for cluster "+clusterUUID, func(tx bun.Tx) error {
		h, err := hold(ctx, tx, clusterUUID)
		if err != nil {
			return err
		}
		var current operationRow
		err = tx.NewSelect().Model(&current).Where("o.active_key = ?", h.UUID).Scan(ctx)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		busy := err == nil
		if busy && op != nil && op.Kind == magnum.OpDelete && current.Kind == string(magnum.OpDelete) {
			return nil
		}
		// Before the conflict: a status that forbids the request says more.
		if err := change(h.Cluster); err != nil {
			return err
		}
		if op == nil {
			return db.save(ctx, tx, h)
		}
		if busy {
			if op.Kind != magnum.OpDelete {
				return magnum.Errorf(magnum.Conflict, "Cluster %s already has an operation in progress.", h.Name)
			}
			if err := db.supersede(ctx, tx, &current); err != nil {
				return err
			}
		}
		if err := db.save(ctx, tx, h); err != nil {
			return err
		}
		op.ClusterUUID = h.UUID
		return db.begin(ctx, tx, op, h.Cluster)
	})
}

// supersede ends an operation without its owner. The lease stays: until it
// runs out or is given back, the owner may be talking to the cloud.
func (db *DB) supersede(ctx context.Context, tx bun.Tx, current *operationRow) error {
	return one(tx.NewUpdate().Model(current).
		Set("active_key = NULL").Set("sealed_token = NULL").Set("finished_at = ?", micros(db.now())).
		WherePK().Where(active).Where("o.fence = ?", current.Fence).Exec(ctx))
}

// begin stores an operation, and tells that it has begun.
func (db *DB) begin(ctx context.Context, tx bun.Tx, op *magnum.Operation, c *magnum.Cluster) error {
	if op.ID == "" {
		op.ID = db.newID()
	}
	op.CreatedAt = fromMicros(micros(db.now()))
	row, err := operationRowOf(op)
	if err != nil {
		return err
	}
	if _, err = tx.NewInsert().Model(&row).Exec(ctx); err != nil {
		return err
	}
	return db.tell(ctx, tx, magnum.Accepted(op, c))
}

// CheckQuota answers as AcceptCreate would, without keeping a place.
func (db *DB) CheckQuota(ctx context.Context, projectID string, defaultLimit int) error {
	return db.snapshot(ctx, "check the quota of project "+projectID, func(tx bun.Tx) error {
		return checkQuota(ctx, tx, projectID, defaultLimit)
	})
}

func checkQuota(ctx context.Context, tx bun.Tx, projectID string, limit int) error {
	err := tx.NewSelect().TableExpr("quotas").Column("hard_limit").
		Where("project_id = ?", projectID).Where("resource = 'Cluster'").Scan(ctx, &limit)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	n, err := tx.NewSelect().TableExpr("cluster").Where("project_id = ?", projectID).Count(ctx)
	if err != nil {
		return err
	}
	if n >= int64(limit) {
		return magnum.Errorf(magnum.Forbidden, "Resource limit exceeded: You have reached the maximum clusters per project, %d. "+
			"You may delete a cluster to make room for a new one.", limit)
	}
	return nil
}
