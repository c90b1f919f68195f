package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
)

func forgetCluster() *cobra.Command {
	return &cobra.Command{
		Use: "forget-cluster UUID", Short: "Remove the record of a cluster whose driver is gone for good", Args: cobra.ExactArgs(1),
		Long: "Remove the record of a cluster that was made without Heat by a driver that is not installed any more,\n" +
			"with its trust and its certificates. What the driver made for it stays: see to that yourself.\n\n" +
			"A conductor does the work; this command only asks for it.",
		RunE: func(c *cobra.Command, args []string) error {
			return withDB(func(ctx context.Context, c *cobra.Command, db *state.DB) error {
				if err := forget(ctx, db, args[0]); err != nil {
					return err
				}
				fmt.Fprintf(c.OutOrStdout(), "Cluster %s will be forgotten by the next conductor that is free\n", args[0])
				return nil
			})(c, args)
		},
	}
}

func forget(ctx context.Context, db *state.DB, uuid string) error {
	drivers, err := db.Drivers(ctx)
	if err != nil {
		return err
	}
	in, err := json.Marshal(magnum.DeleteInput{Forget: true})
	if err != nil {
		return err
	}
	op := &magnum.Operation{Kind: magnum.OpDelete, Input: in}
	return db.Accept(ctx, uuid, op, func(c *magnum.Cluster) error {
		if !c.Stackless {
			return fmt.Errorf("cluster %s is a stack of Heat, for whose removal no driver is needed: delete it", c.UUID)
		}
		for _, d := range drivers {
			if d.Name == c.Driver.Name && d.Version == c.Driver.Version {
				return fmt.Errorf("driver %s %s of cluster %s is installed and can remove it: delete it", d.Name, d.Version, c.UUID)
			}
		}
		c.Status = magnum.DeleteInProgress
		return nil
	})
}
