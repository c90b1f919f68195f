package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/go-magnum/magnum/cmd/internal/command"
	"github.com/go-magnum/magnum/cmd/internal/scaffold"
)

func newDriver() *cobra.Command {
	var d scaffold.Driver
	c := &cobra.Command{
		Use: "new --sdk SDK NAME [DIR]", Short: "Write the first files of a driver", Args: cobra.RangeArgs(1, 2),
		Long: "Write the first files of a driver: its definition, its Heat templates, tests and a Makefile.\n\n" +
			"They go to the folder DIR, NAME without it, which must be empty or not there. The driver can be built\n" +
			"and installed as it is; docs/drivers/tutorial.md goes on from there. NAME is what operators will see,\n" +
			"such as k8s_acme_v1.",
		Example: "  magnum-driver-manage new --sdk ~/magnum/sdk k8s_acme_v1",
		RunE: func(c *cobra.Command, args []string) error {
			d.Name, d.Dir = args[0], args[len(args)-1]
			if err := scaffold.Write(d); err != nil {
				return &command.ExitError{Code: command.ExitFailed, Err: fmt.Errorf("new driver: %w", err)}
			}
			fmt.Fprintf(c.OutOrStdout(), "driver %s is in %s: go there, and run make test\n", d.Name, d.Dir)
			return nil
		},
	}
	c.Flags().StringVar(&d.SDK, "sdk", "", "the `folder` sdk of a checkout of Magnum, which is not published as a module")
	_ = c.MarkFlagRequired("sdk")
	return c
}
