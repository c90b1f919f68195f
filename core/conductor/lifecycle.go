package conductor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

// stackPhases are those about Heat.
var stackPhases = map[string]bool{
	"select": true, "pre-delete": true, "render": true, phaseStack: true, phaseFollow: true, "outputs": true,
}

// stackless makes of a flow the one of a cluster whose driver does without
// Heat: what is about stacks is left out, and where the first would be sent to
// Heat the driver begins and is watched. Trust, certificates, statuses and
// rows are the core's as ever.
func (c *Conductor) stackless(t *task, f flow) flow {
	var phases []phase
	begun := false
	for _, p := range f.phases {
		name, _, _ := strings.Cut(p.name, " ") // a node group's has its uuid
		if name == phaseStack && !begun && !t.forget() {
			begun = true
			phases = append(phases, onStack(p.group, c.beginPhase(), c.watchPhase())...)
		}
		if !stackPhases[name] {
			phases = append(phases, p)
		}
	}
	f.phases = phases
	return f
}

// forget reports whether only the record of a cluster is to go: its driver is
// not there any more, and somebody else has seen to the rest.
func (t *task) forget() bool {
	var in magnum.DeleteInput
	return t.op.Kind == magnum.OpDelete && len(t.op.Input) > 0 && t.input(&in) == nil && in.Forget
}

// beginWithin bounds the call, with the driver's start and one repeat. It is
// shorter than createWithin: nobody may begin another operation while this one
// is on its way to the driver.
const beginWithin = time.Minute

// beginPhase has the driver begin. Its record is made before it is asked: a
// delete that comes in between must know that there may be something to cancel.
func (c *Conductor) beginPhase() phase {
	return phase{
		name:  "begin",
		doing: func(t *task) string { return "driver " + driverName(t) + " to begin" },
		run:   c.beginAtDriver,
	}
}

func (c *Conductor) beginAtDriver(ctx context.Context, t *task) (change, error) {
	if err := c.settled(t); err != nil {
		return nil, err
	}
	set, request, err := c.beginRequest(ctx, t, t.op.Kind == magnum.OpUpgrade)
	if err != nil {
		return nil, err
	}
	if err := c.cancelOthers(ctx, t, set); err != nil {
		return nil, err
	}
	if err := c.hold(ctx, t, createWithin); err != nil {
		return nil, err
	}
	before := t.data.Asked
	t.data.Asked = true
	t.op.Driver = &magnum.DriverOperation{}
	if err := c.save(ctx, t, nil); err != nil {
		return nil, err
	}
	call, cancel := context.WithTimeout(ctx, beginWithin)
	answer, err := set.Lifecycle.Begin(call, request)
	cancel()
	gone := t.op.Kind == magnum.OpDelete && driver.ClassOf(err) == driver.ClassNotFound
	if err != nil && !gone {
		if !driver.ClassOf(err).Retryable() {
			t.data.Asked = before
			t.op.Driver = &magnum.DriverOperation{Over: true} // it has not begun
		}
		return nil, fmt.Errorf("ask driver %s to begin: %w", set.Name, err)
	}
	if err := c.hold(ctx, t, c.lease()); err != nil {
		return nil, err
	}
	t.data.Gone = gone
	t.op.Driver = &magnum.DriverOperation{Handle: answer.Handle, State: answer.State, Over: gone, Alone: true}
	return func(cluster *magnum.Cluster) error {
		if t.move != nil {
			t.move.apply(cluster)
		}
		return nil
	}, nil
}

// beginRequest is what the driver is asked, and who that is. After a crash it
// is the same again. moves is that the cluster is still to be moved to what an
// upgrade leads to; once the driver has begun with that, its rows are there.
func (c *Conductor) beginRequest(ctx context.Context, t *task, moves bool) (driver.Set, driver.BeginRequest, error) {
	fail := func(err error) (driver.Set, driver.BeginRequest, error) {
		return driver.Set{}, driver.BeginRequest{}, err
	}
	var in struct {
		NodeGroup     string   `json:"nodegroup"`
		NodesToRemove []string `json:"nodes_to_remove"`
		MaxBatchSize  int      `json:"max_batch_size"`
	}
	if len(t.op.Input) > 0 {
		if err := t.input(&in); err != nil {
			return fail(err)
		}
	}
	cluster, template := t.cluster, t.template
	if moves {
		var to magnum.UpgradeInput
		if err := t.input(&to); err != nil {
			return fail(err)
		}
		m, err := c.move(ctx, t, &to)
		if err != nil {
			return fail(err)
		}
		cluster, template = m.cluster, m.template
	}
	set, err := c.driverOf(ctx, cluster.Driver, template)
	if err != nil {
		return fail(c.deleteWithout(t, err))
	}
	if set.Lifecycle == nil {
		return fail(fatal(fmt.Sprintf("Driver %s %s makes clusters with Heat, and this one was made without.", set.Name, set.Version)))
	}
	r := driver.BeginRequest{
		OperationID: t.op.ID, Intent: driver.Intent(t.op.Kind), Template: driverTemplate(template), Cluster: driverCluster(cluster),
		NodeGroups: driverGroups(cluster), NodeGroup: in.NodeGroup, NodesToRemove: in.NodesToRemove, MaxBatchSize: in.MaxBatchSize,
		Deadline: c.timeout(t),
	}
	if t.op.Kind == magnum.OpDelete {
		return set, r, nil // what goes needs no networks, and they may be gone
	}
	if r.Endpoints, err = c.endpoints(ctx, t, template); err != nil {
		return fail(err)
	}
	if !template.TLSDisabled {
		if r.CACert, err = c.Cert.CA(ctx, cluster, ""); err != nil {
			return fail(err)
		}
	}
	r.Cluster.TrusteeDomainID, err = c.Keystone.TrusteeDomainID(ctx)
	return set, r, err
}

// deleteWithout tells whoever deletes a cluster whose driver is not installed
// what there is to do: only the driver knows what to remove.
func (c *Conductor) deleteWithout(t *task, err error) error {
	if t.op.Kind != magnum.OpDelete || driver.ClassOf(err) != driver.ClassNotFound {
		return err
	}
	return fatal(fmt.Sprintf("Driver %s %s, which made this cluster, is not installed. "+
		"An operator can install it, or remove the record of the cluster with magnum-db-manage forget-cluster.", driverName(t), t.cluster.Driver.Version))
}

// engaged is what the driver may have under way: for the task's own operation,
// and for those before it whose end nobody has heard of.
func (c *Conductor) engaged(ctx context.Context, t *task) (own *magnum.DriverOperation, others []magnum.DriverOperation, err error) {
	all, err := c.DB.DriverOperations(ctx, t.op.ClusterUUID)
	if err != nil {
		return nil, nil, err
	}
	for i := range all {
		if all[i].OperationID == t.op.ID {
			own = &all[i]
		} else {
			others = append(others, all[i])
		}
	}
	return own, others, nil
}

// cancelOthers stops what an operation that this one took the place of, or that
// ran out of time, has left with the driver. That it has stopped is known when
// the driver begins with this one instead of refusing it.
func (c *Conductor) cancelOthers(ctx context.Context, t *task, set driver.Set) error {
	_, others, err := c.engaged(ctx, t)
	if err != nil {
		return err
	}
	for _, o := range others {
		if err := cancelAt(ctx, set, o); err != nil {
			return err
		}
		t.log.Info("the driver was told to stop an earlier operation", "earlier", o.OperationID)
	}
	return nil
}

func cancelAt(ctx context.Context, set driver.Set, o magnum.DriverOperation) error {
	_, err := set.Lifecycle.Cancel(ctx, driver.CancelRequest{OperationID: o.OperationID, Handle: o.Handle, State: o.State})
	if err != nil && driver.ClassOf(err) != driver.ClassNotFound {
		return fmt.Errorf("ask driver %s to cancel: %w", set.Name, err)
	}
	return nil
}

// abandonWithin bounds the farewell to a driver whose operation has failed.
const abandonWithin = 10 * time.Second

// abandon tells the driver that nobody waits for a failed operation any more.
// Where it cannot be told the record stays, and the next operation tells it.
func (c *Conductor) abandon(t *task) {
	if t.cluster == nil || !t.cluster.Stackless || t.op.Driver != nil && t.op.Driver.Over {
		return
	}
	ctx, cancel := context.WithTimeout(t.ctx, abandonWithin)
	defer cancel()
	own, _, err := c.engaged(ctx, t)
	if own == nil && err == nil {
		return
	}
	if err == nil {
		var set driver.Set
		if set, err = c.driver(ctx, t); err == nil && set.Lifecycle != nil {
			err = cancelAt(ctx, set, *own)
		}
	}
	if err != nil {
		t.log.Warn("the driver could not be told to stop; the next operation will", "error", err)
	}
}
