package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/go-magnum/magnum/cmd/internal/command"
	"github.com/go-magnum/magnum/cmd/internal/table"
	"github.com/go-magnum/magnum/plugins/store"
)

func lock() *cobra.Command {
	var check bool
	c := &cobra.Command{
		Use: "lock FILE", Short: "Write down name, version and digest of every active driver, or compare with that", Args: cobra.ExactArgs(1),
		Long: "Write down name, version and digest of every active driver, as JSON, or compare with that.\n\n" +
			"sync --locked FILE takes only what the file has.",
	}
	out := table.Flags(c)
	c.Flags().BoolVar(&check, "check", false, fmt.Sprintf("compare, print what differs, and exit with %d if anything does", exitDiffers))
	c.RunE = func(c *cobra.Command, args []string) error {
		s, err := openStore(c)
		if err != nil {
			return err
		}
		active, err := s.Locked()
		if err != nil {
			return failed(fmt.Errorf("lock: %w", err))
		}
		if !check {
			return failed(store.WriteLock(args[0], active))
		}
		locked, err := store.ReadLock(args[0])
		if err != nil {
			return failed(err)
		}
		rows := difference(locked, active)
		if len(rows) == 0 {
			return nil
		}
		if err := out.Write(c.OutOrStdout(), []string{"Name", "Locked", "Active", "Locked Digest", "Active Digest"}, rows); err != nil {
			return err
		}
		return &command.ExitError{Code: exitDiffers, Err: fmt.Errorf("%d drivers are not as in %s", len(rows), args[0])}
	}
	return c
}

// difference lists the drivers that two locks do not agree on.
func difference(locked, active []store.Locked) [][]string {
	byName := func(all []store.Locked) map[string]store.Locked {
		named := map[string]store.Locked{}
		for _, l := range all {
			named[l.Name] = l
		}
		return named
	}
	a, b := byName(locked), byName(active)
	names := byName(slices.Concat(locked, active))
	var rows [][]string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if a[name] != b[name] {
			rows = append(rows, []string{name, a[name].Version, b[name].Version, a[name].Digest, b[name].Digest})
		}
	}
	return rows
}
