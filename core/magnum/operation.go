package magnum

import (
	"encoding/json"
	"time"
)

// OperationKind is what a user asked to be done to a cluster.
type OperationKind string

// The kinds of operation.
const (
	OpCreate OperationKind = "create"
	OpUpdate OperationKind = "update" // node_count by PATCH
	OpResize OperationKind = "resize"
	OpDelete OperationKind = "delete"

	OpUpgrade          OperationKind = "upgrade"
	OpRotateCA         OperationKind = "rotate-ca"
	OpRotateCredential OperationKind = "rotate-credential" //nolint:gosec // a word, no credential
	OpCreateNodeGroup  OperationKind = "create-nodegroup"
	OpUpdateNodeGroup  OperationKind = "update-nodegroup"
	OpDeleteNodeGroup  OperationKind = "delete-nodegroup"
)

// Operation is a request that was accepted and is not lost: its row is
// written in the transaction that accepted it, and it is finished when its
// outcome is in the cluster's row.
type Operation struct {
	ID          string
	ClusterUUID string
	Kind        OperationKind
	// Phase is the next one to run. Phases may be repeated after a crash.
	Phase string
	// Input is what was asked, as the operation's kind defines it.
	Input json.RawMessage
	// Data is what earlier phases found out and later ones need. No secrets.
	Data json.RawMessage

	Initiator Initiator
	// SealedToken is the user's token, encrypted, until the trust exists.
	SealedToken []byte
	RequestID   string

	// Owner, Fence and LeaseUntil say which conductor works on it. Fence
	// grows with each claim; a write with an old fence changes nothing.
	Owner      string
	Fence      int64
	LeaseUntil time.Time
	// NotBefore puts off the next attempt.
	NotBefore time.Time
	// Deadline is when it fails if not finished; zero is never.
	Deadline time.Time
	Attempts int
	// LastError is the last attempt's, for operators.
	LastError string
	// Driver, if not nil, is what the driver has under way for it, to be saved
	// with it. It is not loaded with it.
	Driver *DriverOperation

	CreatedAt  time.Time
	FinishedAt time.Time // zero while active
}

// DriverOperation is what the driver of a stackless cluster has under way for
// an operation.
type DriverOperation struct {
	OperationID string
	// Handle and State are the driver's words, and empty while it is not known
	// whether it has begun. State is at most 1 MiB.
	Handle string
	State  []byte
	// Seq is that of the last event whose effect is saved.
	Seq int64
	// Over is that there is nothing more to come, Alone that nothing else is
	// under way for the cluster; the records of what is over go.
	Over, Alone bool
}

// Initiator is who asked.
type Initiator struct {
	UserID    string   `json:"user_id"`
	UserName  string   `json:"user_name,omitempty"`
	ProjectID string   `json:"project_id"`
	Roles     []string `json:"roles,omitempty"`
	DomainID  string   `json:"domain_id,omitempty"`
}

// ResizeInput is the Input of OpResize and OpUpdate.
type ResizeInput struct {
	NodeGroup     string   `json:"nodegroup"` // its name
	NodeCount     int      `json:"node_count"`
	Previous      int      `json:"previous"` // restored if it fails
	NodesToRemove []string `json:"nodes_to_remove,omitempty"`
	Rollback      bool     `json:"rollback,omitempty"`
}

// UpgradeInput is the Input of OpUpgrade.
type UpgradeInput struct {
	NodeGroup       string `json:"nodegroup"`        // its name
	ClusterTemplate string `json:"cluster_template"` // uuid of the one to move to
	MaxBatchSize    int    `json:"max_batch_size"`
}

// DeleteInput is the Input of OpDelete, if it has one.
type DeleteInput struct {
	// Forget removes the record of a cluster alone: no driver is asked.
	Forget bool `json:"forget,omitempty"`
}

// NodeGroupInput is the Input of the operations on one node group. The group's
// row says what is wanted; before is what an update that fails restores.
type NodeGroupInput struct {
	NodeGroup string     `json:"nodegroup"` // its name
	Before    *NodeGroup `json:"before,omitempty"`
}
