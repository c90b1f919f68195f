package api

import (
	"cmp"
	"maps"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

// namePattern bounds a cluster's name: stacks and certificates carry it.
var namePattern = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_.-]*$`)

// defaultCreateTimeout is in minutes.
const defaultCreateTimeout = 60

// clusterBody is what a client may say of a cluster.
type clusterBody struct {
	uuid, name, template, keypair string
	nodes, masters                int
	volumeSize                    int
	labels                        magnum.Labels
	masterFlavor, flavor          string
	timeout                       int // minutes
	discoveryURL                  string
	network, subnet               string
	floatingIP, masterLB          *bool
	merge                         bool
	status, statusReason          string // sent by some clients; only a patch looks
	health                        string
	healthReason                  map[string]string
}

func newClusterBody() *clusterBody {
	return &clusterBody{nodes: 1, masters: 1, timeout: defaultCreateTimeout}
}

// clusterAttributes are the members of a cluster's body, in upstream's order.
func clusterAttributes(b *clusterBody, w *clusterWords) []attribute {
	return []attribute{
		uuidAttribute("uuid", &b.uuid),
		textAttribute("name", 1, 242, namePattern, func(s string) { b.name = s }),
		required(freeAttribute(w.template, func(s string) { b.template = s })),
		identAttribute("keypair", &b.keypair),
		intAttribute("node_count", w.leastNodes, maxInt, func(n int) { b.nodes = n }),
		intAttribute("master_count", 1, maxInt, func(n int) { b.masters = n }),
		intAttribute("docker_volume_size", 1, maxInt, func(n int) { b.volumeSize = n }),
		labelAttribute("labels", &b.labels),
		identAttribute("master_flavor_id", &b.masterFlavor),
		identAttribute("flavor_id", &b.flavor),
		intAttribute(w.timeout, 0, maxInt, func(n int) { b.timeout = n }),
		readOnly("links"),
		readOnly("stack_id"),
		readOnly("cluster_id"),
		enumAttribute("status", statuses, func(s string) { b.status = s }),
		freeAttribute("status_reason", func(s string) { b.statusReason = s }),
		enumAttribute("health_status", healthStatuses, func(s string) { b.health = s }),
		mapAttribute("health_status_reason", func(m map[string]string) { b.healthReason = m }),
		freeAttribute("discovery_url", func(s string) { b.discoveryURL = s }),
		readOnly("api_address"),
		readOnly("coe_version"),
		readOnly("container_version"),
		readOnly("project_id"),
		readOnly("user_id"),
		readOnly("node_addresses"),
		readOnly("master_addresses"),
		ignored(w.faults),
		identAttribute("fixed_network", &b.network),
		identAttribute("fixed_subnet", &b.subnet),
		boolAttribute("floating_ip_enabled", func(v bool) { b.floatingIP = &v }),
		boolAttribute("merge_labels", func(v bool) { b.merge = v }),
		ignored("labels_overridden"),
		ignored("labels_added"),
		ignored("labels_skipped"),
		boolAttribute("master_lb_enabled", func(v bool) { b.masterLB = &v }),
		stampAttribute("created_at"),
		stampAttribute("updated_at"),
	}
}

// ignored is what upstream shows and, by accident, takes.
func ignored(name string) attribute {
	return attribute{name: name, set: func(value) error { return nil }}
}

// statuses and healthStatuses are upstream's, whether or not we set them.
var (
	statuses = []string{
		"CREATE_IN_PROGRESS", "CREATE_FAILED", "CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_FAILED", "UPDATE_COMPLETE",
		"DELETE_IN_PROGRESS", "DELETE_FAILED", "DELETE_COMPLETE", "RESUME_COMPLETE", "RESUME_FAILED", "RESTORE_COMPLETE",
		"ROLLBACK_IN_PROGRESS", "ROLLBACK_FAILED", "ROLLBACK_COMPLETE", "SNAPSHOT_COMPLETE", "CHECK_COMPLETE", "ADOPT_COMPLETE",
	}
	healthStatuses = []string{"HEALTHY", "UNHEALTHY", "UNKNOWN"}
)

func (a *api) createCluster(rq *request) (*answer, error) {
	if _, err := rq.query(); err != nil {
		return nil, err
	}
	body, err := rq.content()
	if err != nil {
		return nil, err
	}
	b, w := newClusterBody(), rq.clusterWords()
	if err := decode(w.argument, body, w.attributes(b)); err != nil {
		return nil, err
	}
	t, err := a.templateOf(rq, b.template)
	if err != nil {
		return nil, err
	}
	drivers, err := a.drivers(rq.Context())
	if err != nil {
		return nil, err
	}
	d, err := drivers.ofTemplate(t)
	if err != nil {
		return nil, err
	}
	if err := checkVolumeSize(t.DockerStorageDriver, either(b.volumeSize, t.DockerVolumeSize)); err != nil {
		return nil, err
	}
	if err := checkMasters(d.Limits, b.masters); err != nil {
		return nil, err
	}
	if b.nodes == 0 {
		if err := zeroNodes(rq.version, d); err != nil {
			return nil, err
		}
	}
	if err := rq.enforce(rq); err != nil {
		return nil, err
	}
	limit := a.Options.Quotas.MaxClustersPerProject
	if err := a.DB.CheckQuota(rq.Context(), rq.creds.ProjectID, limit); err != nil {
		return nil, err
	}
	if t.Hidden && !t.Public && !rq.creds.IsAdmin {
		return nil, magnum.Errorf(magnum.Forbidden, "Not authorized.")
	}
	c := b.inherit(t)
	if rq.old && !sentNull(body, "labels") {
		c.Labels = b.labels // as upstream: only null inherits the baymodel's
	}
	if err := a.checkCluster(rq, c, t, d); err != nil {
		return nil, err
	}
	if b.masters > 1 && !c.MasterLBEnabled {
		return nil, errMastersWithoutLB
	}
	if c.Name == "" {
		c.Name = a.name(w.generated)
	}
	c.UUID, c.ProjectID, c.UserID = b.uuid, rq.creds.ProjectID, rq.creds.UserID
	c.Driver, c.Stackless = magnum.DriverRef{Name: d.Name, Version: d.Version}, d.Stackless()
	if c.NodeGroups, err = defaultGroups(c, t, b.masters, b.nodes); err != nil {
		return nil, err
	}
	op := a.operation(rq, magnum.OpCreate)
	if op.SealedToken, err = a.sealToken(rq.caller); err != nil {
		return nil, err
	}
	if err := a.DB.AcceptCreate(rq.Context(), c, op, limit); err != nil {
		return nil, rq.missingTemplate(err)
	}
	a.Notify()
	return rq.made(c), nil
}

// templateOf loads a new cluster's template. That there is none was 400 in the
// versions in which it was new, and is for bays.
func (a *api) templateOf(rq *request, ident string) (*magnum.ClusterTemplate, error) {
	scope, err := rq.scope("")
	if err != nil {
		return nil, err
	}
	t, err := a.DB.Template(rq.Context(), scope, ident)
	return t, rq.missingTemplate(err)
}

func (rq *request) missingTemplate(err error) error {
	if rq.version < 10 || rq.old {
		return notFoundIsInvalid(err)
	}
	return err
}

func either(n, other int) int {
	if n != 0 {
		return n
	}
	return other
}

// checkMasters applies the driver's limits.
func checkMasters(l driver.Limits, n int) error {
	switch {
	case l.OddMasters && n%2 == 0:
		return badRequest("master nodegroup size of %d is invalid, size cannot be an even number.", n)
	case n < l.MinMasters:
		return badRequest("master nodegroup size of %d is invalid, size must be at least %d.", n, l.MinMasters)
	case l.MaxMasters > 0 && n > l.MaxMasters:
		return badRequest("master nodegroup size of %d is invalid, size must be at most %d.", n, l.MaxMasters)
	}
	return nil
}

// zeroNodes refuses clusters without workers to old clients, and where the
// driver cannot have them.
func zeroNodes(v version, d *driver.Description) error {
	if err := v.zeroNodes(); err != nil {
		return err
	}
	if d != nil && !d.Has(driver.CapZeroNodes) {
		return noZeroNodes(d)
	}
	return nil
}

func noZeroNodes(d *driver.Description) error {
	return badRequest("Resizing a nodegroup to zero is not supported by driver %s.", d.Name)
}

// inherit makes a cluster of what was said and what the template says.
func (b *clusterBody) inherit(t *magnum.ClusterTemplate) *magnum.Cluster {
	c := &magnum.Cluster{
		Name:              b.name,
		ClusterTemplateID: t.UUID,
		Keypair:           cmp.Or(b.keypair, t.KeypairID),
		DockerVolumeSize:  either(b.volumeSize, t.DockerVolumeSize),
		Labels:            b.labels.Inherit(t.Labels, b.merge),
		FlavorID:          cmp.Or(b.flavor, t.FlavorID),
		MasterFlavorID:    cmp.Or(b.masterFlavor, t.MasterFlavorID),
		FixedNetwork:      cmp.Or(b.network, t.FixedNetwork),
		FixedSubnet:       cmp.Or(b.subnet, t.FixedSubnet),
		FloatingIPEnabled: t.FloatingIPEnabled,
		MasterLBEnabled:   t.MasterLBEnabled,
		CreateTimeout:     b.timeout,
		DiscoveryURL:      b.discoveryURL,
		Status:            magnum.CreateInProgress,
	}
	if b.floatingIP != nil {
		c.FloatingIPEnabled = *b.floatingIP
	}
	if b.masterLB != nil {
		c.MasterLBEnabled = *b.masterLB
	}
	return c
}

// checkCluster asks the cloud for what the cluster names, and the driver's
// description for its labels.
func (a *api) checkCluster(rq *request, c *magnum.Cluster, t *magnum.ClusterTemplate, d *driver.Description) error {
	found, err := a.checkResources(rq, t, c.FlavorID, c.MasterFlavorID)
	if err != nil {
		return err
	}
	if err := a.checkRootDisks(c.Labels, found.flavors...); err != nil {
		return err
	}
	if err := checkKnownLabels(c.Labels); err != nil {
		return err
	}
	if err := a.checkDriverLabels(d, c.Labels); err != nil {
		return err
	}
	if err := a.checkTrust(c, t, d); err != nil {
		return err
	}
	if c.Keypair == "" {
		return nil
	}
	return a.Lookup.Keypair(rq.Context(), rq.caller, c.Keypair)
}

// checkTrust refuses what could only fail on the nodes: to act for the cluster's
// user where the operator does not give them the trust.
func (a *api) checkTrust(c *magnum.Cluster, t *magnum.ClusterTemplate, d *driver.Description) error {
	if a.Options.Trust.ClusterUserTrust {
		return nil
	}
	for _, choice := range d.TrustFor {
		field, value, _ := strings.Cut(choice, "=")
		var chosen string
		label, isLabel := strings.CutPrefix(field, "labels/")
		switch {
		case isLabel:
			chosen = c.Labels[label]
			if yes, ok := magnum.ParseBool(chosen); ok {
				chosen = strconv.FormatBool(yes)
			}
		case field == "volume_driver":
			chosen = t.VolumeDriver
		case field == "registry_enabled":
			chosen = strconv.FormatBool(t.RegistryEnabled)
		}
		if chosen == value {
			return badRequest("With %s %s the cluster's nodes act for its user, which an operator has to allow by [trust] cluster_user_trust.", field, value)
		}
	}
	return nil
}

// defaultGroups are the two node groups every cluster has.
func defaultGroups(c *magnum.Cluster, t *magnum.ClusterTemplate, masters, workers int) ([]magnum.NodeGroup, error) {
	least := 0
	if text, ok := c.Labels["min_node_count"]; ok {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < 0 || n > maxInt {
			return nil, badRequest("property \"labels/min_node_count\" with value \"%s\" is not supported, expecting: integer, at least 0", text)
		}
		least = n
	}
	group := magnum.NodeGroup{
		ProjectID:        c.ProjectID,
		DockerVolumeSize: c.DockerVolumeSize,
		ImageID:          t.ImageID,
		MinNodeCount:     least,
		IsDefault:        true,
		Status:           magnum.CreateInProgress,
	}
	master, worker := group, group
	master.Name, master.Role, master.FlavorID, master.NodeCount = magnum.DefaultMaster, magnum.RoleMaster, c.MasterFlavorID, masters
	worker.Name, worker.Role, worker.FlavorID, worker.NodeCount = magnum.DefaultWorker, magnum.RoleWorker, c.FlavorID, workers
	master.Labels, worker.Labels = maps.Clone(c.Labels), maps.Clone(c.Labels)
	return []magnum.NodeGroup{master, worker}, nil
}
