package api

import (
	"net/http"
	"slices"

	"github.com/go-magnum/magnum/core/magnum"
)

// clusterWords are the names by which clusters go.
type clusterWords struct {
	old                       bool
	argument, collection      string
	template, timeout, faults string // the attributes that have two names
	leastNodes                int
	generated                 string // how made up names end
	dialect                   dialect
}

var clusterNames = clusterWords{
	argument: "cluster", collection: "clusters", template: "cluster_template_id", timeout: "create_timeout", faults: "faults",
	generated: "cluster", dialect: clusterDialect,
}

var bayNames = clusterWords{
	old: true, argument: "bay", collection: "bays", template: "baymodel_id", timeout: "bay_create_timeout", faults: "bay_faults",
	leastNodes: 1, generated: "bay",
	dialect: dialect{internal: clusterDialect.internal, permanent: []string{"baymodel_id"}, literals: []string{"labels"}},
}

func (rq *request) clusterWords() *clusterWords {
	if rq.old {
		return &bayNames
	}
	return &clusterNames
}

// bayless are a cluster's attributes that bays never got.
var bayless = []string{
	"keypair", "health_status", "health_status_reason", "project_id", "user_id", "merge_labels",
	"labels_overridden", "labels_added", "labels_skipped", "cluster_id",
}

// attributes are the members of a body, in upstream's order.
func (w *clusterWords) attributes(b *clusterBody) []attribute {
	all := clusterAttributes(b, w)
	if w.old {
		all = slices.DeleteFunc(all, func(a attribute) bool { return slices.Contains(bayless, a.name) })
	}
	return all
}

// document is a cluster as a patch in these words sees it.
func (w *clusterWords) document(b *clusterBody) value {
	doc := b.document().value
	if !w.old {
		return doc
	}
	doc.members = slices.DeleteFunc(doc.members, func(m member) bool { return slices.Contains(bayless, m.name) })
	doc.member(clusterNames.template).name = w.template
	doc.member(clusterNames.timeout).name = w.timeout
	return doc
}

// unpatched is where a patch starts from. What bays do not know stays as it is.
func (w *clusterWords) unpatched(stored *clusterBody) *clusterBody {
	b := newClusterBody()
	if w.old {
		b.keypair, b.health, b.healthReason = stored.keypair, stored.health, stored.healthReason
	}
	return b
}

// made answers a create. At 1.1 a bay was made while the client waited; the
// answer is the bay still, but as it is when its row is there: no handler waits
// for the cloud.
func (rq *request) made(c *magnum.Cluster) *answer {
	if !rq.old || rq.version > 1 {
		return accepted(c.UUID)
	}
	ans := rq.bay(http.StatusCreated, c)
	ans.location = rq.base + "/v1/bays/" + c.UUID
	return ans
}

// updated answers a patch, at 1.1 of a bay with the bay.
func (rq *request) updated(c *magnum.Cluster) *answer {
	if !rq.old || rq.version > 1 {
		return accepted(c.UUID)
	}
	return rq.bay(http.StatusOK, c)
}

func (rq *request) bay(status int, c *magnum.Cluster) *answer {
	var e encoder
	e.bay(rq.base, c, true)
	return &answer{status: status, body: e.b}
}

func (e *encoder) bayItem(base string, c *magnum.Cluster) {
	e.open('{')
	e.bayCommon(base, c)
	e.close('}')
}

func (e *encoder) bayCommon(base string, c *magnum.Cluster) {
	e.str("uuid", c.UUID)
	e.text("name", c.Name)
	e.text("baymodel_id", c.ClusterTemplateID)
	e.int("node_count", c.NodeCount())
	e.int("master_count", c.MasterCount())
	e.number("docker_volume_size", c.DockerVolumeSize)
	e.labels("labels", c.Labels)
	e.text("master_flavor_id", c.MasterFlavorID)
	e.text("flavor_id", c.FlavorID)
	e.int("bay_create_timeout", c.CreateTimeout)
	e.links(base, "bays", c.UUID)
	e.text("stack_id", c.StackID)
	e.text("status", string(c.Status))
	e.bool("floating_ip_enabled", c.FloatingIPEnabled)
}

// bay writes a bay with everything. alone says that it is the only one, and so
// has faults.
func (e *encoder) bay(base string, c *magnum.Cluster, alone bool) {
	e.open('{')
	e.bayCommon(base, c)
	e.text("status_reason", c.StatusReason)
	e.reached(c)
	e.nodes(c)
	if alone && c.Status.Failed() {
		e.faults("bay_faults", c)
	}
	e.text("fixed_network", c.FixedNetwork)
	e.text("fixed_subnet", c.FixedSubnet)
	e.bool("master_lb_enabled", c.MasterLBEnabled)
	e.time("created_at", c.CreatedAt)
	e.time("updated_at", c.UpdatedAt)
	e.close('}')
}
