package magnum

// Action is what an operation does, in the words of the Cloud Auditing Data
// Federation.
type Action string

// Outcome is how far an operation has come, in the same words.
type Outcome string

// The actions and outcomes there are.
const (
	ActionCreate Action = "create"
	ActionUpdate Action = "update"
	ActionDelete Action = "delete"

	OutcomePending Outcome = "pending"
	OutcomeSuccess Outcome = "success"
	OutcomeFailure Outcome = "failure"
)

// Event is what other services are told of an operation on a cluster.
type Event struct {
	Action    Action
	Outcome   Outcome
	Cluster   *Cluster // as it is then
	Operation *Operation
}

// Accepted is the event of an operation that begins. Upstream has none for
// rotations and for node groups, of which only the end is told; then it is nil.
func Accepted(op *Operation, c *Cluster) *Event {
	switch op.Kind {
	case OpCreate, OpUpdate, OpResize, OpUpgrade, OpDelete:
		return &Event{Action: op.Kind.Action(), Outcome: OutcomePending, Cluster: c, Operation: op}
	case OpRotateCA, OpRotateCredential, OpCreateNodeGroup, OpUpdateNodeGroup, OpDeleteNodeGroup:
	}
	return nil
}

// Ended is the event of an operation whose outcome is in the cluster. One that
// Heat has rolled back counts as the status says, as upstream has it.
func Ended(op *Operation, c *Cluster) *Event {
	outcome := OutcomeSuccess
	if c.Status.Failed() {
		outcome = OutcomeFailure
	}
	return &Event{Action: op.Kind.Action(), Outcome: outcome, Cluster: c, Operation: op}
}

// Action is what an operation does to the cluster, whatever it is about.
func (k OperationKind) Action() Action {
	switch k {
	case OpCreate:
		return ActionCreate
	case OpDelete:
		return ActionDelete
	default:
		return ActionUpdate
	}
}
