// Package command is what all executables have in common: the flags
// --config-file and --version, the logger, the signals.
package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/go-magnum/magnum/core/config"
	"github.com/go-magnum/magnum/core/obs"
)

// Set by the linker; see the Makefile.
var (
	version = "0.0.0"
	commit  = "unknown"
)

// Version is the semver of this build, without a leading v.
func Version() string { return version }

// Build is what this executable was built from.
func Build() obs.Build { return obs.Build{Version: version, Commit: commit} }

// Exit codes of all executables.
const (
	ExitFailed = 1 // the work failed
	ExitUsage  = 2 // the command line was wrong
)

// Env is what an executable works with.
type Env struct {
	Config *config.Config
	Logger hclog.Logger
}

// New makes an executable's root command. Services and tools alike take
// --config-file, as often as wanted; later files win.
func New(name, short, long string) *cobra.Command {
	c := &cobra.Command{
		Use:           name,
		Short:         short,
		Long:          short + ".\n\n" + long,
		Version:       fmt.Sprintf("%s (%s)", version, commit),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
	}
	c.PersistentFlags().StringArray("config-file", nil,
		"oslo-style configuration `file`; may be given more than once, later ones win")
	return c
}

// Load reads the configuration files named on the command line and makes the
// logger they ask for.
func Load(c *cobra.Command) (Env, error) {
	files, err := c.Flags().GetStringArray("config-file")
	if err != nil {
		return Env{}, err
	}
	conf, err := config.Load(files...)
	if err != nil {
		return Env{}, err
	}
	logger, err := obs.NewLogger(c.Root().Name(), conf)
	if err != nil {
		return Env{}, err
	}
	for _, w := range conf.Warnings() {
		logger.Debug("configuration", "warning", w)
	}
	return Env{Config: conf, Logger: logger}, nil
}

// Main runs a command until it ends or the process is asked to, and exits.
func Main(c *cobra.Command) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := c.ExecuteContext(ctx)
	stop()
	if err == nil {
		return
	}
	var code *ExitError
	known := errors.As(err, &code)
	if !known || code.Err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", c.Name(), err)
	}
	os.Exit(ExitCode(err))
}

// ExitCode is what a process that ends with an error exits with.
func ExitCode(err error) int {
	var code *ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return code.Code
	}
	return ExitFailed
}

// ExitError carries an exit code of its own. Without Err nothing is printed:
// the command's output has said all.
type ExitError struct {
	Code int
	Err  error
}

func (e *ExitError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit code %d", e.Code)
	}
	return e.Err.Error()
}

func (e *ExitError) Unwrap() error { return e.Err }
