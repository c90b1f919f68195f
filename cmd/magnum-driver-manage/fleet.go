package main

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-magnum/magnum/cmd/internal/command"
	"github.com/go-magnum/magnum/cmd/internal/table"
	"github.com/go-magnum/magnum/core/state"
)

// errSkew is for hosts that differ in what is active.
var errSkew = errors.New("hosts differ in what is active: activate the same version on all of them")

// silent is the state of drivers whose host does not report any more.
const silent = "Silent"

// fleet prints what all hosts reported.
func fleet(c *cobra.Command, env command.Env, out *table.Options) error {
	var (
		all   []state.HostDriver
		given = map[string]bool{} // what new clusters get
	)
	err := withDatabase(c.Context(), env, func(ctx context.Context, db *state.DB) (err error) {
		if all, err = db.Fleet(ctx); err != nil {
			return err
		}
		drivers, err := db.Drivers(ctx)
		for _, d := range drivers {
			given[d.Name+" "+d.Version] = d.Active
		}
		return err
	})
	if err != nil {
		return err
	}
	live := time.Now().Add(-time.Duration(env.Config.Default.ServiceDownTime) * time.Second)
	skewed := skew(all, live)
	rows := make([][]string, 0, len(all))
	for _, d := range all {
		row := []string{
			d.Host, d.Name, d.Version, "", "", d.State, number(d.PID), stampOrNone(d.Since), strconv.Itoa(d.Generation),
			d.Digest, stampOrNone(d.SeenAt), "",
		}
		if d.Active {
			row[3] = "active"
		}
		if given[d.Name+" "+d.Version] {
			row[4] = "yes"
		}
		if d.SeenAt.Before(live) {
			row[5], row[6] = silent, ""
		}
		if skewed[d.Name] {
			row[11] = "skew"
		}
		rows = append(rows, row)
	}
	header := []string{"Host", "Name", "Version", "Active", "New Clusters", "State", "PID", "Since", "Generation", "Digest", "Seen", "Skew"}
	if err := out.Write(c.OutOrStdout(), header, rows); err != nil {
		return err
	}
	if len(skewed) > 0 {
		return errSkew
	}
	return nil
}

// skew names the drivers that hosts which report have in different content, or
// that some have not.
func skew(all []state.HostDriver, live time.Time) map[string]bool {
	hosts, active := map[string]bool{}, map[string]map[string]string{}
	for _, d := range all {
		if d.SeenAt.Before(live) {
			continue
		}
		hosts[d.Host] = true
		if active[d.Name] == nil {
			active[d.Name] = map[string]string{}
		}
		if d.Active {
			active[d.Name][d.Host] = d.Digest
		}
	}
	skewed := map[string]bool{}
	for name, digests := range active {
		different := map[string]bool{}
		for host := range hosts {
			different[digests[host]] = true
		}
		if len(different) > 1 {
			skewed[name] = true
		}
	}
	return skewed
}

func stampOrNone(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
