package magnum

import (
	"slices"
	"strings"
)

// Status is a cluster's or a node group's, in upstream's words.
type Status string

// The statuses this service sets. Others may stand in an adopted database.
const (
	CreateInProgress   Status = "CREATE_IN_PROGRESS"
	CreateFailed       Status = "CREATE_FAILED"
	CreateComplete     Status = "CREATE_COMPLETE"
	UpdateInProgress   Status = "UPDATE_IN_PROGRESS"
	UpdateFailed       Status = "UPDATE_FAILED"
	UpdateComplete     Status = "UPDATE_COMPLETE"
	DeleteInProgress   Status = "DELETE_IN_PROGRESS"
	DeleteFailed       Status = "DELETE_FAILED"
	DeleteComplete     Status = "DELETE_COMPLETE"
	RollbackInProgress Status = "ROLLBACK_IN_PROGRESS"
	RollbackFailed     Status = "ROLLBACK_FAILED"
	RollbackComplete   Status = "ROLLBACK_COMPLETE"
	ResumeComplete     Status = "RESUME_COMPLETE"
	RestoreComplete    Status = "RESTORE_COMPLETE"
	SnapshotComplete   Status = "SNAPSHOT_COMPLETE"
	CheckComplete      Status = "CHECK_COMPLETE"
	AdoptComplete      Status = "ADOPT_COMPLETE"
)

// HealthStatus is what the last look at a running cluster said.
type HealthStatus string

// The health statuses; the empty one is null.
const (
	Healthy       HealthStatus = "HEALTHY"
	Unhealthy     HealthStatus = "UNHEALTHY"
	HealthUnknown HealthStatus = "UNKNOWN"
)

// settled are the statuses from which upstream lets a cluster be changed.
var settled = []Status{
	CreateComplete, UpdateComplete, ResumeComplete, RestoreComplete,
	RollbackComplete, SnapshotComplete, CheckComplete, AdoptComplete,
}

// InProgress reports whether an operation is under way.
func (s Status) InProgress() bool { return strings.HasSuffix(string(s), "_IN_PROGRESS") }

// Failed reports whether the last operation failed.
func (s Status) Failed() bool { return strings.HasSuffix(string(s), "_FAILED") }

// Allows returns the statuses in which a cluster takes an operation; nil is
// every status.
func (k OperationKind) Allows() []Status {
	switch k {
	case OpDelete, OpCreate:
		return nil
	case OpResize, OpRotateCredential, OpCreateNodeGroup, OpUpdateNodeGroup, OpDeleteNodeGroup:
		return append(slices.Clone(settled), UpdateFailed, UpdateInProgress)
	default:
		return slices.Clone(settled)
	}
}
