package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/go-magnum/magnum/cmd/internal/command"
	"github.com/go-magnum/magnum/plugins/attach"
	"github.com/go-magnum/magnum/sdk/serve"
)

func run() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use: "run [PROGRAM [ARG...]]", Short: "Run a driver for a debugger, and print how a service attaches it",
		Long: "Run a driver, or a debugger that runs it, for magnum-dev to attach: the process belongs to whoever\n" +
			"started it, and may stand at a breakpoint for as long as it takes.\n\n" +
			"PROGRAM is executed in the place of this command, with two more variables: where the driver has to\n" +
			"listen, and the file with the keys of its connection. Without PROGRAM the variables are printed, in the\n" +
			"form of a file that a development environment reads. Start the program again as often as you like:\n" +
			"folder and keys stay the same, and the service attaches the new process by itself.\n\n" +
			"The process is neither verified nor confined: conform tells what the driver may do in a service.",
		Example: "  magnum-driver-manage run bin/k8s_acme_v1\n" +
			"  magnum-driver-manage run dlv debug .\n" +
			"  magnum-driver-manage run >driver.env",
		RunE: func(c *cobra.Command, args []string) error {
			if dir == "" {
				dir = attach.DefaultDir()
			}
			f, err := attach.Make(dir)
			if err != nil {
				return err
			}
			hint := fmt.Sprintf("# attach it with: magnum-dev --attach %s\n", f)
			if len(args) == 0 {
				fmt.Fprint(c.OutOrStdout(), hint+strings.Join(f.Environment(), "\n")+"\n")
				return nil
			}
			program, err := exec.LookPath(args[0])
			if err != nil {
				return &command.ExitError{Code: command.ExitUsage, Err: err}
			}
			fmt.Fprint(c.ErrOrStderr(), hint) // standard output is the program's
			// In this command's place: the terminal and its signals are the program's.
			if err := syscall.Exec(program, args, environment(f)); err != nil {
				return fmt.Errorf("execute %s: %w", program, err)
			}
			return nil
		},
	}
	c.Flags().SetInterspersed(false) // what comes after PROGRAM is its own
	c.Flags().StringVar(&dir, "dir", "", "`folder` for socket and keys, made if it is not there, one for each driver that runs at the same time; "+
		"without it magnum-driver in $XDG_RUNTIME_DIR, or magnum-driver-UID among the temporary files")
	return c
}

// environment is the author's with what a driver needs, and a line for each call
// unless the author has said how much is to be logged.
func environment(f *attach.Folder) []string {
	env := os.Environ()
	if os.Getenv(serve.EnvLogLevel) == "" {
		env = append(env, serve.EnvLogLevel+"=debug")
	}
	// Of what is there twice, os/exec keeps the last one, programs see the first.
	return (&exec.Cmd{Env: append(env, f.Environment()...)}).Environ()
}
