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
	write("nested/go.mod", "module nested\n")
	write("nested/n.go", "package n\nimport _ \"example.org/x\"\n")

	got, files, err := find(root, []Rule{
		{Dir: ".", Deny: []string{"example.org/x"}, Except: []string{"example.org/x/fine"}, Why: "because"},
		{Dir: "a", Deny: []string{"example.org/x/inner"}, Why: "above all in a"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"a/a.go imports example.org/x/inner: because",
		"a/a.go imports example.org/x/inner: above all in a",
		"b/b.go imports example.org/x: because",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("breaches (-want +got):\n%s", d)
	}
	if files != 2 {
		t.Errorf("read %d files, want 2: a nested module is not this module's", files)
	}
}
