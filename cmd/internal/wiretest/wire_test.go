// Package wiretest sends recorded requests to the service again and compares
// what it answers with what was recorded. docs/api/wire.md has the format.
package wiretest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// wireVar names the folder with the recorded scenarios.
const wireVar = "WIRE"

func TestWire(t *testing.T) {
	dir := os.Getenv(wireVar)
	if dir == "" {
		t.Skip("left out: no recorded scenarios; make test-wire WIRE=DIR replays those in DIR")
	}
	files, err := filepath.Glob(filepath.Join(dir, "[0-9]*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios in %s (%v)", dir, err)
	}
	over, err := readOverlay(filepath.Join(dir, "overlay.json"))
	if err != nil {
		t.Fatal(err)
	}
	packageDir := buildDriver(t)
	total := tally{}
	for _, file := range files { // Glob sorts
		s, err := readScenario(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(s.Name, func(t *testing.T) {
			r := newReplay(t, newLab(t, packageDir, s.refused()), over, s.Name)
			for _, step := range s.Steps {
				r.do(step)
			}
			fmt.Printf("%-24s %v\n", s.Name, r.tally)
			total.add(r.tally)
			if n := len(r.tally.names[differ]); n > 0 {
				t.Errorf("%d answers differ:\n%s", n, strings.Join(r.report, "\n"))
			}
		})
	}
	fmt.Printf("%-24s %v\n", "total", total)
	for _, name := range total.names[absent] {
		fmt.Println("absent:", name)
	}
}

// verdict is what became of one step.
type verdict string

const (
	same     verdict = "same"
	accepted verdict = "accepted" // by the overlay
	differ   verdict = "differ"
	absent   verdict = "absent" // there is no such route here yet
)

// tally has the names of the steps by verdict.
type tally struct{ names map[verdict][]string }

func (c *tally) count(v verdict, names ...string) {
	if c.names == nil {
		c.names = map[verdict][]string{}
	}
	c.names[v] = append(c.names[v], names...)
}

func (c *tally) add(other tally) {
	for v, names := range other.names {
		c.count(v, names...)
	}
}

func (c tally) String() string {
	var parts []string
	for _, v := range []verdict{same, accepted, differ, absent} {
		parts = append(parts, fmt.Sprintf("%s %d", v, len(c.names[v])))
	}
	return strings.Join(parts, ", ")
}
