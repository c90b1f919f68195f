package supervise_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestFaultsAreHeld checks that each fault in the table of
// docs/design/0003-driver-processes.md names tests that exist.
func TestFaultsAreHeld(t *testing.T) {
	text, err := os.ReadFile("../../docs/design/0003-driver-processes.md")
	if err != nil {
		t.Fatal(err)
	}
	sources := map[string]string{}
	for _, pkg := range []string{"launch", "supervise"} {
		files, err := filepath.Glob("../" + pkg + "/*_test.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			source, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			sources[pkg] += string(source)
		}
	}
	rows := regexp.MustCompile(`(?m)^\| \d+ \|.*$`).FindAllString(string(text), -1)
	if len(rows) != 13 {
		t.Errorf("%d faults, there are 13", len(rows))
	}
	for _, row := range rows {
		named := regexp.MustCompile("`(launch|supervise)\\.(Test\\w+)`").FindAllStringSubmatch(row, -1)
		if len(named) == 0 {
			t.Errorf("no test: %s", row)
		}
		for _, n := range named {
			if !strings.Contains(sources[n[1]], "\nfunc "+n[2]+"(") {
				t.Errorf("no such test %s.%s", n[1], n[2])
			}
		}
	}
}
