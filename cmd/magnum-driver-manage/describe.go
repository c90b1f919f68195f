package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/go-magnum/magnum/cmd/internal/command"
	"github.com/go-magnum/magnum/sdk/driver"
)

func schema() *cobra.Command {
	return &cobra.Command{
		Use: "schema NAME[@VERSION] [labels|config]", Short: "Print the JSON Schema of a driver's labels or configuration", Args: cobra.RangeArgs(1, 2),
		Example: "  magnum-driver-manage schema k8s_fedora_atomic_v1",
		RunE: func(c *cobra.Command, args []string) error {
			d, err := described(c, args[0])
			if err != nil {
				return err
			}
			what, text := "labels", d.LabelSchema
			if len(args) == 2 {
				what = args[1]
			}
			switch what {
			case "labels":
			case "config":
				text = d.ConfigSchema
			default:
				return &command.ExitError{Code: command.ExitUsage, Err: fmt.Errorf("there is no schema of %q: choose labels or config", what)}
			}
			if len(text) == 0 {
				return &command.ExitError{Code: exitNotFound, Err: fmt.Errorf("driver %s has no schema for %s", d.Name, what)}
			}
			var out bytes.Buffer
			if err := json.Indent(&out, text, "", "  "); err != nil {
				return fmt.Errorf("read the schema of driver %s: %w", d.Name, err)
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), out.String())
			return err
		},
	}
}

func docs() *cobra.Command {
	return &cobra.Command{
		Use: "docs NAME[@VERSION]", Short: "Print a page about a driver for its users, in Markdown", Args: cobra.ExactArgs(1),
		Long: "Print a page about a driver for its users, in Markdown: what it makes and can do, and its labels. It is\n" +
			"made from the description that the driver was installed with.",
		Example: "  magnum-driver-manage docs k8s_fedora_atomic_v1 >k8s_fedora_atomic_v1.md",
		RunE: func(c *cobra.Command, args []string) error {
			d, err := described(c, args[0])
			if err != nil {
				return err
			}
			return writePage(c.OutOrStdout(), d)
		},
	}
}

// described is what an installed driver says of itself.
func described(c *cobra.Command, arg string) (driver.Description, error) {
	s, err := openStore(c)
	if err != nil {
		return driver.Description{}, err
	}
	p, err := find(s, arg)
	if err != nil {
		return driver.Description{}, err
	}
	return p.Description, p.Damage
}

// labelEntry is what the schema says of one.
type labelEntry struct {
	Type         string   `json:"type"`
	Format       string   `json:"format"`
	Description  string   `json:"description"`
	Default      any      `json:"default"`
	Enum         []string `json:"enum"`
	Minimum      *float64 `json:"minimum"`
	Maximum      *float64 `json:"maximum"`
	Deprecated   bool     `json:"deprecated"`
	Since        string   `json:"x-since"`
	PerNodeGroup bool     `json:"x-per-node-group"`
}

func writePage(w io.Writer, d driver.Description) error {
	var labels struct {
		Properties map[string]labelEntry `json:"properties"`
	}
	if len(d.LabelSchema) > 0 {
		if err := json.Unmarshal(d.LabelSchema, &labels); err != nil {
			return fmt.Errorf("read the label schema of driver %s: %w", d.Name, err)
		}
	}
	var page strings.Builder
	say := func(format string, a ...any) { fmt.Fprintf(&page, format, a...) }
	title := d.DisplayName
	if title == "" {
		title = d.Name
	}
	say("# %s\n\nDriver `%s` %s, %s.\n", cell(title), d.Name, d.Version, d.Maturity)
	say("\n## Cluster types\n\n| server type | operating system (`os_distro`) | COE | priority |\n|---|---|---|---|\n")
	for _, t := range d.ClusterTypes {
		say("| `%s` | `%s` | `%s` | %d |\n", t.ServerType, t.OS, t.COE, t.Priority)
	}
	say("\n## What its clusters can do\n\n")
	say("- Besides being made and deleted: %s.\n", code(words(d.Capabilities), "nothing"))
	say("- Masters: %s.\n", masters(d.Limits))
	say("- Network drivers, the default first: %s.\n", code(d.NetworkDrivers, "none"))
	say("- Volume drivers: %s.\n", code(d.VolumeDrivers, "none"))
	if len(d.UpgradeLabels) > 0 {
		say("- A template to upgrade to has one of the labels %s.\n", code(d.UpgradeLabels, ""))
	}
	if len(d.TrustFor) > 0 {
		say("- The operator has to set `[trust] cluster_user_trust` for %s.\n", code(d.TrustFor, ""))
	}
	if len(d.ResourceTypes) > 0 {
		say("- It needs a Heat with %s.\n", code(d.ResourceTypes, ""))
	}
	say("\n## Labels\n\n")
	if len(labels.Properties) == 0 {
		say("It has none.\n")
		_, err := io.WriteString(w, page.String())
		return err
	}
	say("Other labels are ignored. *Group*: a node group may have another value than its cluster.\n\n")
	say("| label | type | default | since | group | meaning |\n|---|---|---|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(labels.Properties)) {
		l := labels.Properties[name]
		say("| `%s` | %s | %s | %s | %s | %s |\n", name, l.kind(), l.value(), l.Since, map[bool]string{true: "yes"}[l.PerNodeGroup], l.meaning())
	}
	_, err := io.WriteString(w, page.String())
	return err
}

func (l labelEntry) kind() string {
	if l.Format != "" {
		return l.Format
	}
	return l.Type
}

func (l labelEntry) value() string {
	if l.Default == nil {
		return ""
	}
	return "`" + cell(fmt.Sprint(l.Default)) + "`"
}

func (l labelEntry) meaning() string {
	text := cell(l.Description)
	if l.Deprecated {
		text = "**Deprecated.** " + text
	}
	if len(l.Enum) > 0 {
		text += " One of " + cell(strings.Join(l.Enum, ", ")) + "."
	}
	if l.Minimum != nil {
		text += fmt.Sprintf(" At least %v.", *l.Minimum)
	}
	if l.Maximum != nil {
		text += fmt.Sprintf(" At most %v.", *l.Maximum)
	}
	return strings.TrimSpace(text)
}

func masters(l driver.Limits) string {
	text := fmt.Sprintf("at least %d", max(l.MinMasters, 1))
	if l.MaxMasters > 0 {
		text += fmt.Sprintf(", at most %d", l.MaxMasters)
	}
	if l.OddMasters {
		text += ", an odd number"
	}
	return text
}

func words[T ~string](all []T) []string {
	out := make([]string, 0, len(all))
	for _, w := range all {
		out = append(out, string(w))
	}
	return out
}

// code is some words as code, or another for none.
func code(all []string, none string) string {
	if len(all) == 0 {
		return none
	}
	return "`" + strings.Join(all, "`, `") + "`"
}

// cell is a text that cannot end a table's cell.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "\r", " ").Replace(text)
}
