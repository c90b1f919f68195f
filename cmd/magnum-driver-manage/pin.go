package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/go-magnum/magnum/cmd/internal/command"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/plugins/store"
	"github.com/go-magnum/magnum/sdk/driver"
)

var (
	// errUnfit is for a version that cannot serve a cluster.
	errUnfit = errors.New("the version cannot serve the cluster")
	// errBusy is for a cluster whose driver cannot be changed just now.
	errBusy = errors.New("not now")
)

func pin() *cobra.Command {
	var force bool
	c := &cobra.Command{
		Use: "pin CLUSTER NAME@VERSION", Short: "Have a version of a driver serve a cluster from now on", Args: cobra.ExactArgs(2),
		Long: "Have a version of a driver serve a cluster from now on. Nothing in the cluster changes by that, but whatever is\n" +
			"done with it next is done by that version. CLUSTER is a name or a UUID, of any project.",
		RunE: func(c *cobra.Command, args []string) error {
			name, version, err := nameAndVersion(args[1])
			if err != nil {
				return err
			}
			return repin(c, args[0], magnum.DriverRef{Name: name, Version: version}, force)
		},
	}
	c.Flags().BoolVar(&force, "force", false, "also if the cluster has another driver, whose stack may have nothing in common with it")
	return c
}

func unpin() *cobra.Command {
	return &cobra.Command{
		Use: "unpin CLUSTER", Short: "Have the active version of its driver serve a cluster from now on", Args: cobra.ExactArgs(1),
		Long: "Have the active version of its driver serve a cluster from now on; as pin does.",
		RunE: func(c *cobra.Command, args []string) error {
			return repin(c, args[0], magnum.DriverRef{}, false)
		},
	}
}

// repin moves a cluster to a version, or to the active one of its driver. The
// store stays locked meanwhile, so that the version is not removed.
func repin(c *cobra.Command, ident string, to magnum.DriverRef, force bool) error {
	env, s, err := openEnv(c)
	if err != nil {
		return err
	}
	return withDatabase(c.Context(), env, func(ctx context.Context, db *state.DB) error {
		cluster, err := db.Cluster(ctx, state.Scope{All: true}, ident)
		if err != nil {
			return failed(notThere(err))
		}
		if to.Name == "" {
			if to.Name = cluster.Driver.Name; to.Name == "" {
				return failed(unfit("cluster %s has no driver on record: use pin with one", cluster.Name))
			}
		}
		template, err := db.Template(ctx, state.Scope{All: true}, cluster.ClusterTemplateID)
		if err != nil {
			return fmt.Errorf("look up the type of cluster %s: %w", cluster.Name, err)
		}
		err = s.Use(ctx, to.Name, to.Version, func(p store.Package) error {
			if err := s.Verify(p); err != nil {
				return err
			}
			if err := env.Config.Drivers.Gate(p.Name, p.Description.Maturity == driver.MaturityBeta); err != nil {
				return unfit("%w", err)
			}
			to.Version = p.Version
			err := db.Repin(ctx, cluster.UUID, to, func(now *magnum.Cluster) error {
				if now.Driver.Name != "" && now.Driver.Name != to.Name && !force {
					return unfit("cluster %s has driver %s, not %s: --force if this is meant", now.Name, now.Driver.Name, to.Name)
				}
				return fits(p.Description, now, template)
			})
			if magnum.KindOf(err) == magnum.Conflict {
				return fmt.Errorf("%w: %w", errBusy, err)
			}
			return err
		})
		if err != nil {
			return failed(notThere(err))
		}
		before := "none"
		if cluster.Driver.Name != "" {
			before = cluster.Driver.Name + " " + cluster.Driver.Version
		}
		fmt.Fprintf(c.OutOrStdout(), "cluster %s (%s) is pinned to %s %s, before to %s\n",
			cluster.Name, cluster.UUID, to.Name, to.Version, before)
		return nil
	})
}

// fits refuses a driver that has not what the cluster is, and has, by now.
func fits(d driver.Description, c *magnum.Cluster, t *magnum.ClusterTemplate) error {
	kind := t.ClusterType()
	serves := slices.ContainsFunc(d.ClusterTypes, func(have driver.ClusterType) bool {
		return have.ServerType == kind.ServerType && have.OS == kind.OS && have.COE == kind.COE
	})
	if !serves {
		return unfit("driver %s %s does not serve clusters of type (%s, %s, %s), as cluster %s is",
			d.Name, d.Version, kind.ServerType, cmp.Or(kind.OS, "None"), kind.COE, c.Name)
	}
	if c.StackID != "" && !slices.Contains(d.Services, driver.ServiceTemplates) {
		return unfit("driver %s %s does not work with Heat stacks, of which cluster %s has one", d.Name, d.Version, c.Name)
	}
	masters := c.MasterCount()
	if l := d.Limits; masters < l.MinMasters || l.MaxMasters > 0 && masters > l.MaxMasters || l.OddMasters && masters%2 == 0 {
		return unfit("driver %s %s does not allow %d masters, as cluster %s has", d.Name, d.Version, masters, c.Name)
	}
	for _, g := range c.NodeGroups {
		for _, need := range []struct {
			capability driver.Capability
			why        string
			is         bool
		}{
			{driver.CapNodeGroups, "is not one of the two default ones", !g.IsDefault},
			{driver.CapNodeLabels, "has node labels or taints", len(g.NodeLabels)+len(g.NodeTaints) > 0},
			{driver.CapZeroNodes, "has no nodes", g.NodeCount == 0},
		} {
			if need.is && !d.Has(need.capability) {
				return unfit("driver %s %s lacks %s, but node group %s of cluster %s %s",
					d.Name, d.Version, need.capability, g.Name, c.Name, need.why)
			}
		}
	}
	return nil
}

func unfit(format string, args ...any) error {
	return fmt.Errorf("%w: %w", errUnfit, fmt.Errorf(format, args...))
}

// notThere gives the exit code for what is not there to a cluster that is not.
func notThere(err error) error {
	if magnum.KindOf(err) == magnum.NotFound {
		return &command.ExitError{Code: exitNotFound, Err: err}
	}
	return err
}
