package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/go-magnum/magnum/cmd/internal/command"
	"github.com/go-magnum/magnum/cmd/internal/conform"
	"github.com/go-magnum/magnum/cmd/internal/table"
	"github.com/go-magnum/magnum/sdk/drivertest"
)

func conformance() *cobra.Command {
	var (
		rules []string
		asks  string
	)
	c := &cobra.Command{
		Use: "conform BINARY|PACKAGE|SOURCES", Short: "Check a driver against the rules of the driver contract", Args: cobra.ExactArgs(1),
		Long: "Check a driver against the rules of the driver contract, docs/contract/driver.md.\n\n" +
			"The driver, in any language, is started several times as a conductor starts it, and asked over\n" +
			"gRPC, with what its manifest asks for and no more. A package is verified first. The exit code is 0 if no rule is broken, else 1.",
	}
	out := table.Flags(c)
	c.Flags().StringArrayVar(&rules, "rule", nil, "check this `rule`, DRV-nnn, only; may be given more than once")
	asksFlag(c, &asks)
	c.RunE = func(c *cobra.Command, args []string) error {
		for _, id := range rules {
			if !checkable(id) {
				return &command.ExitError{Code: command.ExitUsage, Err: fmt.Errorf("rule %q is not one that can be checked: docs/contract/driver.md says which can", id)}
			}
		}
		o := conform.Options{Driver: args[0], Rules: rules}
		if asks != "" {
			asked, err := readAsks(asks)
			if err != nil {
				return err
			}
			o.Asks = &asked
		}
		results, err := conform.Run(c.Context(), o)
		if err != nil {
			return failed(err)
		}
		broken := 0
		var rows [][]string
		for _, r := range results {
			if r.Verdict == drivertest.Fail {
				broken++
			}
			rows = append(rows, []string{r.Rule, r.Name, string(r.Verdict), r.Reason})
		}
		if err := out.Write(c.OutOrStdout(), []string{"Rule", "About", "Verdict", "Reason"}, rows); err != nil {
			return err
		}
		if broken > 0 {
			return &command.ExitError{Code: command.ExitFailed, Err: fmt.Errorf("%d of %d rules are broken: docs/contract/driver.md explains them", broken, len(results))}
		}
		return nil
	}
	return c
}

func checkable(id string) bool {
	for _, r := range drivertest.Rules() {
		if r.ID == id {
			return true
		}
	}
	return false
}
