// Command magnum-db-manage looks after the database's schema.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-magnum/magnum/cmd/internal/command"
	"github.com/go-magnum/magnum/core/state"
)

func main() {
	c := command.New("magnum-db-manage", "Look after the database's schema",
		"The database is the one of [database] connection.")
	c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	c.AddCommand(
		&cobra.Command{
			Use: "upgrade", Short: "Bring the schema to this release's version", Args: cobra.NoArgs,
			RunE: withDB(func(ctx context.Context, c *cobra.Command, db *state.DB) error {
				from, to, err := db.Upgrade(ctx)
				if err != nil {
					return err
				}
				if from == to {
					fmt.Fprintf(c.OutOrStdout(), "Current DB revision is %d, nothing to do\n", to)
					return nil
				}
				fmt.Fprintf(c.OutOrStdout(), "Upgraded DB revision from %d to %d\n", from, to)
				return nil
			}),
		},
		&cobra.Command{
			Use: "version", Short: "Print the schema's version", Args: cobra.NoArgs,
			RunE: withDB(func(ctx context.Context, c *cobra.Command, db *state.DB) error {
				v, err := db.Version(ctx)
				if err != nil {
					return err
				}
				fmt.Fprintf(c.OutOrStdout(), "Current DB revision is %d\n", v)
				return nil
			}),
		},
		forgetCluster(),
	)
	command.Main(c)
}

func withDB(run func(context.Context, *cobra.Command, *state.DB) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, _ []string) error {
		env, err := command.Load(c)
		if err != nil {
			return err
		}
		db, err := state.Open(c.Context(), state.Config{
			Connection: env.Config.Database.Connection.Reveal(), SilentAfter: time.Duration(env.Config.Default.ServiceDownTime) * time.Second,
		})
		if err != nil {
			return err
		}
		defer db.Close()
		return run(c.Context(), c, db)
	}
}
