package state

import (
	"database/sql"
	"fmt"
	"reflect"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"
)

// Rows are read here and not by bun, which looks up each column's name for
// each row: that takes longer than the database does. What a column's value
// becomes in a field is still bun's to say.

// fill puts a row's values into the fields they belong to.
func fill(row reflect.Value, fields []*schema.Field, values []any) error {
	for i, f := range fields {
		if err := f.ScanValue(row, values[i]); err != nil {
			return fmt.Errorf("column %s: %w", f.Name, err)
		}
	}
	return nil
}

// landing is where database/sql puts a row's values.
type landing struct {
	values []any
	into   []any // pointers to values
}

func newLanding(n int) *landing {
	l := &landing{make([]any, n), make([]any, n)}
	for i := range l.values {
		l.into[i] = &l.values[i]
	}
	return l
}

// fieldsOf are the fields that columns go to.
func fieldsOf(table *schema.Table, columns []string) ([]*schema.Field, error) {
	fields := table.Fields
	same := len(columns) == len(fields)
	for i := 0; same && i < len(columns); i++ {
		same = columns[i] == fields[i].Name
	}
	if same { // nearly always
		return fields, nil
	}
	fields = make([]*schema.Field, len(columns))
	for i, name := range columns {
		if fields[i] = table.LookupField(name); fields[i] == nil {
			return nil, fmt.Errorf("%s has no field for column %s", table.TypeName, name)
		}
	}
	return fields, nil
}

// scanRows reads an answer to its end into a slice of rows, and closes it.
func scanRows(db bun.IDB, found *sql.Rows, slice any) error {
	defer func() { _ = found.Close() }() // after the end it has nothing to say
	all := reflect.ValueOf(slice).Elem()
	columns, err := found.Columns()
	if err != nil {
		return err
	}
	fields, err := fieldsOf(db.Dialect().Tables().Get(all.Type().Elem()), columns)
	if err != nil {
		return err
	}
	l := newLanding(len(columns))
	for n := all.Len(); found.Next(); n++ {
		if err := found.Scan(l.into...); err != nil {
			return err
		}
		if n == all.Cap() {
			all.Grow(max(n, 1))
		}
		all.SetLen(n + 1)
		if err := fill(all.Index(n), fields, l.values); err != nil {
			return err
		}
	}
	return found.Err()
}
