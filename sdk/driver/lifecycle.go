package driver

import "time"

// BeginRequest starts an operation of a driver that does not use Heat.
type BeginRequest struct {
	OperationID   string
	Intent        Intent // or IntentDelete
	Template      ClusterTemplate
	Cluster       Cluster
	NodeGroups    []NodeGroup
	NodeGroup     string
	Endpoints     Endpoints
	NodesToRemove []string
	MaxBatchSize  int
	Deadline      time.Duration // from its beginning; 0 is none
}

// IntentDelete is only for Lifecycle: stacks are deleted by the core.
const IntentDelete Intent = "delete"

// BeginResponse returns at once, with what is needed to go on after a crash.
type BeginResponse struct {
	Handle string // what the driver knows the operation by
	State  []byte // opaque, at most MaxState, no secrets
}

// WatchRequest asks for events from a sequence number on.
type WatchRequest struct {
	OperationID string
	Handle      string
	State       []byte
	FromSeq     int64
}

// Event is a step forward.
type Event struct {
	Seq        int64
	Phase      string
	Percent    int
	Message    string
	State      []byte // replaces the stored one where not nil
	Done       bool
	Failed     bool
	Cluster    ClusterPatch
	NodeGroups []NodeGroupPatch
}

// CancelRequest asks to stop; Watch says when it has.
type CancelRequest struct {
	OperationID string
	Handle      string
	State       []byte
}

// CancelResponse says whether there was something to stop.
type CancelResponse struct {
	Cancelled bool
}

// ResumeRequest takes an operation up, in a fresh process or in one that has it
// already. It comes before every Watch.
type ResumeRequest struct {
	Begin  BeginRequest
	Handle string
	State  []byte
}

// ResumeResponse is as of Begin.
type ResumeResponse struct {
	Handle string
	State  []byte
}
