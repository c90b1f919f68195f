package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/go-magnum/magnum/cmd/internal/command"
	"github.com/go-magnum/magnum/cmd/internal/conform"
	"github.com/go-magnum/magnum/cmd/internal/table"
)

// lintRules are those about what a driver says of itself and what it renders,
// as opposed to how its process behaves.
func lintRules() []string {
	return []string{
		"DRV-012", "DRV-013", "DRV-014", "DRV-015", "DRV-032",
		"DRV-036", "DRV-037", "DRV-038", "DRV-039", "DRV-040", "DRV-041", "DRV-042", "DRV-043", "DRV-044",
	}
}

func lint() *cobra.Command {
	c := &cobra.Command{
		Use: "lint BINARY|PACKAGE|SOURCES", Short: "List all faults of a driver's description, labels and templates", Args: cobra.ExactArgs(1),
		Long: "List all faults of a driver's description, labels and templates.\n\n" +
			"Every stack that the driver promises is rendered, with every value that its labels may have: each\n" +
			"parameter sent has to be declared, each required one sent, each declared one used, and what can be\n" +
			"found wrong without a cloud is. These are rules of conform, which looks at the process too but only\n" +
			"says the first fault of each. SOURCES is a folder with a driver in Go, which is built first.\n\n" +
			"The exit code is 0 if there is no fault, else 1.",
		Example: "  magnum-driver-manage lint .\n  magnum-driver-manage lint bin/k8s_acme_v1-0.1.0.tar.zst -f json",
	}
	out := table.Flags(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		results, err := conform.Run(c.Context(), conform.Options{Driver: args[0], Rules: lintRules()})
		if err != nil {
			return failed(err)
		}
		var rows [][]string
		for _, r := range results {
			for _, fault := range r.Faults {
				rows = append(rows, []string{r.Rule, r.Name, fault})
			}
		}
		if err := out.Write(c.OutOrStdout(), []string{"Rule", "About", "Fault"}, rows); err != nil {
			return err
		}
		if len(rows) > 0 {
			return &command.ExitError{Code: command.ExitFailed, Err: fmt.Errorf("%d faults: docs/contract/driver.md explains the rules", len(rows))}
		}
		return nil
	}
	return c
}
