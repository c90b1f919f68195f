package conductor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-magnum/magnum/core/heat"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

// job is what an operation wants of a stack.
type job struct {
	intent driver.Intent
	// group is the name of the node group that the request is about; empty
	// for the cluster as a whole.
	group string
	// rollback makes Heat undo an update that fails.
	rollback bool
	// marks is that it matters whether Heat may have got the update, also
	// where its answer was lost.
	marks bool
	// upgrade is where to, if that is what it is.
	upgrade *magnum.UpgradeInput
}

// renderPhase asks the driver for the stack.
func (c *Conductor) renderPhase(j job) phase {
	return phase{
		name:  "render",
		doing: func(t *task) string { return "driver " + driverName(t) + " to describe the stack" },
		run: func(ctx context.Context, t *task) (change, error) {
			return nil, c.render(ctx, t, j)
		},
	}
}

func driverName(t *task) string {
	if t.cluster.Driver.Name == "" {
		return "of " + t.template.COE
	}
	return t.cluster.Driver.Name
}

func (c *Conductor) render(ctx context.Context, t *task, j job) error {
	cluster, template := t.cluster, t.template
	if j.upgrade != nil {
		m, err := c.move(ctx, t, j.upgrade)
		if err != nil {
			return err
		}
		cluster, template = m.cluster, m.template
	}
	set, err := c.driverOf(ctx, cluster.Driver, template)
	if err != nil {
		return err
	}
	if set.Templates == nil {
		return fatal(fmt.Sprintf("Driver %s makes clusters without Heat, and this one has a stack.", set.Name))
	}
	endpoints, err := c.endpoints(ctx, t, template)
	if err != nil {
		return err
	}
	request := driver.RenderRequest{
		Intent: j.intent, Template: driverTemplate(template), Cluster: driverCluster(cluster),
		NodeGroups: driverGroups(cluster), NodeGroup: j.group, Endpoints: endpoints, NodesToRemove: t.data.NodesToRemove,
	}
	if j.upgrade != nil {
		request.MaxBatchSize = j.upgrade.MaxBatchSize
	}
	if t.own() != nil {
		if request.ClusterOutputs, err = c.clusterOutputs(ctx, t); err != nil {
			return err
		}
	}
	if request.Cluster.TrusteeDomainID, err = c.Keystone.TrusteeDomainID(ctx); err != nil {
		return err
	}
	answer, err := set.Templates.Validate(ctx, driver.ValidateRequest{
		Intent: j.intent, Template: request.Template, Cluster: request.Cluster, NodeGroups: request.NodeGroups, NodeGroup: j.group,
	})
	if err != nil {
		return fmt.Errorf("ask driver %s to validate: %w", set.Name, err)
	}
	if reason := violations(answer.Violations); reason != "" {
		return fatal(reason)
	}
	stack, err := set.Templates.Render(ctx, request)
	if err != nil {
		return fmt.Errorf("ask driver %s to render: %w", set.Name, err)
	}
	t.rendered = &stack
	t.data.SecretParameters = nil
	for _, name := range slices.Sorted(maps.Keys(stack.Parameters)) {
		if stack.Parameters[name].Secret != "" {
			t.data.SecretParameters = append(t.data.SecretParameters, name)
		}
	}
	t.stackName() // saved with this phase, before Heat hears of it
	return nil
}

// clusterOutputs is what the cluster's own stack says, for the nodes of a
// stack that joins it.
func (c *Conductor) clusterOutputs(ctx context.Context, t *task) (map[string]driver.RawJSON, error) {
	if t.cluster.StackID == "" {
		return nil, fatal("The cluster has no stack.")
	}
	session, err := c.session(ctx, t)
	if err != nil {
		return nil, err
	}
	result, err := c.Heat.Outputs(ctx, session, heat.Ref{ID: t.cluster.StackID})
	return result.Outputs, err
}

func violations(all []driver.Violation) string {
	reasons := make([]string, len(all))
	for i, v := range all {
		reasons[i] = v.Message
	}
	return strings.Join(reasons, " ")
}

// request is what Heat is sent. After a crash the driver is asked again.
func (c *Conductor) request(ctx context.Context, t *task, j job) (heat.Request, error) {
	if t.rendered == nil {
		if err := c.render(ctx, t, j); err != nil {
			return heat.Request{}, err
		}
	}
	r := heat.Request{
		Name: t.stackName(), Stack: *t.rendered, Secret: c.secrets(t), TimeoutMinutes: t.rendered.TimeoutMinutes, Rollback: j.rollback,
	}
	if r.TimeoutMinutes == 0 {
		r.TimeoutMinutes = int(c.timeout(t).Minutes())
	}
	return r, nil
}

// secrets gives Heat what parameters refer to.
func (c *Conductor) secrets(t *task) func(context.Context, driver.SecretRef) (string, error) {
	return func(ctx context.Context, ref driver.SecretRef) (string, error) {
		switch ref {
		case driver.SecretTrusteePassword:
			return t.cluster.TrusteePassword, nil
		case driver.SecretTrustID:
			if c.Options.Trust.ClusterUserTrust {
				return t.cluster.TrustID, nil
			}
			return "", nil
		case driver.SecretCAKey:
			return c.Cert.CAKey(ctx, t.cluster)
		case driver.SecretServiceAccountKey:
			public, _, err := c.Cert.ServiceAccount(ctx, t.cluster)
			return public, err
		case driver.SecretServiceAccountPrivateKey:
			_, private, err := c.Cert.ServiceAccount(ctx, t.cluster)
			return private, err
		}
		return "", fatal(fmt.Sprintf("The driver asks for the secret %q, which there is not.", ref))
	}
}

// driver finds the driver of a cluster: the one that made it, or that the last
// upgrade brought it to.
func (c *Conductor) driver(ctx context.Context, t *task) (driver.Set, error) {
	return c.driverOf(ctx, t.cluster.Driver, t.template)
}

// driverOf finds a driver. A cluster that was adopted has none on record, and
// gets the active one of its type.
func (c *Conductor) driverOf(ctx context.Context, ref magnum.DriverRef, template *magnum.ClusterTemplate) (driver.Set, error) {
	if ref.Name == "" {
		var err error
		if ref, err = c.driverOfType(ctx, template); err != nil {
			return driver.Set{}, err
		}
	}
	set, err := c.Drivers.Get(ctx, ref.Name, ref.Version)
	if err != nil {
		return driver.Set{}, fmt.Errorf("get driver %s %s: %w", ref.Name, ref.Version, c.notHere(ctx, ref, err))
	}
	return set, nil
}

// notHere is why there is no driver. Where another host has the version, the
// operation is put off instead of failed: its conductor may be the next to take
// it up.
func (c *Conductor) notHere(ctx context.Context, ref magnum.DriverRef, err error) error {
	if driver.ClassOf(err) != driver.ClassNotFound {
		return err
	}
	all, unread := c.DB.Drivers(ctx)
	if unread != nil {
		return unread
	}
	for _, d := range all {
		if d.Name == ref.Name && d.Version == ref.Version {
			return driver.Errorf(driver.ClassUnavailable, "Driver %s %s is on another host than this conductor.", ref.Name, ref.Version)
		}
	}
	return err
}

func (c *Conductor) driverOfType(ctx context.Context, template *magnum.ClusterTemplate) (magnum.DriverRef, error) {
	all, err := c.DB.Drivers(ctx)
	if err != nil {
		return magnum.DriverRef{}, fmt.Errorf("list the drivers: %w", err)
	}
	kind := template.ClusterType()
	var best []magnum.DriverRef
	priority := 0
	for _, d := range all {
		if !d.Active || template.Driver != "" && template.Driver != d.Name {
			continue
		}
		for _, ct := range d.Description.ClusterTypes {
			if ct.ServerType != kind.ServerType || ct.OS != kind.OS || ct.COE != kind.COE {
				continue
			}
			if len(best) == 0 || ct.Priority > priority {
				best, priority = nil, ct.Priority
			}
			if ct.Priority == priority {
				best = append(best, magnum.DriverRef{Name: d.Name, Version: d.Version})
			}
		}
	}
	switch len(best) {
	case 0:
		return magnum.DriverRef{}, driver.Errorf(driver.ClassNotFound, "Cluster type (%s, %s, %s) not supported.", kind.ServerType, kind.OS, kind.COE)
	case 1:
		return best[0], nil
	}
	// The API refuses it too: whose stack it is must not be left to chance.
	return magnum.DriverRef{}, driver.Errorf(driver.ClassPrecondition, "Cluster type (%s, %s, %s) is supported by %s and by %s; ask an operator to give one of them priority.",
		kind.ServerType, kind.OS, kind.COE, best[0].Name, best[1].Name)
}
