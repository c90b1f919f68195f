package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// Every command says what it is for, and every flag too.
func TestEveryCommandIsExplained(t *testing.T) {
	var look func(c *cobra.Command)
	look = func(c *cobra.Command) {
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: one line about it is missing, or ends in a full stop: %q", c.CommandPath(), c.Short)
		}
		for _, line := range strings.Split(c.Example, "\n") {
			if line != "" && !strings.HasPrefix(line, "  ") {
				t.Errorf("%s: example %q is not indented", c.CommandPath(), line)
			}
		}
		for _, sub := range c.Commands() {
			look(sub)
		}
	}
	look(root())
}

func TestManPages(t *testing.T) {
	h := newHost(t)
	dir := filepath.Join(h.dir, "man")
	h.must("man", dir)
	page, err := os.ReadFile(filepath.Join(dir, "magnum-driver-manage-new.8"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{".SH EXAMPLE", "Write the first files of a driver", "k8s_acme_v1"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page has no %q:\n%s", want, page)
		}
	}
	for _, c := range root().Commands() {
		if _, err := os.Stat(filepath.Join(dir, "magnum-driver-manage-"+c.Name()+".8")); err != nil != c.Hidden {
			t.Errorf("page of %s: %v", c.Name(), err)
		}
	}
}
