package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/go-magnum/magnum/cmd/internal/command"
	"github.com/go-magnum/magnum/cmd/internal/table"
	"github.com/go-magnum/magnum/cmd/internal/wire"
	"github.com/go-magnum/magnum/plugins/store"
)

// verdict is what a check comes to.
type verdict string

const (
	ok   verdict = "ok"
	warn verdict = "warn"
	fail verdict = "fail" // a cluster cannot be served, or a driver not be installed
)

// finding is one line of doctor's.
type finding struct {
	verdict verdict
	about   string
	what    string
	remedy  string // empty where all is well
}

// check looks at one thing; without findings it is not of this host.
type check struct {
	name string
	look func(context.Context, *checkup) []finding
}

// checks are all of them, in the order in which trouble is best mended.
func checks() []check {
	return []check{
		{"state path", statePath}, {"disk", disk}, {"lock", storeLock}, {"packages", packages},
		{"trust", trust}, {"drivers.d", desired}, {"gates", gates},
		{"database", database},
		{"kernel", kernel}, {"processes", processes}, {"user", account},
		{"services", services}, {"leftovers", leftovers},
	}
}

// checkup is what the checks look at.
type checkup struct {
	env command.Env
	// store is nil where there is none yet: looking makes none.
	store    *store.Store
	packages []store.Package
	// unread says why store or packages cannot be read.
	unread error
}

func newCheckup(env command.Env) *checkup {
	c := &checkup{env: env}
	if _, err := os.Stat(wire.StoreDir(env.Config)); errors.Is(err, fs.ErrNotExist) {
		return c
	}
	if c.store, c.unread = wire.Store(env.Config); c.unread == nil {
		c.packages, c.unread = c.store.Packages()
	}
	return c
}

func doctor() *cobra.Command {
	c := &cobra.Command{
		Use: "doctor", Short: "Look for what keeps, or will keep, this host from serving clusters", Args: cobra.NoArgs,
		Long: "Look for what keeps, or will keep, this host from serving clusters, and say what to do about it.\n\n" +
			"Run it as root or as the service's user, with the service's configuration. It changes nothing, starts every\n" +
			"installed driver once to see that it is what its package says, and reads what drivers.d names as sources.\n" +
			fmt.Sprintf("The exit code is %d if something fails, 0 with warnings alone. docs/drivers/store.md has the checks.", exitUnhealthy),
	}
	out := table.Flags(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		env, err := command.Load(c)
		if err != nil {
			return err
		}
		examined := newCheckup(env)
		failed := 0
		var rows [][]string
		for _, check := range checks() {
			for _, f := range check.look(c.Context(), examined) {
				if f.verdict == fail {
					failed++
				}
				rows = append(rows, []string{string(f.verdict), check.name, f.about, f.what, f.remedy})
			}
		}
		if err := out.Write(c.OutOrStdout(), []string{"Result", "Check", "About", "Finding", "To Do"}, rows); err != nil {
			return err
		}
		if failed > 0 {
			return &command.ExitError{Code: exitUnhealthy, Err: fmt.Errorf("%d checks fail", failed)}
		}
		return nil
	}
	return c
}

// orOK is the findings, or if there are none that all is well.
func orOK(found []finding, about, what string) []finding {
	if len(found) > 0 {
		return found
	}
	return []finding{{ok, about, what, ""}}
}
