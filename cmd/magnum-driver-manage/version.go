package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-magnum/magnum/cmd/internal/command"
	"github.com/go-magnum/magnum/cmd/internal/table"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/plugins/store"
)

// gcGenerations is how far back a rollback can go after gc, unless asked for.
const gcGenerations = 3

func reasonFlag(c *cobra.Command, reason *string) {
	c.Flags().StringVar(reason, "reason", "", "`text` for the history")
}

// caller is who is at the keyboard, for the history.
func caller() string {
	if name := os.Getenv("SUDO_USER"); name != "" {
		return name
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "user " + strconv.Itoa(os.Getuid())
}

// nameAndVersion takes NAME@VERSION.
func nameAndVersion(arg string) (name, version string, err error) {
	name, version, _ = strings.Cut(arg, "@")
	if name == "" || version == "" {
		return "", "", &command.ExitError{Code: command.ExitUsage, Err: fmt.Errorf("%q is not NAME@VERSION: see magnum-driver-manage list", arg)}
	}
	return name, version, nil
}

func activate() *cobra.Command {
	var request store.ActivateRequest
	c := &cobra.Command{
		Use: "activate NAME@VERSION", Short: "Make an installed version the one that new clusters get", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) (err error) {
			if request.Name, request.Version, err = nameAndVersion(args[0]); err != nil {
				return err
			}
			s, err := openStore(c)
			if err != nil {
				return err
			}
			request.By = caller()
			p, err := s.Activate(c.Context(), request)
			if err != nil {
				return failed(err)
			}
			fmt.Fprintf(c.OutOrStdout(), "%s is active\n", p)
			return nil
		},
	}
	c.Flags().BoolVar(&request.Force, "force", false, "also if a newer version is active")
	reasonFlag(c, &request.Reason)
	return c
}

func rollback() *cobra.Command {
	var request store.RollbackRequest
	c := &cobra.Command{
		Use: "rollback NAME", Short: "Make active again what was active before", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := openStore(c)
			if err != nil {
				return err
			}
			request.Name, request.By = args[0], caller()
			p, err := s.Rollback(c.Context(), request)
			if err != nil {
				return failed(err)
			}
			fmt.Fprintf(c.OutOrStdout(), "%s is active\n", p)
			return nil
		},
	}
	c.Flags().IntVar(&request.To, "to", 0, "the `generation` of history to go back to; by default the one before with another version")
	reasonFlag(c, &request.Reason)
	return c
}

func history() *cobra.Command {
	c := &cobra.Command{Use: "history NAME", Short: "List what was active, since when, by whom and why", Args: cobra.ExactArgs(1)}
	out := table.Flags(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		s, err := openStore(c)
		if err != nil {
			return err
		}
		generations, err := s.Generations(args[0])
		if err != nil {
			return failed(err)
		}
		if len(generations) == 0 {
			return failed(fmt.Errorf("driver %s is %w", args[0], store.ErrNotFound))
		}
		var rows [][]string
		for _, g := range generations {
			rows = append(rows, []string{strconv.Itoa(g.Number), cmp.Or(g.Version, "none"), g.ActivatedAt.Format(time.RFC3339), g.By, g.Reason})
		}
		return out.Write(c.OutOrStdout(), []string{"Generation", "Version", "When", "Who", "Why"}, rows)
	}
	return c
}

func disable() *cobra.Command {
	var change store.Change
	c := &cobra.Command{
		Use: "disable NAME", Short: "Leave a driver without an active version: new clusters do not get it", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := openStore(c)
			if err != nil {
				return err
			}
			change.By = caller()
			return failed(s.Disable(c.Context(), args[0], change))
		},
	}
	reasonFlag(c, &change.Reason)
	return c
}

func remove() *cobra.Command {
	return &cobra.Command{
		Use: "remove NAME@VERSION", Short: "Take a version out of the store that is not active and that no cluster needs", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			name, version, err := nameAndVersion(args[0])
			if err != nil {
				return err
			}
			s, err := openStore(c)
			if err != nil {
				return err
			}
			pins, err := pinned(c)
			if err != nil {
				return err
			}
			return failed(s.Remove(c.Context(), name, version, pins))
		},
	}
}

func gc() *cobra.Command {
	request := store.GCRequest{}
	c := &cobra.Command{
		Use: "gc", Short: "Remove versions that are neither active nor recent, and that no cluster needs", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := openStore(c)
			if err != nil {
				return err
			}
			if request.Pins, err = pinned(c); err != nil {
				return err
			}
			removed, err := s.GC(c.Context(), request)
			for _, what := range removed {
				fmt.Fprintln(c.OutOrStdout(), what)
			}
			return failed(err)
		},
	}
	c.Flags().IntVar(&request.Generations, "keep", gcGenerations, "keep what the last `generations` of each driver's history need")
	c.Flags().BoolVar(&request.DryRun, "dry-run", false, "print what would go, and leave it")
	return c
}

// pinned asks the database which clusters need which versions. Without an
// answer nothing is removed.
func pinned(c *cobra.Command) ([]store.Pin, error) {
	env, err := command.Load(c)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(c.Context(), 30*time.Second)
	defer cancel()
	db, err := state.Open(ctx, state.Config{Connection: env.Config.Database.Connection.Reveal()})
	if err != nil {
		return nil, fmt.Errorf("ask which clusters are pinned: %w", err)
	}
	all, err := db.Pins(ctx)
	if err := errors.Join(err, db.Close()); err != nil {
		return nil, fmt.Errorf("ask which clusters are pinned, nothing was removed: %w", err)
	}
	pins := make([]store.Pin, len(all))
	for i, p := range all {
		pins[i] = store.Pin{Cluster: p.ClusterUUID, Name: p.Driver.Name, Version: p.Driver.Version}
	}
	return pins, nil
}
