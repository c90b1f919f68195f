package api

import (
	"maps"
	"net/http"

	"github.com/go-magnum/magnum/core/magnum"
)

// clusterItem writes a cluster as it stands in a list.
func (e *encoder) clusterItem(rq *request, c *magnum.Cluster) {
	e.open('{')
	e.clusterCommon(rq.version, c)
	e.links(rq.base, "clusters", c.UUID)
	e.close('}')
}

func (e *encoder) clusterCommon(v version, c *magnum.Cluster) {
	e.str("uuid", c.UUID)
	e.text("name", c.Name)
	e.text("cluster_template_id", c.ClusterTemplateID)
	e.text("keypair", c.Keypair)
	e.int("node_count", c.NodeCount())
	e.int("master_count", c.MasterCount())
	e.number("docker_volume_size", c.DockerVolumeSize)
	e.labels("labels", c.Labels)
	e.text("master_flavor_id", c.MasterFlavorID)
	e.text("flavor_id", c.FlavorID)
	e.int("create_timeout", c.CreateTimeout)
	e.text(v.clusterID(), c.StackID)
	e.text("status", string(c.Status))
	e.text("health_status", string(c.HealthStatus))
	e.bool("merge_labels", false) // an input only, but upstream shows it
}

// cluster writes a cluster with everything. parent are its template's labels;
// alone says that it is the only one, and so has faults.
func (e *encoder) cluster(rq *request, c *magnum.Cluster, parent magnum.Labels, alone bool) {
	e.open('{')
	e.clusterCommon(rq.version, c)
	e.links(rq.base, "clusters", c.UUID)
	e.text("status_reason", c.StatusReason)
	e.stringMap("health_status_reason", c.HealthReason)
	e.reached(c)
	e.text("project_id", c.ProjectID)
	e.text("user_id", c.UserID)
	e.nodes(c)
	if alone && c.Status.Failed() {
		e.faults("faults", c)
	}
	e.text("fixed_network", c.FixedNetwork)
	e.text("fixed_subnet", c.FixedSubnet)
	e.bool("floating_ip_enabled", c.FloatingIPEnabled)
	e.bool("master_lb_enabled", c.MasterLBEnabled)
	e.differences(c.Labels, parent)
	e.time("created_at", c.CreatedAt)
	e.time("updated_at", c.UpdatedAt)
	e.close('}')
}

// reached writes where the cluster's own API is, and what it runs.
func (e *encoder) reached(c *magnum.Cluster) {
	e.text("discovery_url", c.DiscoveryURL)
	e.text("api_address", c.APIAddress)
	e.text("coe_version", c.COEVersion)
	e.text("container_version", c.ContainerVersion)
}

func (e *encoder) nodes(c *magnum.Cluster) {
	e.addresses("node_addresses", c, false)
	e.addresses("master_addresses", c, true)
}

// addresses writes the addresses of all groups of a kind one after the other.
func (e *encoder) addresses(name string, c *magnum.Cluster, master bool) {
	e.key(name)
	e.open('[')
	for i := range c.NodeGroups {
		if g := &c.NodeGroups[i]; g.IsMaster() == master {
			for _, s := range g.NodeAddresses {
				e.separate()
				e.b = appendString(e.b, s)
			}
		}
	}
	e.close(']')
}

// faults names the resources that made the last operation's stack fail, and the
// node groups with stacks of their own that failed.
func (e *encoder) faults(name string, c *magnum.Cluster) {
	all := map[string]string{}
	maps.Copy(all, c.Faults)
	for i := range c.NodeGroups {
		if g := &c.NodeGroups[i]; !g.IsDefault && g.Status.Failed() && g.StatusReason != "" {
			all[g.Name] = g.StatusReason
		}
	}
	e.stringMap(name, all)
}

// differences writes the three maps that compare labels with the template's.
func (e *encoder) differences(child, parent magnum.Labels) {
	if sameLabels(child, parent) { // nearly always, and then nothing is to be made
		e.stringMap("labels_overridden", nil)
		e.stringMap("labels_added", nil)
		e.stringMap("labels_skipped", nil)
		return
	}
	overridden, added, skipped := child.Differ(parent)
	e.stringMap("labels_overridden", overridden)
	e.stringMap("labels_added", added)
	e.stringMap("labels_skipped", skipped)
}

func sameLabels(x, y magnum.Labels) bool {
	if len(x) != len(y) {
		return false
	}
	for k, v := range x {
		if w, ok := y[k]; !ok || v != w {
			return false
		}
	}
	return true
}

// accepted is the answer to what happens later.
func accepted(uuid string) *answer {
	var e encoder
	e.open('{')
	e.str("uuid", uuid)
	e.close('}')
	return &answer{status: http.StatusAccepted, body: e.b}
}
