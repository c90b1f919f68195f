package wiretest

import (
	"net/http"
	"slices"
	"strings"
)

// Recordings may be samples: a step that only changes something can be missing
// where later ones need what it did. bridges.json has such requests. One is
// sent before a step, and only where the recording itself had nothing like it.

type bridge struct {
	Scenario string   `json:"scenario"`
	Before   []string `json:"before"` // the first of them that the scenario has
	Why      string   `json:"why"`
	Request  request  `json:"request"`
	Unless   unless   `json:"unless"`
}

// unless describes the recorded requests that make a bridge needless: those of
// its method that were not refused, here and now.
type unless struct {
	After string `json:"after"` // a step; from the start without, or if the scenario has none
	Path  string `json:"path"`  // a pattern for all of the path but its query
	Body  string `json:"body"`  // a pattern for a part of the body
}

// like reports whether a request does what the bridge is for.
func (b *bridge) like(q *request) bool {
	path, _, _ := strings.Cut(q.Path, "?")
	return q.Method == b.Request.Method && whole(b.Unless.Path, strings.TrimSuffix(path, "/")) && contains(b.Unless.Body, string(q.Body))
}

// crossing is a bridge on its way through a scenario.
type crossing struct {
	bridge
	before string // a step's id
	from   bool   // the step after which requests count is past
	done   bool   // it is not needed any more
}

// crossings are the bridges that a scenario may need.
func crossings(all []bridge, s *scenario) []*crossing {
	has := func(id string) bool { return slices.ContainsFunc(s.Steps, func(one step) bool { return one.ID == id }) }
	var found []*crossing
	for _, b := range all {
		i := slices.IndexFunc(b.Before, has)
		if b.Scenario == s.Name && i >= 0 {
			found = append(found, &crossing{bridge: b, before: b.Before[i], from: !has(b.Unless.After)})
		}
	}
	return found
}

// needed are the bridges to be sent before a step. None is sent twice.
func needed(all []*crossing, id string) []*crossing {
	var found []*crossing
	for _, c := range all {
		if c.before == id && !c.done {
			c.done = true
			found = append(found, c)
		}
	}
	return found
}

// passed notes that a step was sent, and with which status it was answered.
func passed(all []*crossing, s *step, status int) {
	for _, c := range all {
		c.done = c.done || c.from && status < http.StatusBadRequest && c.like(&s.Request)
		c.from = c.from || c.Unless.After == s.ID
	}
}
