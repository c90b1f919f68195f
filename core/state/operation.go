package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/go-magnum/magnum/core/magnum"
)

// ErrFenced says that an operation is no longer the caller's to work on:
// another owner has claimed it, or it is over. The caller must stop.
var ErrFenced = errors.New("the operation is no longer held")

// active is what an operation's active_key is compared with. Nulls fail it,
// and other than IS NOT NULL it makes every engine use the unique index, which
// is as long as there are operations under way.
const active = "o.active_key > ''"

// operationRow is a row of operation.
type operationRow struct {
	bun.BaseModel `bun:"table:operation,alias:o"`

	ID          string `bun:"id,pk"`
	ClusterUUID string `bun:"cluster_uuid"`
	ActiveKey   string `bun:"active_key,nullzero"`
	Kind        string `bun:"kind"`
	Phase       string `bun:"phase"`
	Input       string `bun:"input,nullzero"`
	Data        string `bun:"data,nullzero"`
	Initiator   string `bun:"initiator"`
	SealedToken []byte `bun:"sealed_token,nullzero"`
	RequestID   string `bun:"request_id"`
	Owner       string `bun:"owner"`
	Fence       int64  `bun:"fence"`
	LeaseUntil  int64  `bun:"lease_until"`
	NotBefore   int64  `bun:"not_before"`
	Deadline    int64  `bun:"deadline"`
	Attempts    int    `bun:"attempts"`
	LastError   string `bun:"last_error"`
	CreatedAt   int64  `bun:"created_at"`
	FinishedAt  int64  `bun:"finished_at"`
}

func operationRowOf(op *magnum.Operation) (operationRow, error) {
	initiator, err := json.Marshal(op.Initiator)
	if err != nil {
		return operationRow{}, fmt.Errorf("write the initiator of operation %s: %w", op.ID, err)
	}
	row := operationRow{
		ID: op.ID, ClusterUUID: op.ClusterUUID, Kind: string(op.Kind), Phase: op.Phase,
		Input: string(op.Input), Data: string(op.Data), Initiator: string(initiator),
		SealedToken: op.SealedToken, RequestID: op.RequestID, Owner: op.Owner, Fence: op.Fence,
		LeaseUntil: micros(op.LeaseUntil), NotBefore: micros(op.NotBefore), Deadline: micros(op.Deadline),
		Attempts: op.Attempts, LastError: op.LastError,
		CreatedAt: micros(op.CreatedAt), FinishedAt: micros(op.FinishedAt),
	}
	if row.FinishedAt == 0 {
		row.ActiveKey = row.ClusterUUID
	}
	return row, nil
}

func (r *operationRow) operation() (*magnum.Operation, error) {
	op := &magnum.Operation{
		ID: r.ID, ClusterUUID: r.ClusterUUID, Kind: magnum.OperationKind(r.Kind), Phase: r.Phase,
		SealedToken: r.SealedToken, RequestID: r.RequestID, Owner: r.Owner, Fence: r.Fence,
		LeaseUntil: fromMicros(r.LeaseUntil), NotBefore: fromMicros(r.NotBefore), Deadline: fromMicros(r.Deadline),
		Attempts: r.Attempts, LastError: r.LastError,
		CreatedAt: fromMicros(r.CreatedAt), FinishedAt: fromMicros(r.FinishedAt),
	}
	if r.Input != "" {
		op.Input = json.RawMessage(r.Input)
	}
	if r.Data != "" {
		op.Data = json.RawMessage(r.Data)
	}
	if err := json.Unmarshal([]byte(r.Initiator), &op.Initiator); err != nil {
		return nil, fmt.Errorf("read the initiator of operation %s: %w", r.ID, err)
	}
	return op, nil
}

// Operation returns an operation, finished or not.
func (db *DB) Operation(ctx context.Context, id string) (*magnum.Operation, error) {
	var row operationRow
	err := db.read.NewSelect().Model(&row).Where("o.id = ?", id).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, magnum.Errorf(magnum.NotFound, "Operation %s could not be found.", id)
	}
	if err != nil {
		return nil, db.explain("load operation "+id, err)
	}
	return row.operation()
}

// ActiveOperation returns the operation that is under way on a cluster, or nil.
func (db *DB) ActiveOperation(ctx context.Context, clusterUUID string) (*magnum.Operation, error) {
	var row operationRow
	err := db.read.NewSelect().Model(&row).Where("o.active_key = ?", clusterUUID).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, db.explain("load the operation of cluster "+clusterUUID, err)
	}
	return row.operation()
}

// Operations returns all operations of a cluster, the last one first. A delete
// finds in them what the operation it took the place of had found out.
func (db *DB) Operations(ctx context.Context, clusterUUID string) ([]*magnum.Operation, error) {
	var rows []operationRow
	err := db.read.NewSelect().Model(&rows).Where("o.cluster_uuid = ?", clusterUUID).
		OrderExpr("o.created_at DESC, o.id DESC").Scan(ctx)
	if err != nil {
		return nil, db.explain("list the operations of cluster "+clusterUUID, err)
	}
	return operations(rows)
}

func operations(rows []operationRow) ([]*magnum.Operation, error) {
	all := make([]*magnum.Operation, len(rows))
	for i := range rows {
		op, err := rows[i].operation()
		if err != nil {
			return nil, err
		}
		all[i] = op
	}
	return all, nil
}
