package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

// clusterDialect is what a patch of a cluster may do, before it is asked
// whether anything but the changeable attributes changed.
var clusterDialect = dialect{
	internal: append(slices.Clone(internalAttributes),
		"api_address", "node_addresses", "master_addresses", "stack_id", "cluster_id",
		"ca_cert_ref", "magnum_cert_ref", "etcd_ca_cert_ref", "front_proxy_ca_cert_ref",
		"trust_id", "trustee_username", "trustee_password", "trustee_user_id"),
	permanent: []string{"cluster_template_id"},
	literals:  []string{"labels", "health_status_reason"},
}

// changeable are the only attributes that a patch may give other values.
var changeable = []string{"node_count", "health_status", "health_status_reason"}

// bodyOf is a stored cluster as a body would say it.
func bodyOf(c *magnum.Cluster) *clusterBody {
	return &clusterBody{
		uuid: c.UUID, name: c.Name, template: c.ClusterTemplateID, keypair: c.Keypair,
		nodes: c.NodeCount(), masters: c.MasterCount(), volumeSize: c.DockerVolumeSize, labels: c.Labels,
		masterFlavor: c.MasterFlavorID, flavor: c.FlavorID, timeout: c.CreateTimeout, discoveryURL: c.DiscoveryURL,
		network: c.FixedNetwork, subnet: c.FixedSubnet, floatingIP: &c.FloatingIPEnabled, masterLB: &c.MasterLBEnabled,
		status: string(c.Status), statusReason: c.StatusReason,
		health: string(c.HealthStatus), healthReason: c.HealthReason,
	}
}

// document is a cluster as a patch sees it.
func (b *clusterBody) document() *document {
	d := newDocument()
	d.addText("uuid", b.uuid)
	d.addText("name", b.name)
	d.addText("cluster_template_id", b.template)
	d.addText("keypair", b.keypair)
	d.addInt("node_count", b.nodes)
	d.addInt("master_count", b.masters)
	d.addNumber("docker_volume_size", b.volumeSize)
	d.addMap("labels", b.labels)
	d.addText("master_flavor_id", b.masterFlavor)
	d.addText("flavor_id", b.flavor)
	d.addInt("create_timeout", b.timeout)
	d.addText("status", b.status)
	d.addText("status_reason", b.statusReason)
	d.addText("health_status", b.health)
	d.addMap("health_status_reason", b.healthReason)
	d.addText("discovery_url", b.discoveryURL)
	d.addText("fixed_network", b.network)
	d.addText("fixed_subnet", b.subnet)
	for _, f := range []struct {
		name string
		flag *bool
	}{{"floating_ip_enabled", b.floatingIP}, {"master_lb_enabled", b.masterLB}} {
		if f.flag == nil {
			d.add(f.name, value{})
		} else {
			d.addBool(f.name, *f.flag)
		}
	}
	return d
}

// patched is what a patch makes of a cluster, if it may.
func (w *clusterWords) patched(c *magnum.Cluster, steps []operation) (*clusterBody, error) {
	stored := bodyOf(c)
	doc, err := w.dialect.apply(w.document(stored), steps)
	if err != nil {
		return nil, err
	}
	after := w.unpatched(stored)
	if err := doc.accept(w.attributes(after)); err != nil {
		return nil, err
	}
	changed := differing(stored.document(), after.document())
	changed = slices.DeleteFunc(changed, func(name string) bool { return slices.Contains(changeable, name) })
	if len(changed) > 0 {
		return nil, badRequest("cannot change cluster property(ies) %s.", strings.Join(changed, ", "))
	}
	return after, nil
}

func (a *api) updateCluster(rq *request) (*answer, error) {
	known := []string{}
	if rq.version >= 3 {
		known = append(known, "rollback")
	}
	values, err := rq.query(known...)
	if err != nil {
		return nil, err
	}
	words := rq.clusterWords()
	steps, err := readPatch(rq, words.dialect)
	if err != nil {
		return nil, err
	}
	c, err := a.cluster(rq, "cluster:update_all_projects")
	if err != nil {
		return nil, err
	}
	if err := rq.enforce(clusterTarget{rq, c}); err != nil {
		return nil, err
	}
	// Upstream asks this of every patch and for no object: whoever may speak
	// for themselves passes.
	if !rq.old {
		if err := rq.policy.Enforce(rq.Context(), "cluster:update_health_status", &rq.creds, rq); err != nil {
			return nil, err
		}
	}
	after, err := words.patched(c, steps)
	if err != nil {
		return nil, err
	}
	resizes := touches(steps, "node_count")
	if !resizes && !touches(steps, "health_status") && !touches(steps, "health_status_reason") {
		return rq.updated(c), nil // nothing to do
	}
	var op *magnum.Operation
	if resizes {
		d, err := a.driverOf(rq.Context(), c)
		if err != nil {
			return nil, err
		}
		if err := checkResizable(rq, d, after.nodes, nil); err != nil {
			return nil, err
		}
		if err := a.checkFlavors(rq, c.Labels, given(c.FlavorID, c.MasterFlavorID)...); err != nil {
			return nil, err
		}
		op = a.operation(rq, magnum.OpUpdate)
	}
	err = a.DB.Accept(rq.Context(), c.UUID, op, func(row *magnum.Cluster) error {
		c = row
		if err := gate(c, magnum.OpUpdate); err != nil {
			return err
		}
		after, err := words.patched(c, steps)
		if err != nil {
			return err
		}
		c.HealthStatus = magnum.HealthStatus(after.health)
		if !maps.Equal(c.HealthReason, after.healthReason) {
			c.HealthReason = after.healthReason
		}
		if !resizes {
			return nil
		}
		g, err := groupOrWorkers(c, "")
		if err != nil {
			return err
		}
		return resize(c, g, op, magnum.ResizeInput{NodeCount: after.nodes, Rollback: wantsRollback(values)})
	})
	if err != nil {
		return nil, err
	}
	if resizes {
		a.Notify()
	}
	return rq.updated(c), nil
}

func wantsRollback(values url.Values) bool {
	yes, _ := magnum.ParseBool(values.Get("rollback")) // checked with the query
	return yes
}

// gate refuses an operation in a status in which upstream's conductor drops it.
// For node groups upstream looks at the group's own status, which a new one
// does not have.
func gate(c *magnum.Cluster, kind magnum.OperationKind) error {
	if slices.Contains(kind.Allows(), c.Status) {
		return nil
	}
	what := "Updating a cluster when status is"
	switch kind {
	case magnum.OpResize:
		what = "Resizing a cluster when status is"
	case magnum.OpUpgrade:
		what = "Upgrading a cluster when status is"
	case magnum.OpRotateCredential: // upstream's own name for itself, by a slip
		what = "magnum.conductor.handlers.credential_conductor when cluster status is"
	case magnum.OpCreateNodeGroup:
		what = "Creating a nodegroup when cluster status is"
	case magnum.OpUpdateNodeGroup:
		what = "Updating a nodegroup when cluster status is"
	case magnum.OpDeleteNodeGroup:
		what = "Deleting a nodegroup when cluster status is"
	}
	return badRequest("%s \"%s\" is not supported.", what, c.Status)
}

// resize writes what is visible of a resize at once, and its input.
func resize(c *magnum.Cluster, g *magnum.NodeGroup, op *magnum.Operation, in magnum.ResizeInput) error {
	in.NodeGroup, in.Previous = g.Name, g.NodeCount
	text, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("resize cluster %s: %w", c.UUID, err)
	}
	op.Input = text
	g.NodeCount, g.Status, g.StatusReason = in.NodeCount, magnum.UpdateInProgress, ""
	c.Status, c.StatusReason = magnum.UpdateInProgress, ""
	return nil
}

// checkResizable asks the description of the cluster's driver whether it can
// do what is wanted. A driver that no conductor has any more is left to the
// operation, which says so.
func checkResizable(rq *request, d *driver.Description, nodes int, remove []string) error {
	if nodes == 0 {
		if err := zeroNodes(rq.version, d); err != nil {
			return err
		}
	}
	switch {
	case d == nil:
		return nil
	case !d.Has(driver.CapResize):
		return badRequest("Resizing a cluster is not supported by driver %s.", d.Name)
	case len(remove) > 0 && !d.Has(driver.CapRemoveNamedNodes):
		return badRequest("Removing nodes by name is not supported by driver %s.", d.Name)
	}
	return nil
}
