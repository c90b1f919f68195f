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
	// CACert is the certificate of the cluster's authority, in PEM: whom the
	// cluster's API takes as users, and who signs its own certificate. Empty
	// where there is no TLS, for IntentDelete, and from a core that answers no
	// certificate request.
	CACert string
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
	// CertificateRequest asks for a certificate of a server of the cluster:
	// PKCS #10 in PEM, with the names and addresses that it is reached by. The
	// core ends the stream, answers with the next Resume, and watches again; if
	// the answer was lost it asks for this event again. Rule DRV-074.
	CertificateRequest string
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
	// Certificate is what the last event asked for, in PEM; State is that
	// event's then. It may come again.
	Certificate string
}

// ResumeResponse is as of Begin.
type ResumeResponse struct {
	Handle string
	State  []byte
}
