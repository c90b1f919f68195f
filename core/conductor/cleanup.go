package conductor

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/loadbalancer/v2/loadbalancers"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/extensions/layer3/floatingips"

	"github.com/go-magnum/magnum/core/config"
	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

// clean removes what a driver's rule selects in the cluster's project, with
// the service's own rights, and comes back until it is gone.
func (c *Conductor) clean(ctx context.Context, t *task, rule driver.Cleanup) error {
	pattern, err := descriptions(t, rule)
	if err != nil {
		return err
	}
	p, err := c.Keystone.ServiceSession(ctx)
	if err != nil {
		return err
	}
	var left int
	var what string
	switch rule.Kind {
	case driver.CleanupLoadBalancer:
		what = "load balancers"
		left, err = c.cleanBalancers(ctx, t, p, rule, pattern)
	case driver.CleanupFloatingIP:
		what = "floating IPs"
		err = c.cleanFloatingIPs(ctx, t, p, pattern)
	default:
		return driver.Errorf(driver.ClassUnsupported, "The driver wants resources of kind %s removed, which this service does not know.", rule.Kind)
	}
	if err == nil && left > 0 {
		err = magnum.Errorf(magnum.Unavailable, "%d %s of the cluster are still there", left, what)
	}
	return err
}

// descriptions compiles a rule. One that does not name the cluster would reach
// into others.
func descriptions(t *task, rule driver.Cleanup) (*regexp.Regexp, error) {
	if !strings.Contains(rule.DescriptionPattern, t.cluster.UUID) {
		return nil, driver.Errorf(driver.ClassPrecondition, "Failed to pre-delete resources for cluster %s, error: "+
			"the driver's pattern does not name the cluster.", t.cluster.UUID)
	}
	re, err := regexp.Compile(`\A(?:` + rule.DescriptionPattern + `)\z`)
	if err != nil {
		return nil, driver.Errorf(driver.ClassPrecondition, "Failed to pre-delete resources for cluster %s, error: "+
			"the driver's pattern is no regular expression.", t.cluster.UUID)
	}
	return re, nil
}

func options(c config.Client) gophercloud.EndpointOpts {
	return gophercloud.EndpointOpts{Region: c.RegionName, Availability: gophercloud.Availability(keystone.Interface(c.EndpointType))}
}

func (c *Conductor) cleanBalancers(ctx context.Context, t *task, p *gophercloud.ProviderClient, rule driver.Cleanup, pattern *regexp.Regexp) (int, error) {
	client, err := openstack.NewLoadBalancerV2(p, options(c.Options.OctaviaClient))
	if err != nil {
		return 0, nil //nolint:nilerr // a cloud without Octavia has no load balancers of it
	}
	pages, err := loadbalancers.List(client, loadbalancers.ListOpts{ProjectID: t.cluster.ProjectID}).AllPages(ctx)
	if err != nil {
		return 0, asking("Octavia", err)
	}
	all, err := loadbalancers.ExtractLoadBalancers(pages)
	if err != nil {
		return 0, asking("Octavia", err)
	}
	left := 0
	for _, lb := range all {
		if lb.ProjectID != t.cluster.ProjectID || !pattern.MatchString(lb.Description) || lb.ProvisioningStatus == "DELETED" {
			continue
		}
		left++
		// One that is busy cannot be deleted now; the next round will do.
		if strings.HasPrefix(lb.ProvisioningStatus, "PENDING_") {
			continue
		}
		t.log.Info("deleting a load balancer of the cluster", "load_balancer", lb.ID)
		err := loadbalancers.Delete(ctx, client, lb.ID, loadbalancers.DeleteOpts{Cascade: rule.Cascade}).ExtractErr()
		if err != nil && !gone(err) {
			return left, preDeleteFailed(t, "Octavia", err)
		}
	}
	return left, nil
}

// cleanFloatingIPs is done when it returns: their removal is, when it is
// answered.
func (c *Conductor) cleanFloatingIPs(ctx context.Context, t *task, p *gophercloud.ProviderClient, pattern *regexp.Regexp) error {
	client, err := openstack.NewNetworkV2(p, options(c.Options.NeutronClient))
	if err != nil {
		return nil //nolint:nilerr // a cloud without Neutron has no floating IPs
	}
	pages, err := floatingips.List(client, floatingips.ListOpts{ProjectID: t.cluster.ProjectID}).AllPages(ctx)
	if err != nil {
		return asking("Neutron", err)
	}
	all, err := floatingips.ExtractFloatingIPs(pages)
	if err != nil {
		return asking("Neutron", err)
	}
	for _, ip := range all {
		if ip.ProjectID != t.cluster.ProjectID || !pattern.MatchString(ip.Description) {
			continue
		}
		t.log.Info("deleting a floating IP of the cluster", "floating_ip", ip.ID)
		if err := floatingips.Delete(ctx, client, ip.ID).ExtractErr(); err != nil && !gone(err) {
			return preDeleteFailed(t, "Neutron", err)
		}
	}
	return nil
}

func gone(err error) bool { return gophercloud.ResponseCodeIs(err, http.StatusNotFound) }

// preDeleteFailed tells what time mends, as a conflict with work under way,
// from what it does not.
func preDeleteFailed(t *task, service string, err error) error {
	if gophercloud.ResponseCodeIs(err, http.StatusForbidden) || gophercloud.ResponseCodeIs(err, http.StatusBadRequest) {
		return &magnum.Error{Kind: magnum.Invalid, Message: fmt.Sprintf("Failed to pre-delete resources for cluster %s, error: %s refused.", t.cluster.UUID, service), Cause: redacted(err)}
	}
	return asking(service, err)
}
