package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/go-magnum/magnum/cmd/internal/command"
	"github.com/go-magnum/magnum/cmd/internal/table"
	"github.com/go-magnum/magnum/cmd/internal/wire"
	"github.com/go-magnum/magnum/plugins/store"
)

func syncDrivers() *cobra.Command {
	var (
		dryRun, check bool
		locked        string
	)
	c := &cobra.Command{
		Use: "sync", Short: "Install, activate and disable drivers as the files of drivers.d want it", Args: cobra.NoArgs,
		Long: "Install, activate and disable drivers as the files of [drivers] config_dir want it.\n\n" +
			"A driver without a file is left alone, and no version is ever removed. What cannot be made so is\n" +
			"told and stays as it is, and the rest is done. docs/drivers/store.md has the files.",
	}
	out := table.Flags(c)
	c.Flags().BoolVar(&dryRun, "dry-run", false, "print what would be done, and do nothing")
	c.Flags().BoolVar(&check, "check", false, fmt.Sprintf("as --dry-run, and exit with %d if there is something to do", exitDiffers))
	c.Flags().StringVar(&locked, "locked", "", "take only what is in this lock `file`")
	c.RunE = func(c *cobra.Command, _ []string) error {
		env, err := command.Load(c)
		if err != nil {
			return err
		}
		s, err := wire.Store(env.Config)
		if err != nil {
			return err
		}
		desired, failures, err := wanted(env.Config.Drivers.ConfigDir, locked)
		if err != nil {
			return failed(err)
		}
		var steps []store.Step
		if dryRun || check {
			steps = s.Plan(c.Context(), desired)
		} else {
			steps = s.Sync(c.Context(), desired, caller())
		}
		differ := 0
		rows := [][]string{}
		for _, step := range steps {
			problem := ""
			if step.Err != nil {
				problem = step.Err.Error()
				failures = append(failures, fmt.Errorf("driver %s, %s: %w", step.Desired.Name, step.Desired.File, step.Err))
			}
			if step.Action != store.ActionNone {
				differ++
			}
			rows = append(rows, []string{step.Desired.Name, string(step.Action), step.From, step.To, problem})
		}
		if err := out.Write(c.OutOrStdout(), []string{"Name", "Action", "From", "To", "Problem"}, rows); err != nil {
			return err
		}
		if len(failures) > 0 {
			return together(failures)
		}
		if check && differ > 0 {
			return &command.ExitError{Code: exitDiffers, Err: fmt.Errorf("%d of %d drivers are not as they are wanted: magnum-driver-manage sync makes them so", differ, len(steps))}
		}
		return nil
	}
	return c
}

// wanted reads drivers.d, narrowed down to a lock file if there is one. The
// failures are of single files.
func wanted(dir, locked string) (good []store.Desired, failures []error, err error) {
	all, failures := store.LoadDesired(dir)
	if locked == "" {
		return all, failures, nil
	}
	lines, err := store.ReadLock(locked)
	if err != nil {
		return nil, nil, err
	}
	for _, d := range all {
		if d, err = d.LockedTo(lines); err != nil {
			failures = append(failures, err)
			continue
		}
		good = append(good, d)
	}
	return good, failures, nil
}

// together is one error for all: with their exit code, if it is one.
func together(failures []error) error {
	code := 0
	for _, err := range failures {
		switch one := command.ExitCode(failed(err)); code {
		case 0, one:
			code = one
		default:
			code = command.ExitFailed
		}
	}
	return &command.ExitError{Code: code, Err: errors.Join(failures...)}
}
