package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/go-magnum/magnum/cmd/internal/command"
)

// man writes the man pages that a distribution's package has; make man calls it.
func man() *cobra.Command {
	return &cobra.Command{
		Use: "man DIR", Short: "Write the man pages of all commands into a folder", Args: cobra.ExactArgs(1), Hidden: true,
		RunE: func(c *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil { //nolint:gosec // pages for everybody
				return fmt.Errorf("make the folder of the pages: %w", err)
			}
			all := c.Root()
			all.DisableAutoGenTag = true // the date is that of SOURCE_DATE_EPOCH, and stands in one place
			return doc.GenManTree(all, &doc.GenManHeader{Section: "8", Source: "Magnum " + command.Version(), Manual: "Magnum"}, args[0])
		},
	}
}
