package api

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

// upgradeBody is what a client may say of an upgrade.
type upgradeBody struct {
	batch           int
	group, template string
	given           bool // the template, if only as null
}

func readUpgrade(rq *request) (*upgradeBody, error) {
	if _, err := rq.query(); err != nil {
		return nil, err
	}
	body, err := rq.content()
	if err != nil {
		return nil, err
	}
	b := &upgradeBody{batch: 1}
	err = decode("cluster_upgrade_req", body, []attribute{
		intAttribute("max_batch_size", 1, maxInt, func(n int) { b.batch = n }),
		identAttribute("nodegroup", &b.group),
		identAttribute("cluster_template", &b.template),
	})
	if err != nil {
		return nil, err
	}
	v, err := parseJSON(body)
	if err != nil {
		return nil, err
	}
	if len(v.members) == 0 { // to upstream's framework that is no body
		return nil, badRequest(`Missing argument: "cluster_upgrade_req"`)
	}
	b.given = v.member("cluster_template") != nil
	return b, nil
}

func (a *api) upgradeCluster(rq *request) (*answer, error) {
	b, err := readUpgrade(rq)
	if err != nil {
		return nil, err
	}
	if rq.version < 8 {
		return nil, badRequest("Cluster upgrade is not supported in the provided microversion.")
	}
	c, err := a.cluster(rq, "cluster:upgrade_all_projects")
	if err != nil {
		return nil, err
	}
	if err := rq.enforce(clusterTarget{rq, c}); err != nil {
		return nil, err
	}
	u := upgrade{}
	if u.to, err = a.templateToUpgrade(rq, b); err != nil {
		return nil, err
	}
	if u.from, err = a.templateOfCluster(rq.Context(), c); err != nil {
		return nil, err
	}
	if u.driver, err = a.driverOf(rq.Context(), c); err != nil {
		return nil, err
	}
	op := a.operation(rq, magnum.OpUpgrade)
	err = a.DB.Accept(rq.Context(), c.UUID, op, func(c *magnum.Cluster) error {
		g, err := groupOrWorkers(c, b.group)
		if err != nil {
			return err
		}
		if err := u.check(c, g); err != nil {
			return err
		}
		op.Input, err = json.Marshal(magnum.UpgradeInput{NodeGroup: g.Name, ClusterTemplate: u.to.UUID, MaxBatchSize: b.batch})
		if err != nil {
			return fmt.Errorf("upgrade cluster %s: %w", c.UUID, err)
		}
		g.Status, g.StatusReason = magnum.UpdateInProgress, ""
		c.Status, c.StatusReason = magnum.UpdateInProgress, ""
		return nil
	})
	if err != nil {
		return nil, err
	}
	a.Notify()
	return accepted(c.UUID), nil
}

// templateToUpgrade is the template that the body names, as far as the caller
// may use it.
func (a *api) templateToUpgrade(rq *request, b *upgradeBody) (*magnum.ClusterTemplate, error) {
	if !b.given {
		return nil, invalid("cluster_template", "None", "Mandatory field missing.")
	}
	scope, err := rq.scope("")
	if err != nil {
		return nil, err
	}
	return a.DB.Template(rq.Context(), scope, cmp.Or(b.template, "None"))
}

// upgrade is the way of a cluster from one template to another.
type upgrade struct {
	from, to *magnum.ClusterTemplate
	driver   *driver.Description // nil: no conductor has it any more
}

// check refuses what upstream's API, conductor and drivers refuse, in this
// order.
func (u *upgrade) check(c *magnum.Cluster, g *magnum.NodeGroup) error {
	if !g.IsDefault && u.to.UUID != c.ClusterTemplateID {
		return unfit("Nodegroup %s can be upgraded only to match cluster's template (%s).", g.Name, cmp.Or(u.from.Name, "None"))
	}
	if err := gate(c, magnum.OpUpgrade); err != nil {
		return err
	}
	if u.driver != nil && !u.driver.Has(driver.CapUpgrade) {
		return badRequest("Upgrading a cluster is not supported by driver %s.", u.driver.Name)
	}
	if from, to := u.from.ClusterType(), u.to.ClusterType(); from != to {
		return unfit("Cluster template %s is of another type (%s, %s, %s) than the cluster (%s, %s, %s)", u.shown(),
			to.ServerType, cmp.Or(to.OS, "None"), to.COE, from.ServerType, cmp.Or(from.OS, "None"), from.COE)
	}
	if u.driver == nil || len(u.driver.UpgradeLabels) == 0 {
		return nil
	}
	labels := u.driver.UpgradeLabels
	if !slices.ContainsFunc(labels, func(name string) bool { _, ok := u.to.Labels[name]; return ok }) {
		return unfit("Cluster template %s does not contain any supported upgrade labels: [%s]", u.shown(), strings.Join(labels, ", "))
	}
	for _, name := range labels {
		if older(u.to.Labels[name], g.Labels[name]) {
			return badRequest("Received invalid tag for %s.", name)
		}
	}
	return nil
}

func (u *upgrade) shown() string { return cmp.Or(u.to.Name, "None") }

func unfit(format string, args ...any) error {
	return magnum.Errorf(magnum.Conflict, "Cluster Template is not valid for upgrade: "+format, args...)
}

// older reports whether one version comes before another. What is no version,
// such as a commit, comes before nothing.
func older(one, other string) bool {
	x, err := semver.NewVersion(one)
	if err != nil {
		return false
	}
	y, err := semver.NewVersion(other)
	return err == nil && x.LessThan(y)
}
