package main

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-magnum/magnum/cmd/internal/command"
	"github.com/go-magnum/magnum/cmd/internal/table"
	"github.com/go-magnum/magnum/cmd/internal/wire"
	"github.com/go-magnum/magnum/plugins/supervise"
)

func status() *cobra.Command {
	c := &cobra.Command{
		Use: "status", Short: "Tell how the drivers of the services on this host stand", Args: cobra.NoArgs,
		Long: "Tell how the drivers of the services on this host stand, one row for each service and version that it\n" +
			"was asked for; then those versions that no service was asked for. docs/drivers/processes.md has the states.",
	}
	var everywhere bool
	out := table.Flags(c)
	c.Flags().BoolVar(&everywhere, "all-hosts", false, "one row for each host and version instead, as the conductors reported to the database")
	c.RunE = func(c *cobra.Command, _ []string) error {
		env, err := command.Load(c)
		if err != nil {
			return err
		}
		if everywhere {
			return failed(fleet(c, env, out))
		}
		s, err := wire.Store(env.Config)
		if err != nil {
			return err
		}
		hosts, err := supervise.Hosts(wire.RunDir(env.Config))
		if err != nil {
			fmt.Fprintln(c.ErrOrStderr(), err) // a damaged file hides no other
		}
		packages, err := s.Packages()
		if err != nil {
			return err
		}
		var rows [][]string
		seen := map[string]bool{}
		for _, h := range hosts {
			for _, d := range h.Drivers {
				seen[d.Name+" "+d.Version] = true
				class, blame, message := "", "", d.LastError
				if f := d.Fault; f != nil {
					class, blame, message = f.Class, f.Blame, f.Message
				}
				rows = append(rows, []string{
					strconv.Itoa(h.Host.PID), d.Name, d.Version, string(d.State), number(d.PID), strconv.Itoa(d.Restarts),
					d.Since.UTC().Format(time.RFC3339), d.Confinement, class, blame, message,
				})
			}
		}
		for _, p := range packages {
			if seen[p.String()] {
				continue
			}
			state, reason := supervise.StateInstalled, ""
			switch {
			case p.Damage != nil:
				state, reason = supervise.StateRejected, p.Damage.Error()
			case slices.Contains(env.Config.Drivers.DisabledDrivers, p.Name):
				state = supervise.StateDisabled
			}
			rows = append(rows, []string{"", p.Name, p.Version, string(state), "", "", "", "", "", "", reason})
		}
		return out.Write(c.OutOrStdout(), []string{"Service", "Name", "Version", "State", "PID", "Restarts", "Since", "Confinement", "Class", "Blame", "Last Error"}, rows)
	}
	return c
}

// number leaves a 0 out, which is no process.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
