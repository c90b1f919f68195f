// Package wiretest sends recorded requests to the service again and compares
// what it answers with what was recorded. docs/api/wire.md has the format.
package wiretest

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
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
	var bridges []bridge
	if err := readJSON("bridges.json", &bridges); err != nil {
		t.Fatal(err)
	}
	packages := buildDrivers(t)
	total := tally{}
	for _, file := range files { // Glob sorts
		s, err := readScenario(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(s.Name, func(t *testing.T) {
			r := newReplay(t, newLab(t, packages), over, bridges, s)
			for _, step := range s.Steps {
				r.do(step)
			}
			fmt.Printf("%-24s %v\n", s.Name, r.tally)
			total.add(r.tally)
			if len(r.report) > 0 {
				t.Errorf("%v:\n%s", r.tally, strings.Join(r.report, "\n"))
			}
		})
	}
	fmt.Printf("%-24s %v\n", "total", total)
	for _, v := range []verdict{same, accepted} {
		for _, why := range slices.Sorted(maps.Keys(total.whys[v])) {
			fmt.Printf("%s %d times: %s\n", v, total.whys[v][why], why)
		}
	}
	for _, v := range []verdict{bridged, absent} {
		for _, name := range total.names[v] {
			fmt.Printf("%s: %s\n", v, name)
		}
	}
}

// verdict is what became of one step.
type verdict string

const (
	same     verdict = "same"     // but for differences that never count
	accepted verdict = "accepted" // another right answer to this step, or one of our own differences
	differ   verdict = "differ"
	absent   verdict = "absent"  // there is no such route here yet
	bridged  verdict = "bridged" // no step: sent because the recording lacks it
)

// tally has the names of the steps by verdict, and how often there was which
// reason for it.
type tally struct {
	names map[verdict][]string
	whys  map[verdict]map[string]int
}

func (c *tally) count(v verdict, names ...string) {
	if c.names == nil {
		c.names = map[verdict][]string{}
	}
	c.names[v] = append(c.names[v], names...)
}

// because counts the reasons for one step, each once.
func (c *tally) because(v verdict, whys []string) {
	for _, why := range slices.Compact(slices.Sorted(slices.Values(whys))) {
		c.reason(v, why, 1)
	}
}

func (c *tally) reason(v verdict, why string, n int) {
	if c.whys == nil {
		c.whys = map[verdict]map[string]int{same: {}, accepted: {}}
	}
	c.whys[v][why] += n
}

func (c *tally) add(other tally) {
	for v, names := range other.names {
		c.count(v, names...)
	}
	for v, whys := range other.whys {
		for why, n := range whys {
			c.reason(v, why, n)
		}
	}
}

func (c tally) String() string {
	var parts []string
	for _, v := range []verdict{same, accepted, differ, absent, bridged} {
		parts = append(parts, fmt.Sprintf("%s %d", v, len(c.names[v])))
	}
	return strings.Join(parts, ", ")
}
