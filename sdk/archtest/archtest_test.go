package archtest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFind(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("a/a.go", "package a\nimport _ \"example.org/x/inner\"\n")
	write("b/b.go", "package b\nimport (\n\t_ \"example.org/x\"\n\t_ \"example.org/xy\"\n\t_ \"example.org/x/fine\"\n)\n")
	write("b/b_test.go", "package b\nimport _ \"example.org/kit\"\n")
	write("b/kit/kit.go", "package kit\nimport (\n\t_ \"example.org/kit\"\n\t_ \"example.org/big\"\n)\n")
	write("b/kits/kits.go", "package kits\nimport _ \"example.org/big\"\n")
	write("nested/go.mod", "module nested\n")
	write("nested/n.go", "package n\nimport _ \"example.org/x\"\n")

	got, files, err := find(root, []Rule{
		{Dir: ".", Deny: []string{"example.org/x"}, Except: []string{"example.org/x/fine"}, Why: "because"},
		{Dir: "a", Deny: []string{"example.org/x/inner"}, Why: "above all in a"},
		{Dir: ".", Shipped: true, Deny: []string{"example.org/kit"}, Why: "for tests"},
		{Dir: "b", But: []string{"b/kit"}, Deny: []string{"example.org/big"}, Why: "too big"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"a/a.go imports example.org/x/inner: because",
		"a/a.go imports example.org/x/inner: above all in a",
		"b/b.go imports example.org/x: because",
		"b/kit/kit.go imports example.org/kit: for tests",
		"b/kits/kits.go imports example.org/big: too big",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("breaches (-want +got):\n%s", d)
	}
	if files != 5 {
		t.Errorf("read %d files, want 5: a nested module is not this module's", files)
	}
}
