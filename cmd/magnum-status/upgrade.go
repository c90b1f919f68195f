package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	pretty "github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/go-magnum/magnum/cmd/internal/command"
	"github.com/go-magnum/magnum/core/config"
	"github.com/go-magnum/magnum/core/policy"
	"github.com/go-magnum/magnum/core/state"
)

// code is what a check comes to; the worst of all is the exit code, as with
// every OpenStack service's status command.
type code int

const (
	success code = iota
	warning
	failure
	// broken is the exit code where the checks themselves could not be made.
	broken = 255
)

func (c code) String() string { return [...]string{"Success", "Warning", "Failure"}[c] }

// result is what a check found; details are for what is not a success.
type result struct {
	check   string
	code    code
	details string
}

func upgrade() *cobra.Command {
	group := &cobra.Command{Use: "upgrade", Short: "Prepare an upgrade", Args: cobra.NoArgs}
	group.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	unfit := func(err error) error {
		if err == nil {
			return nil
		}
		return &command.ExitError{Code: broken, Err: err} // 1 and 2 are results
	}
	check := &cobra.Command{
		Use: "check", Short: "Check whether this release can be started",
		Args: func(c *cobra.Command, args []string) error { return unfit(cobra.NoArgs(c, args)) },
		Long: "Check whether this release can be started with this configuration and database.\n\n" +
			"Exit code 0: ready; 1: look at the warnings first; 2: something stands in the way; 255: the checks\n" +
			"could not be made.",
	}
	check.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return unfit(err) })
	asJSON := check.Flags().Bool("json", false, "print JSON instead of a table")
	check.RunE = func(c *cobra.Command, _ []string) error {
		env, err := command.Load(c)
		if err != nil {
			return unfit(err)
		}
		results := checks(c.Context(), env.Config)
		if err := show(c.OutOrStdout(), results, *asJSON); err != nil {
			return unfit(err)
		}
		worst := slices.MaxFunc(results, func(a, b result) int { return int(a.code - b.code) }).code
		if worst == success {
			return nil
		}
		return &command.ExitError{Code: int(worst)}
	}
	group.AddCommand(check)
	return group
}

func checks(ctx context.Context, c *config.Config) []result {
	format, rules := policyFormat(c), policyRules(c)
	schema, drivers := database(ctx, c.Database.Connection.Reveal())
	return []result{
		named("Policy File JSON to YAML Migration", format), named("Policy Rules", rules),
		named("Database Schema", schema), named("Published Drivers", drivers),
	}
}

func named(name string, r result) result {
	r.check = name
	return r
}

// policyFormat looks for files in JSON, which OpenStack's tools will stop to
// read.
func policyFormat(c *config.Config) result {
	files, err := policy.Of(c).Files()
	if err != nil {
		return result{code: failure, details: err.Error()}
	}
	var old []string
	for _, path := range files {
		content, err := os.ReadFile(path)
		if err != nil {
			return result{code: failure, details: err.Error()}
		}
		if json.Valid(content) {
			old = append(old, path)
		}
	}
	if len(old) == 0 {
		return result{}
	}
	return result{code: warning, details: "JSON is understood, but deprecated as the form of policy files: " +
		strings.Join(old, ", ") + ". The tool oslopolicy-convert-json-to-yaml makes YAML of them."}
}

// policyRules reads the rules as the service will.
func policyRules(c *config.Config) result {
	e, err := policy.New(policy.Of(c), nil)
	if err != nil {
		return result{code: failure, details: err.Error()}
	}
	var old []string
	for _, l := range e.List() {
		if l.Former != "" && !slices.Contains(old, l.Former) {
			old = append(old, l.Former)
		}
	}
	if len(old) == 0 {
		return result{}
	}
	return result{code: warning, details: "Files change classic rules, which therefore hold instead of the ones that took " +
		"their place: " + strings.Join(old, ", ") + ". See magnum-status policy list."}
}

func database(ctx context.Context, connection string) (schema, drivers result) {
	unknown := result{code: warning, details: "Not known before the schema is current."}
	fail := func(details string) (result, result) { return result{code: failure, details: details}, unknown }
	db, err := state.Open(ctx, state.Config{Connection: connection, Existing: true})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fail("There is no database yet: run magnum-db-manage upgrade.")
	case err != nil:
		return fail(err.Error())
	}
	defer db.Close()
	have, err := db.Version(ctx)
	switch want := db.Latest(); {
	case err != nil:
		return fail(err.Error())
	case have < want:
		return fail(fmt.Sprintf("The schema is at revision %d, this release needs %d: run magnum-db-manage upgrade.", have, want))
	case have > want:
		return fail(fmt.Sprintf("The schema is at revision %d, this release knows %d at most: it was upgraded by a newer one.", have, want))
	}
	published, err := db.Drivers(ctx)
	switch {
	case err != nil:
		return result{}, result{code: failure, details: err.Error()}
	case len(published) == 0:
		return result{}, result{code: warning, details: "No conductor has published a driver yet: no cluster can be made. " +
			"See magnum-driver-manage list-drivers."}
	}
	return result{}, result{}
}

const title = "Upgrade Check Results"

func show(w io.Writer, results []result, asJSON bool) error {
	if asJSON {
		type check struct {
			Check   string  `json:"check"`
			Result  code    `json:"result"`
			Details *string `json:"details"`
		}
		all := make([]check, 0, len(results))
		for _, r := range results {
			c := check{Check: r.check, Result: r.code}
			if r.details != "" {
				c.Details = &r.details
			}
			all = append(all, c)
		}
		return json.NewEncoder(w).Encode(struct {
			Name   string  `json:"name"`
			Checks []check `json:"checks"`
		}{title, all})
	}
	t := pretty.NewWriter()
	t.Style().Format.Header = 0 // as written
	t.Style().Options.SeparateRows = true
	t.AppendHeader(pretty.Row{title})
	for _, r := range results {
		details := "None"
		if r.details != "" {
			details = wrap(r.details, 60)
		}
		t.AppendRow(pretty.Row{fmt.Sprintf("Check: %s\nResult: %s\nDetails: %s", r.check, r.code, details)})
	}
	_, err := fmt.Fprintln(w, t.Render())
	return err
}

// wrap breaks a text at blanks; its further lines are set in.
func wrap(text string, width int) string {
	var b strings.Builder
	line := 0
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case line+1+len(word) > width:
			b.WriteString("\n  ")
			line = 2
		default:
			b.WriteByte(' ')
			line++
		}
		b.WriteString(word)
		line += len(word)
	}
	return b.String()
}
