package wiretest

import (
	"net/http"
	"slices"
	"strings"
)

// Recordings may be samples: a step that only changes something can be missing
// where later ones need what it did. bridges.json has such requests. One is
// sent before a step, and only where the recording itself has none like it.

type bridge struct {
	Scenario string   `json:"scenario"`
	Before   []string `json:"before"` // the first of them that the scenario has
	Why      string   `json:"why"`
	Request  request  `json:"request"`
	Unless   unless   `json:"unless"`
}

// unless describes the recorded requests that make a bridge needless: those of
// its method that were not refused, between two steps.
type unless struct {
	After string `json:"after"` // a step; from the start without
	Path  string `json:"path"`  // a pattern for all of the path but its query
	Body  string `json:"body"`  // a pattern for a part of the body
}

// bridgesOf finds what has to be sent before which step of a scenario.
func bridgesOf(all []bridge, s *scenario) map[string][]bridge {
	found := map[string][]bridge{}
	for _, b := range all {
		if b.Scenario != s.Name {
			continue
		}
		at := -1
		for _, id := range b.Before {
			if at = s.index(id); at >= 0 {
				break
			}
		}
		if at < 0 {
			continue
		}
		from := min(s.index(b.Unless.After)+1, at)
		if !slices.ContainsFunc(s.Steps[from:at], b.needless) {
			id := s.Steps[at].ID
			found[id] = append(found[id], b)
		}
	}
	return found
}

// index is the place of a step, -1 without one.
func (s *scenario) index(id string) int {
	return slices.IndexFunc(s.Steps, func(one step) bool { return one.ID == id })
}

// needless reports whether a recorded step does what the bridge is for.
func (b bridge) needless(s step) bool {
	path, _, _ := strings.Cut(s.Request.Path, "?")
	refused := s.Response != nil && s.Response.Status >= http.StatusBadRequest
	return !refused && s.Request.Method == b.Request.Method && whole(b.Unless.Path, strings.TrimSuffix(path, "/")) &&
		contains(b.Unless.Body, string(s.Request.Body))
}
