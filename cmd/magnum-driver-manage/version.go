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
	"github.com/go-magnum/magnum/core/config"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/plugins/store"
	"github.com/go-magnum/magnum/sdk/driver"
)

// gcGenerations is how far back a rollback can go after gc, unless asked for.
const gcGenerations = 3

// databaseTimeout bounds a command that asks the database, with all it does.
const databaseTimeout = 2 * time.Minute

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
	return activation(&cobra.Command{
		Use: "activate NAME@VERSION", Short: "Make an installed version the one that new clusters get",
	}, (*store.Store).Activate, nameAndVersion)
}

func enable() *cobra.Command {
	return activation(&cobra.Command{
		Use: "enable NAME[@VERSION]", Short: "Give a driver an active version again, after disable",
		Long: "Give a driver an active version again, after disable: the one that was active last, or else the newest.\n" +
			"A driver that has one keeps it, unless another is named.",
	}, (*store.Store).Enable, func(arg string) (name, version string, err error) {
		if !strings.Contains(arg, "@") {
			return arg, "", nil
		}
		return nameAndVersion(arg)
	})
}

// activation makes commands that end with an active version.
func activation(
	c *cobra.Command,
	do func(*store.Store, context.Context, store.ActivateRequest) (store.Package, error),
	parse func(arg string) (name, version string, err error),
) *cobra.Command {
	var request store.ActivateRequest
	c.Args = cobra.ExactArgs(1)
	c.RunE = func(c *cobra.Command, args []string) (err error) {
		if request.Name, request.Version, err = parse(args[0]); err != nil {
			return err
		}
		env, s, err := openEnv(c)
		if err != nil {
			return err
		}
		request.By = caller()
		p, err := do(s, c.Context(), request)
		if err != nil {
			return failed(err)
		}
		fmt.Fprintf(c.OutOrStdout(), "%s is active\n", p)
		warnGated(c, env.Config, p)
		return nil
	}
	c.Flags().BoolVar(&request.Force, "force", false, "also if a newer version is active")
	reasonFlag(c, &request.Reason)
	return c
}

// warnGated tells who made a driver active that the configuration still keeps
// it from new clusters.
func warnGated(c *cobra.Command, conf *config.Config, p store.Package) {
	if err := conf.Drivers.Gate(p.Name, p.Description.Maturity == driver.MaturityBeta); err != nil {
		fmt.Fprintf(c.ErrOrStderr(), "warning: new clusters do not get it: %v\n", err)
	}
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
	var force bool
	c := &cobra.Command{
		Use: "remove NAME@VERSION", Short: "Take a version out of the store that is not active and that no cluster needs", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			name, version, err := nameAndVersion(args[0])
			if err != nil {
				return err
			}
			env, s, err := openEnv(c)
			if err != nil {
				return err
			}
			return withDatabase(c.Context(), env, func(ctx context.Context, db *state.DB) error {
				return failed(s.Remove(ctx, name, version, func(ctx context.Context, name, version string) ([]string, error) {
					clusters, err := db.Withdraw(ctx, magnum.DriverRef{Name: name, Version: version}, force)
					if force && err == nil && len(clusters) > 0 {
						fmt.Fprintf(c.ErrOrStderr(), "warning: %d clusters lose their driver; they can only be shown and deleted\n", len(clusters))
						clusters = nil
					}
					return clusters, err
				}))
			})
		},
	}
	c.Flags().BoolVar(&force, "force", false, "also if clusters need it, which can only be shown and deleted then")
	return c
}

func gc() *cobra.Command {
	request := store.GCRequest{}
	c := &cobra.Command{
		Use: "gc", Short: "Remove versions that are neither active nor recent, and that no cluster needs", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			env, s, err := openEnv(c)
			if err != nil {
				return err
			}
			return withDatabase(c.Context(), env, func(ctx context.Context, db *state.DB) error {
				request.Withdraw = withdrawOrLook(db, request.DryRun)
				removed, err := s.GC(ctx, request)
				for _, what := range removed {
					fmt.Fprintln(c.OutOrStdout(), what)
				}
				return failed(err)
			})
		},
	}
	c.Flags().IntVar(&request.Generations, "keep", gcGenerations, "keep what the last `generations` of each driver's history need")
	c.Flags().BoolVar(&request.DryRun, "dry-run", false, "print what would go, and leave it")
	return c
}

func withdrawOrLook(db *state.DB, look bool) store.Withdraw {
	return func(ctx context.Context, name, version string) (clusters []string, err error) {
		ref := magnum.DriverRef{Name: name, Version: version}
		if !look {
			return db.Withdraw(ctx, ref, false)
		}
		pins, err := db.Pins(ctx)
		for _, p := range pins {
			if p.Driver == ref {
				clusters = append(clusters, p.ClusterUUID)
			}
		}
		return clusters, err
	}
}

// withDatabase opens the service's database for as long as use runs.
func withDatabase(ctx context.Context, env command.Env, use func(context.Context, *state.DB) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, databaseTimeout)
	defer cancel()
	db, err := state.Open(ctx, state.Config{
		Connection: env.Config.Database.Connection.Reveal(), Existing: true, SilentAfter: time.Duration(env.Config.Default.ServiceDownTime) * time.Second,
	})
	if err != nil {
		return fmt.Errorf("ask which clusters need which driver: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return use(ctx, db)
}
