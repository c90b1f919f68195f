// Package table prints rows the way OpenStack's command lines do: as a table,
// or in one of the formats scripts read. Flags and formats are those of cliff,
// which upstream's tools are made with, so that scripts need not be changed.
package table

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	pretty "github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/go-magnum/magnum/cmd/internal/command"
)

// Formats are the values of -f.
var Formats = []string{"table", "json", "yaml", "csv", "value"}

// Options are what a user asked for.
type Options struct {
	Format  string
	Columns []string
	Sort    []string // columns, the first weighs most
	Down    bool     // sort the largest first
}

// Flags adds -f, -c and those for sorting to a command.
func Flags(c *cobra.Command) *Options {
	o := &Options{}
	c.Flags().StringVarP(&o.Format, "format", "f", "table", "output `format`: "+strings.Join(Formats, ", "))
	c.Flags().StringArrayVarP(&o.Columns, "column", "c", nil, "show this `column`; may be given more than once")
	c.Flags().StringArrayVar(&o.Sort, "sort-column", nil, "sort by this `column`; may be given more than once, the first weighs most")
	c.Flags().BoolVar(&o.Down, "sort-descending", false, "sort the largest first")
	c.Flags().Bool("sort-ascending", false, "sort the smallest first, as without it")
	c.MarkFlagsMutuallyExclusive("sort-ascending", "sort-descending")
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(Formats, cobra.ShellCompDirectiveNoFileComp))
	return o
}

// Write prints rows below a header.
func (o *Options) Write(w io.Writer, header []string, rows [][]string) error {
	if !slices.Contains(Formats, o.Format) {
		return &command.ExitError{
			Code: command.ExitUsage,
			Err:  fmt.Errorf("unknown format %q: choose one of %s", o.Format, strings.Join(Formats, ", ")),
		}
	}
	header, rows, err := o.choose(header, o.sorted(header, rows))
	if err != nil {
		return err
	}
	switch o.Format {
	case "json":
		return writeJSON(w, header, rows)
	case "yaml":
		return writeYAML(w, header, rows)
	case "csv":
		return writeCSV(w, header, rows)
	case "value":
		for _, r := range rows {
			if _, err := fmt.Fprintln(w, strings.Join(r, " ")); err != nil {
				return err
			}
		}
		return nil
	}
	return writeTable(w, header, rows)
}

// sorted are the rows by the columns to sort by. Columns that are not there are
// ignored; numbers are sorted as such.
func (o *Options) sorted(header []string, rows [][]string) [][]string {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b []string) int {
		for _, column := range o.Sort {
			i := slices.Index(header, column)
			if i < 0 {
				continue
			}
			if c := compare(a[i], b[i]); c != 0 && o.Down {
				return -c
			} else if c != 0 {
				return c
			}
		}
		return 0
	})
	return rows
}

func compare(a, b string) int {
	x, xErr := strconv.ParseInt(a, 10, 64)
	y, yErr := strconv.ParseInt(b, 10, 64)
	if xErr == nil && yErr == nil {
		return cmp.Compare(x, y)
	}
	return cmp.Compare(a, b)
}

// choose leaves the columns asked for, in the table's own order. Some that are
// not there are ignored, so that a script can ask for what a newer version has.
func (o *Options) choose(header []string, rows [][]string) ([]string, [][]string, error) {
	if len(o.Columns) == 0 {
		return header, rows, nil
	}
	var at []int
	for i, name := range header {
		if slices.Contains(o.Columns, name) {
			at = append(at, i)
		}
	}
	if len(at) == 0 {
		return nil, nil, fmt.Errorf("no column %s: there are %s", strings.Join(o.Columns, ", "), strings.Join(header, ", "))
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

// writeJSON keeps the order of the columns.
func writeJSON(w io.Writer, header []string, rows [][]string) error {
	var all bytes.Buffer
	all.WriteString("[")
	for i, r := range rows {
		if i > 0 {
			all.WriteString(",")
		}
		all.WriteString("{")
		for j, name := range header {
			if j > 0 {
				all.WriteString(",")
			}
			e := json.NewEncoder(&all)
			e.SetEscapeHTML(false)
			if err := e.Encode(name); err != nil {
				return err
			}
			all.WriteString(":")
			if err := e.Encode(r[j]); err != nil {
				return err
			}
		}
		all.WriteString("}")
	}
	all.WriteString("]")
	var out bytes.Buffer
	if err := json.Indent(&out, all.Bytes(), "", "  "); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, out.String())
	return err
}

// writeCSV quotes all texts, and all here is text.
func writeCSV(w io.Writer, header []string, rows [][]string) error {
	for _, r := range append([][]string{header}, rows...) {
		quoted := make([]string, 0, len(r))
		for _, cell := range r {
			quoted = append(quoted, `"`+strings.ReplaceAll(cell, `"`, `""`)+`"`)
		}
		if _, err := fmt.Fprintln(w, strings.Join(quoted, ",")); err != nil {
			return err
		}
	}
	return nil
}

func writeYAML(w io.Writer, header []string, rows [][]string) error {
	all := make([]map[string]string, 0, len(rows))
	for _, r := range rows {
		m := make(map[string]string, len(header))
		for i, h := range header {
			m[h] = r[i]
		}
		all = append(all, m)
	}
	e := yaml.NewEncoder(w)
	e.SetIndent(2)
	if err := e.Encode(all); err != nil {
		return err
	}
	return e.Close()
}
