// Package table prints rows the way OpenStack's command lines do: as a table,
// or in one of the formats scripts read.
package table

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	pretty "github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
)

// Formats are the values of -f.
var Formats = []string{"table", "json", "yaml", "csv", "value"}

// Options are what a user asked for.
type Options struct {
	Format  string
	Columns []string
}

// Flags adds -f and -c to a command.
func Flags(c *cobra.Command) *Options {
	o := &Options{}
	c.Flags().StringVarP(&o.Format, "format", "f", "table", "output `format`: "+strings.Join(Formats, ", "))
	c.Flags().StringArrayVarP(&o.Columns, "column", "c", nil, "show this `column`; may be given more than once")
	return o
}

// Write prints rows below a header.
func (o *Options) Write(w io.Writer, header []string, rows [][]string) error {
	header, rows, err := o.choose(header, rows)
	if err != nil {
		return err
	}
	switch o.Format {
	case "table":
		return writeTable(w, header, rows)
	case "json":
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(records(header, rows))
	case "yaml":
		return writeYAML(w, header, rows)
	case "csv":
		c := csv.NewWriter(w)
		return c.WriteAll(append([][]string{header}, rows...))
	case "value":
		for _, r := range rows {
			if _, err := fmt.Fprintln(w, strings.Join(r, " ")); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("unknown format %q: choose one of %s", o.Format, strings.Join(Formats, ", "))
}

func (o *Options) choose(header []string, rows [][]string) ([]string, [][]string, error) {
	if len(o.Columns) == 0 {
		return header, rows, nil
	}
	at := make([]int, 0, len(o.Columns))
	for _, c := range o.Columns {
		i := slices.Index(header, c)
		if i < 0 {
			return nil, nil, fmt.Errorf("no column %q: there are %s", c, strings.Join(header, ", "))
		}
		at = append(at, i)
	}
	pick := func(row []string) []string {
		out := make([]string, 0, len(at))
		for _, i := range at {
			out = append(out, row[i])
		}
		return out
	}
	chosen := make([][]string, 0, len(rows))
	for _, r := range rows {
		chosen = append(chosen, pick(r))
	}
	return pick(header), chosen, nil
}

func writeTable(w io.Writer, header []string, rows [][]string) error {
	t := pretty.NewWriter()
	t.Style().Format.Header = 0 // as written
	t.AppendHeader(row(header))
	for _, r := range rows {
		t.AppendRow(row(r))
	}
	_, err := fmt.Fprintln(w, t.Render())
	return err
}

func row(cells []string) pretty.Row {
	r := make(pretty.Row, 0, len(cells))
	for _, c := range cells {
		r = append(r, c)
	}
	return r
}

func records(header []string, rows [][]string) []map[string]string {
	all := make([]map[string]string, 0, len(rows))
	for _, r := range rows {
		m := make(map[string]string, len(header))
		for i, h := range header {
			m[h] = r[i]
		}
		all = append(all, m)
	}
	return all
}

func writeYAML(w io.Writer, header []string, rows [][]string) error {
	e := yaml.NewEncoder(w)
	e.SetIndent(2)
	if err := e.Encode(records(header, rows)); err != nil {
		return err
	}
	return e.Close()
}
