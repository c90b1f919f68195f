package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// folder is a driver with one file.
func folder(t *testing.T, dir, driver, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, driver, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, driver)
}

func numbered(from, to int) string {
	var b strings.Builder
	for i := from; i <= to; i++ {
		fmt.Fprintf(&b, "line %d\n", i)
	}
	return b.String()
}

func TestCompare(t *testing.T) {
	for _, tt := range []struct {
		name, a, b string
		want       []string
	}{
		{"twelve", numbered(1, 12) + "a\n", numbered(1, 12) + "b\n", nil},
		{"thirteen", "first\n" + numbered(1, 13) + "a\n", numbered(1, 13) + "b\n", []string{"A/x.sh:2 and B/x.sh:1: 13 equal lines"}},
		{"a long one is one", numbered(1, 40), "first\n" + numbered(1, 40), []string{"A/x.sh:1 and B/x.sh:2: 40 equal lines"}},
		{"comments and blanks between", numbered(1, 7) + "# a\n\n" + numbered(8, 13), numbered(1, 3) + "// b\n{{- /*\nmany\n*/ -}}\n" + numbered(4, 13),
			[]string{"A/x.sh:1 and B/x.sh:1: 13 equal lines"}},
		{"comments alone", strings.Repeat("# equal\n", 20), strings.Repeat("# equal\n", 20) + "x\n", nil},
		{"indentation", numbered(1, 13), "  " + strings.ReplaceAll(numbered(1, 13), "\n", "\n\t"), []string{"A/x.sh:1 and B/x.sh:1: 13 equal lines"}},
		{"a line between", numbered(1, 7) + "own\n" + numbered(8, 13), numbered(1, 13), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			found, err := compare([]string{folder(t, dir, "A", "x.sh", tt.a), folder(t, dir, "B", "x.sh", tt.b)})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range found {
				got = append(got, strings.ReplaceAll(r.String(), dir+"/", ""))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNotCompared(t *testing.T) {
	dir := t.TempDir()
	a := folder(t, dir, "A", "testdata/x.sh", numbered(1, 20))
	folder(t, dir, "A", "y.go", "one\n")
	folder(t, dir, "A", "twice/x.sh", numbered(1, 20))
	folder(t, dir, "A", "twice/y.sh", numbered(1, 20))
	b := folder(t, dir, "B", "testdata/x.sh", numbered(1, 20))
	folder(t, dir, "B", "y.go", "two\n")
	if found, err := compare([]string{a, b}); err != nil || len(found) != 0 {
		t.Error(found, err)
	}
	if _, err := compare([]string{folder(t, dir, "C", "README", "x"), b}); err == nil {
		t.Error("a folder without a file to compare passes")
	}
}
