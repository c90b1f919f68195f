package state

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/uptrace/bun"

	"github.com/go-magnum/magnum/core/magnum"
)

// held is a cluster inside a writing transaction, with its rows as they were.
type held struct {
	*magnum.Cluster
	row    clusterRow
	pin    pinRow // Revision 0: there is none yet, as in an adopted database
	groups map[string]nodeGroupRow
}

// hold loads a cluster in order to change it.
func hold(ctx context.Context, tx bun.Tx, uuid string) (*held, error) {
	h := &held{groups: map[string]nodeGroupRow{}}
	err := tx.NewSelect().Model(&h.row).Where("c.uuid = ?", strings.ToLower(uuid)).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, clusterNotFound(uuid)
	}
	if err != nil {
		return nil, err
	}
	if h.Cluster, err = h.row.cluster(); err != nil {
		return nil, err
	}
	err = tx.NewSelect().Model(&h.pin).Where("d.cluster_uuid = ?", h.row.UUID).Scan(ctx)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	if err := h.pin.fill(h.Cluster); err != nil {
		return nil, err
	}
	var groups []nodeGroupRow
	if err := tx.NewSelect().Model(&groups).Where("g.cluster_id = ?", h.row.UUID).OrderExpr("g.id").Scan(ctx); err != nil {
		return nil, err
	}
	for i := range groups {
		g, err := groups[i].nodeGroup()
		if err != nil {
			return nil, err
		}
		h.groups[g.UUID] = groups[i]
		h.NodeGroups = append(h.NodeGroups, g)
	}
	return h, nil
}

// save writes what has changed since hold, and sets UpdatedAt of what it
// wrote. It fails with errMoved if another process wrote the cluster since.
func (db *DB) save(ctx context.Context, tx bun.Tx, h *held) error {
	if err := db.saveRevision(ctx, tx, h); err != nil {
		return err
	}
	now := stampOf(db.now())
	row := clusterRowOf(h.Cluster)
	row.ID, row.UUID, row.CreatedAt, row.UpdatedAt = h.row.ID, h.row.UUID, h.row.CreatedAt, h.row.UpdatedAt
	if row != h.row {
		row.UpdatedAt = now
		if err := one(tx.NewUpdate().Model(&row).WherePK().Exec(ctx)); err != nil {
			return err
		}
		h.UpdatedAt = now.time()
	}
	return db.saveGroups(ctx, tx, h, now)
}

func (db *DB) saveRevision(ctx context.Context, tx bun.Tx, h *held) error {
	pin := pinOf(h.Cluster, h.row.UUID, h.pin.Revision+1)
	if pin.Driver != h.pin.Driver || pin.Version != h.pin.Version {
		if err := db.checkWithdrawn(ctx, tx, h.Driver); err != nil {
			return err
		}
	}
	if h.pin.Revision > 0 {
		return one(tx.NewUpdate().Model(&pin).WherePK().Where("d.revision = ?", h.pin.Revision).Exec(ctx))
	}
	_, err := tx.NewInsert().Model(&pin).Exec(ctx)
	if duplicate(err) {
		return errMoved
	}
	return err
}

func (db *DB) saveGroups(ctx context.Context, tx bun.Tx, h *held, now stamp) error {
	kept := map[string]bool{}
	for i := range h.NodeGroups {
		g := &h.NodeGroups[i]
		before, known := h.groups[g.UUID]
		if !known {
			if err := db.insertGroup(ctx, tx, h.Cluster, g, now); err != nil {
				return err
			}
			continue
		}
		kept[g.UUID] = true
		row := nodeGroupRowOf(g)
		row.ID, row.CreatedAt, row.UpdatedAt = before.ID, before.CreatedAt, before.UpdatedAt
		if row == before {
			continue
		}
		row.UpdatedAt = now
		if err := one(tx.NewUpdate().Model(&row).WherePK().Exec(ctx)); err != nil {
			return groupTaken(err, h.Cluster, g)
		}
		g.UpdatedAt = now.time()
	}
	for uuid, row := range h.groups {
		if !kept[uuid] {
			if err := one(tx.NewDelete().Model(&row).WherePK().Exec(ctx)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (db *DB) insertGroup(ctx context.Context, tx bun.Tx, c *magnum.Cluster, g *magnum.NodeGroup, now stamp) error {
	if g.UUID == "" {
		g.UUID = db.newID()
	}
	g.UUID = strings.ToLower(g.UUID)
	g.ClusterID, g.ProjectID = c.UUID, c.ProjectID
	g.CreatedAt, g.UpdatedAt = now.time(), stamp(0).time()
	row := nodeGroupRowOf(g)
	row.ID = 0
	if _, err := tx.NewInsert().Model(&row).Exec(ctx); err != nil {
		return groupTaken(err, c, g)
	}
	g.ID = row.ID
	return nil
}

func groupTaken(err error, c *magnum.Cluster, g *magnum.NodeGroup) error {
	if duplicate(err) {
		return magnum.Errorf(magnum.Conflict, "A node group with name %s already exists in the cluster %s.", g.Name, c.Name)
	}
	return err
}
