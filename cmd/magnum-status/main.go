// Command magnum-status tells whether an upgrade is ready, and who may do what.
package main

import (
	"github.com/spf13/cobra"

	"github.com/go-magnum/magnum/cmd/internal/command"
)

func main() {
	command.Main(root())
}

func root() *cobra.Command {
	c := command.New("magnum-status", "Tell whether an upgrade is ready, and who may do what",
		"Nothing here needs a running service or changes anything.")
	c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	c.AddCommand(upgrade(), policies())
	return c
}
