package conductor

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/core/heat"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/sdk/driver"
)

// task is a claimed operation with what its phases share. One goroutine at a
// time works on it; only the parts that say so may be used by others.
type task struct {
	op *magnum.Operation
	// identity is the operation as claimed: what the lease loop renews.
	identity magnum.Operation
	// ctx ends when the operation is no longer ours, and with the conductor.
	ctx    context.Context //nolint:containedctx // a task is a goroutine's life, not an argument
	cancel context.CancelCauseFunc
	log    hclog.Logger

	cluster  *magnum.Cluster
	template *magnum.ClusterTemplate
	data     progress
	// rendered is lost in a crash, and asked for again then; so is move.
	rendered *driver.RenderResponse
	move     *move
	// group is the uuid of the node group whose own stack the present phase
	// is about; empty where that is the cluster's.
	group string
	// removing is that the present phase waits for its stack to go.
	removing bool
	// seen is what the follower saw of the stack, for the phase to read.
	seen *sight
	// last is the driver's last event, lost why it can be heard no more.
	last *driver.Event
	lost error

	finishing atomic.Bool

	mu    sync.Mutex // guards lease
	lease time.Time
}

// sight is one look at a stack.
type sight struct {
	stack heat.Stack
	gone  bool
}

// progress is an operation's Data: what earlier phases found out. No secrets.
type progress struct {
	// StackName is settled before the stack is asked for; GroupStacks are
	// those of node groups that have one of their own, by their uuids.
	StackName   string            `json:"stack_name,omitempty"`
	GroupStacks map[string]string `json:"group_stacks,omitempty"`
	// StackBefore is the stack's updated_time before our update, SentAt when
	// the request was sent; Begun that the stack was seen under way since.
	StackBefore string    `json:"stack_before,omitempty"`
	SentAt      time.Time `json:"sent_at,omitzero"`
	Begun       bool      `json:"begun,omitempty"`
	// Asked is that Heat, or the driver, may have the update, or has it.
	Asked bool `json:"asked,omitempty"`
	// Heard is what the driver was last heard to do, Gone that it has nothing
	// left to remove.
	Heard string `json:"heard,omitempty"`
	Gone  bool   `json:"gone,omitempty"`
	// PasswordSet is when the trustee's password was changed.
	PasswordSet time.Time `json:"password_set,omitzero"`
	// RolledBack is how Heat ended an update that it undid.
	RolledBack magnum.Status `json:"rolled_back,omitempty"`
	// NodesToRemove was chosen by the driver, or by the user; Order says why
	// it is Heat that chooses.
	NodesToRemove []string `json:"nodes_to_remove,omitempty"`
	Order         string   `json:"order,omitempty"`
	// SecretParameters are never shown to a driver.
	SecretParameters []string `json:"secret_parameters,omitempty"`
	// Waiting is what for, and since when.
	Waiting string    `json:"waiting,omitempty"`
	Since   time.Time `json:"since,omitzero"`
	// Bugs and Auths count repeats that are allowed once.
	Bugs  int `json:"bugs,omitempty"`
	Auths int `json:"auths,omitempty"`
}

func (c *Conductor) newTask(ctx context.Context, op *magnum.Operation) *task {
	ctx, cancel := context.WithCancelCause(driver.WithTrace(ctx, traceOf(op)))
	return &task{
		op: op, identity: *op, ctx: ctx, cancel: cancel, lease: op.LeaseUntil,
		log: c.Logger.With("operation", op.ID, "kind", string(op.Kind), "cluster", op.ClusterUUID, "request_id", op.RequestID),
	}
}

func (t *task) leaseUntil() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lease
}

func (t *task) setLease(until time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lease = until
}

// load reads what a task is about; once, then the task keeps it up to date.
func (c *Conductor) load(ctx context.Context, t *task) error {
	if t.cluster != nil {
		return nil
	}
	cluster, err := c.DB.Cluster(ctx, state.Scope{All: true}, t.op.ClusterUUID)
	if err != nil {
		return fmt.Errorf("load the cluster: %w", err)
	}
	template, err := c.DB.Template(ctx, state.Scope{All: true}, cluster.ClusterTemplateID)
	if err != nil {
		return fmt.Errorf("load the cluster template: %w", err)
	}
	t.data = progress{}
	if len(t.op.Data) > 0 {
		if err := json.Unmarshal(t.op.Data, &t.data); err != nil {
			return fmt.Errorf("read the operation's data: %w", err)
		}
	}
	t.cluster, t.template = cluster, template
	return nil
}

// save writes the operation's progress and what change does to the cluster.
func (c *Conductor) save(ctx context.Context, t *task, change func(*magnum.Cluster) error) error {
	return c.write(ctx, t, change, c.DB.Advance)
}

func (c *Conductor) write(ctx context.Context, t *task, change func(*magnum.Cluster) error,
	how save,
) error {
	data, err := json.Marshal(t.data)
	if err != nil {
		return fmt.Errorf("write the operation's data: %w", err)
	}
	t.op.Data = data
	defer func() { t.op.Driver = nil }() // saved, or to be found out anew
	if change == nil {
		return how(ctx, t.op, nil)
	}
	var saved *magnum.Cluster
	err = how(ctx, t.op, func(cluster *magnum.Cluster) error {
		if err := change(cluster); err != nil {
			return err
		}
		saved = cluster
		return nil
	})
	if err != nil {
		return err
	}
	t.cluster = saved
	if t.move != nil && t.move.template.UUID == saved.ClusterTemplateID {
		t.template = t.move.template
	}
	return nil
}

// aim says which stack the task is about from here on.
func (t *task) aim(p phase) { t.group, t.removing = p.group, p.removes }

// own is the node group whose own stack the task is about; nil where that is
// the cluster's.
func (t *task) own() *magnum.NodeGroup {
	if t.group == "" {
		return nil
	}
	return t.cluster.NodeGroup(t.group)
}

// stackRef names the stack: by the id once it is known, else by the name,
// which follows from the cluster or the node group.
func (t *task) stackRef() heat.Ref {
	id := t.cluster.StackID
	if g := t.own(); g != nil {
		id = g.StackID
	}
	if id != "" {
		return heat.Ref{ID: id}
	}
	return heat.Ref{Name: t.stackName()}
}

func (t *task) stackName() string {
	if g := t.own(); g != nil {
		if t.data.GroupStacks == nil {
			t.data.GroupStacks = map[string]string{}
		}
		if t.data.GroupStacks[g.UUID] == "" {
			t.data.GroupStacks[g.UUID] = heat.NodeGroupStackName(t.cluster.Name, g.Name, heat.ShortID(g.UUID))
		}
		return t.data.GroupStacks[g.UUID]
	}
	if t.data.StackName == "" {
		t.data.StackName = heat.StackName(t.cluster.Name, heat.ShortID(t.cluster.UUID))
	}
	return t.data.StackName
}

// setStackID notes the id of the stack that a phase was about.
func setStackID(cluster *magnum.Cluster, group, id string) {
	if group == "" {
		cluster.StackID = id
	}
	for i := range cluster.NodeGroups {
		if g := &cluster.NodeGroups[i]; g.UUID == group || group == "" && g.IsDefault {
			g.StackID = id
		}
	}
}
