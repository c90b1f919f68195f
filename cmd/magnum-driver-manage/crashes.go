package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-magnum/magnum/cmd/internal/command"
	"github.com/go-magnum/magnum/cmd/internal/table"
	"github.com/go-magnum/magnum/cmd/internal/wire"
	"github.com/go-magnum/magnum/plugins/supervise"
)

func crashes() *cobra.Command {
	var driver string
	c := &cobra.Command{
		Use: "crashes [ID]", Short: "List the crashes of drivers on this host, or show one", Args: cobra.MaximumNArgs(1),
		Long: "List the crashes of drivers on this host, oldest first, or show one as JSON: how it ended, the end of\n" +
			"its standard error, its panic or goroutines, and the calls it did not answer. The last 20 of each\n" +
			"driver are kept; what looks like a secret is taken out before a record is written.",
	}
	out := table.Flags(c)
	c.Flags().StringVar(&driver, "driver", "", "only those of this `driver`")
	c.RunE = func(c *cobra.Command, args []string) error {
		env, err := command.Load(c)
		if err != nil {
			return err
		}
		all, err := supervise.Crashes(wire.CrashDir(env.Config))
		if err != nil {
			// A damaged record hides no other.
			fmt.Fprintln(c.ErrOrStderr(), err)
		}
		if len(args) == 1 {
			return showCrash(c, all, args[0])
		}
		var rows [][]string
		for _, r := range all {
			if driver != "" && r.Driver != driver {
				continue
			}
			end := r.Signal
			if end == "" {
				end = "exit status " + strconv.Itoa(r.ExitStatus)
			}
			rows = append(rows, []string{
				r.ID, r.Driver, r.Version, r.EndedAt.Format(time.RFC3339), r.Cause, end, strconv.Itoa(len(r.Calls)), crashText(r),
			})
		}
		return out.Write(c.OutOrStdout(), []string{"ID", "Driver", "Version", "Time", "Cause", "End", "Calls", "Text"}, rows)
	}
	return c
}

func showCrash(c *cobra.Command, all []supervise.Crash, id string) error {
	at := slices.IndexFunc(all, func(r supervise.Crash) bool { return r.ID == id })
	if at < 0 {
		return &command.ExitError{
			Code: exitNotFound,
			Err:  fmt.Errorf("there is no record of a crash %s: see magnum-driver-manage crashes", id),
		}
	}
	e := json.NewEncoder(c.OutOrStdout())
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(all[at])
}

// crashText is one line of what a driver had to say: how its panic begins, or
// its last word.
func crashText(r supervise.Crash) string {
	text, _, _ := strings.Cut(r.Trace, "\n")
	if text == "" {
		text = r.LastWords[strings.LastIndex(r.LastWords, "\n")+1:]
	}
	const width = 80
	if short := []rune(text); len(short) > width {
		text = string(short[:width]) + "…"
	}
	return text
}
