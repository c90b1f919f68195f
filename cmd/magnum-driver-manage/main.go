// Command magnum-driver-manage installs drivers and tells what is installed.
package main

import (
	"github.com/spf13/cobra"

	"github.com/go-magnum/magnum/cmd/internal/command"
)

func main() { command.Main(root()) }

func root() *cobra.Command {
	c := command.New("magnum-driver-manage", "Install drivers and tell what is installed",
		"Drivers live below [DEFAULT] state_path. Nothing here needs a running service, and only\n"+
			"install, upgrade, verify --deep, package, conform, lint, render and doctor start a driver, to see what it is; run becomes one.\n"+
			"Exit codes are listed in docs/drivers/store.md.")
	c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	c.AddCommand(listDrivers(), list(), info(), install(), verify(), pack(), sign(), keys(),
		activate(), enable(), pin(), unpin(), rollback(), history(), disable(), remove(), gc(), status(), crashes(), conformance())
	c.AddCommand(newDriver(), lint(), render(), run(), schema(), docs(), publish())
	c.AddCommand(upgrade())
	c.AddCommand(syncDrivers(), lock())
	c.AddCommand(doctor())
	c.AddCommand(man())
	complete(c)
	return c
}
