package api

import (
	"maps"
	"slices"
	"strconv"

	"github.com/go-magnum/magnum/core/magnum"
)

// document collects a stored object's attributes as JSON values, for a patch
// to work on.
type document struct{ value }

func newDocument() *document { return &document{value{kind: object}} }

func (d *document) add(name string, v value) { d.members = append(d.members, member{name, v}) }

func textValue(s string) value { return value{kind: text, text: s} }

// text is null where it is empty.
func (d *document) addText(name, s string) {
	if s == "" {
		d.add(name, value{})
		return
	}
	d.add(name, textValue(s))
}

// addNumber is null where it is zero.
func (d *document) addNumber(name string, n int) {
	if n == 0 {
		d.add(name, value{})
		return
	}
	d.addInt(name, n)
}

func (d *document) addInt(name string, n int) {
	d.add(name, value{kind: number, text: strconv.Itoa(n)})
}

func (d *document) addBool(name string, b bool) { d.add(name, value{kind: boolean, truth: b}) }

// addMap is an empty map where there is none, as upstream reads a null.
func (d *document) addMap(name string, m magnum.Labels) {
	v := value{kind: object}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		v.members = append(v.members, member{k, textValue(m[k])})
	}
	d.add(name, v)
}

// differing names the attributes that two documents do not agree on.
func differing(before, after *document) []string {
	var names []string
	for _, m := range before.members {
		other := after.member(m.name)
		if other == nil || other.value.str() != m.value.str() || other.value.kind != m.value.kind {
			names = append(names, m.name)
		}
	}
	slices.Sort(names)
	return names
}
