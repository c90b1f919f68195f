package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/containerinfra/v1/clusters"
	"github.com/gophercloud/gophercloud/v2/openstack/containerinfra/v1/clustertemplates"
	"github.com/spf13/cobra"
)

// demo walks a cluster through its life, as a user would, over HTTP.
func demo(o *options) *cobra.Command {
	c := &cobra.Command{
		Use: "demo", Short: "Create, scale and delete a cluster on the embedded cloud, and exit", Args: cobra.NoArgs,
	}
	c.RunE = func(c *cobra.Command, _ []string) (err error) {
		if !c.Flags().Changed("listen") {
			o.listen = "127.0.0.1:0"
		}
		dir, remove, err := folder(o.dir)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, remove()) }()
		o.dir = dir
		log, err := os.OpenFile(filepath.Join(dir, "magnum.log"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		defer log.Close()
		return run(c.Context(), o, nil, log, func(ctx context.Context, d *dev) error {
			return newTour(c.OutOrStdout(), d).walk(ctx)
		})
	}
	return c
}

// patience is how long one step of the tour may take.
const patience = 2 * time.Minute

type tour struct {
	out     io.Writer
	dev     *dev
	started time.Time
	magnum  *gophercloud.ServiceClient
}

func newTour(out io.Writer, d *dev) *tour {
	return &tour{out: out, dev: d, started: time.Now()}
}

func (t *tour) say(format string, args ...any) {
	fmt.Fprintf(t.out, "%6.1fs  %s\n", time.Since(t.started).Seconds(), fmt.Sprintf(format, args...))
}

func (t *tour) walk(ctx context.Context) error {
	if err := t.login(ctx); err != nil {
		return err
	}
	template, err := clustertemplates.Create(ctx, t.magnum, clustertemplates.CreateOpts{
		Name: "demo", COE: "kubernetes", ImageID: "fedora-atomic-latest",
		ExternalNetworkID: "public", FlavorID: "m1.small", MasterFlavorID: "m1.small",
		KeyPairID: "testkey", NetworkDriver: "flannel",
	}).Extract()
	if err != nil {
		return fmt.Errorf("create the cluster template: %w", err)
	}
	t.say("cluster template %s created", template.Name)

	id, err := clusters.Create(ctx, t.magnum, clusters.CreateOpts{
		Name: "demo", ClusterTemplateID: template.UUID, MasterCount: ptr(1), NodeCount: ptr(2),
	}).Extract()
	if err != nil {
		return fmt.Errorf("create the cluster: %w", err)
	}
	t.say("cluster demo (%s) accepted: 1 master, 2 workers", id)
	cluster, err := t.follow(ctx, id, "CREATE_COMPLETE")
	if err != nil {
		return err
	}
	t.say("the Kubernetes API is at %s", cluster.APIAddress)
	path := filepath.Join(t.dev.dir, "kubeconfig")
	if err := t.kubeconfig(ctx, cluster, path); err != nil {
		return err
	}
	t.say("kubeconfig written to %s; its certificate verifies against the cluster's CA", path)

	for _, n := range []int{3, 1} {
		if _, err := clusters.Resize(ctx, t.magnum, id, clusters.ResizeOpts{NodeCount: ptr(n)}).Extract(); err != nil {
			return fmt.Errorf("resize the cluster to %d workers: %w", n, err)
		}
		t.say("resize to %d workers accepted", n)
		cluster, err := t.follow(ctx, id, "UPDATE_COMPLETE")
		if err != nil {
			return err
		}
		if len(cluster.NodeAddresses) != n {
			return fmt.Errorf("the cluster has nodes %v after a resize to %d", cluster.NodeAddresses, n)
		}
		t.say("workers: %v", cluster.NodeAddresses)
	}

	if err := clusters.Delete(ctx, t.magnum, id).ExtractErr(); err != nil {
		return fmt.Errorf("delete the cluster: %w", err)
	}
	t.say("delete accepted")
	if err := t.gone(ctx, id); err != nil {
		return err
	}
	if err := clustertemplates.Delete(ctx, t.magnum, template.UUID).ExtractErr(); err != nil {
		return fmt.Errorf("delete the cluster template: %w", err)
	}
	t.say("cluster and template are gone")
	return nil
}

func (t *tour) login(ctx context.Context) error {
	rc := t.dev.cloud.OpenRC("demo")
	provider, err := openstack.AuthenticatedClient(ctx, gophercloud.AuthOptions{
		IdentityEndpoint: rc["OS_AUTH_URL"], Username: rc["OS_USERNAME"], Password: rc["OS_PASSWORD"],
		TenantName: rc["OS_PROJECT_NAME"], DomainName: rc["OS_USER_DOMAIN_NAME"],
	})
	if err != nil {
		return fmt.Errorf("log in to the embedded cloud: %w", err)
	}
	t.magnum, err = openstack.NewContainerInfraV1(provider, gophercloud.EndpointOpts{Region: rc["OS_REGION_NAME"]})
	if err != nil {
		return fmt.Errorf("find the service in the catalogue: %w", err)
	}
	t.magnum.Microversion = "1.7"
	t.say("logged in as demo at %s", rc["OS_AUTH_URL"])
	return nil
}

// follow prints each change until the cluster is as wanted.
func (t *tour) follow(ctx context.Context, id, want string) (*clusters.Cluster, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	seen := ""
	for {
		c, err := clusters.Get(ctx, t.magnum, id).Extract()
		if err != nil {
			return nil, fmt.Errorf("follow the cluster: %w", err)
		}
		if now := c.Status + "  " + c.StatusReason; now != seen {
			t.say("%s", now)
			seen = now
		}
		switch c.Status {
		case want:
			return c, nil
		case "CREATE_FAILED", "UPDATE_FAILED", "DELETE_FAILED":
			return nil, fmt.Errorf("the cluster is %s: %s", c.Status, c.StatusReason)
		}
		if err := pause(ctx); err != nil {
			return nil, fmt.Errorf("wait for %s, now %s: %w", want, seen, err)
		}
	}
}

func (t *tour) gone(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		c, err := clusters.Get(ctx, t.magnum, id).Extract()
		switch {
		case gophercloud.ResponseCodeIs(err, http.StatusNotFound):
			return nil
		case err != nil:
			return fmt.Errorf("follow the deletion: %w", err)
		case c.Status == "DELETE_FAILED":
			return fmt.Errorf("the cluster is %s: %s", c.Status, c.StatusReason)
		}
		if err := pause(ctx); err != nil {
			return fmt.Errorf("wait for the deletion: %w", err)
		}
	}
}

func pause(ctx context.Context) error {
	t := time.NewTimer(200 * time.Millisecond)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func ptr[T any](v T) *T { return &v }
