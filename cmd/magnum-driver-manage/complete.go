package main

import (
	"slices"

	"github.com/spf13/cobra"
)

// complete lets a shell complete the names of installed drivers, where a command
// takes one. That reads the store and starts nothing.
func complete(c *cobra.Command) {
	for _, sub := range c.Commands() {
		switch sub.Name() {
		case "info", "verify", "activate", "rollback", "history", "disable", "enable", "remove", "schema", "docs", "render":
			sub.ValidArgsFunction = installed
		}
	}
}

func installed(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		if c.Name() == "schema" && len(args) == 1 {
			return []cobra.Completion{"labels", "config"}, cobra.ShellCompDirectiveNoFileComp
		}
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	s, err := openStore(c)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	packages, err := s.Packages()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []cobra.Completion
	for _, p := range packages {
		name := cobra.CompletionWithDesc(p.Name, p.Description.DisplayName)
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		names = append(names, cobra.CompletionWithDesc(p.Name+"@"+p.Version, p.Description.DisplayName))
	}
	if c.Name() == "render" { // takes files too
		return names, cobra.ShellCompDirectiveDefault
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
