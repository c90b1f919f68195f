package wiretest

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
)

type scenario struct {
	Name  string `json:"scenario"`
	Steps []step `json:"steps"`
}

type step struct {
	ID       string    `json:"id"`
	Request  request   `json:"request"`
	Setup    bool      `json:"setup"`
	Response *response `json:"response"`
}

type request struct {
	Who     string             `json:"who"`
	Method  string             `json:"method"`
	Path    string             `json:"path"`
	Headers map[string]*string `json:"headers"` // null takes a default away
	Body    json.RawMessage    `json:"body"`
	Raw     *string            `json:"raw"`
	Save    map[string]string  `json:"save"`
	Until   *until             `json:"until"`
	Mask    []string           `json:"mask"`
	Only    string             `json:"only"`
}

type until struct {
	Status  int     `json:"status"`
	Field   string  `json:"field"`
	Match   string  `json:"match"`
	Timeout float64 `json:"timeout"`
}

type response struct {
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    any               `json:"body"`
}

func readScenario(path string) (*scenario, error) {
	s := &scenario{}
	return s, readJSON(path, s)
}

func readJSON(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// overlay says where the service may answer otherwise, and where it must.
type overlay struct {
	Global []globalRule `json:"global"`
	Steps  []stepRule   `json:"steps"`
}

// globalRule lets a difference pass. What is not given matches all.
type globalRule struct {
	ours     bool     // not of the recordings' overlay, and so worth counting
	Why      string   `json:"why"`
	Path     string   `json:"path"`
	Kind     string   `json:"kind"` // extra, missing or changed
	Steps    []string `json:"steps"`
	Expected *string  `json:"expected"`
	Actual   *string  `json:"actual"`
	// Without is taken out of the actual value, which then is as recorded.
	Without string `json:"without"`
}

// stepRule is another right answer to some steps; with Must the only one.
type stepRule struct {
	Why    string   `json:"why"`
	Step   []string `json:"step"`
	Must   bool     `json:"must"`
	Status statuses `json:"status"`
	Body   []inBody `json:"body"`
}

type inBody struct{ Path, Match string }

// statuses is one number or a list of them.
type statuses []int

func (s *statuses) UnmarshalJSON(text []byte) error {
	var one int
	if json.Unmarshal(text, &one) == nil {
		*s = statuses{one}
		return nil
	}
	return json.Unmarshal(text, (*[]int)(s))
}

// readOverlay joins what the recordings' overlay allows, if there is one, and
// what we do otherwise on purpose.
func readOverlay(path string) (*overlay, error) {
	theirs, ours := &overlay{}, &overlay{}
	if err := readJSON(path, theirs); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	if err := readJSON("ours.json", ours); err != nil {
		return nil, err
	}
	for i := range ours.Global {
		ours.Global[i].ours = true
	}
	return &overlay{Global: append(theirs.Global, ours.Global...), Steps: append(theirs.Steps, ours.Steps...)}, nil
}

// allows finds the rule by which a difference may be, nil without one.
func (o *overlay) allows(name string, d difference) *globalRule {
	for i, r := range o.Global {
		if whole(r.Path, d.path) && (r.Kind == "" || r.Kind == d.kind) && (r.Steps == nil || named(r.Steps, name)) &&
			(r.Expected == nil || whole(*r.Expected, text(d.expected))) && (r.Actual == nil || whole(*r.Actual, text(d.actual))) &&
			(r.Without == "" || fits(text(d.expected), regexp.MustCompile(r.Without).ReplaceAllString(text(d.actual), ""))) {
			return &o.Global[i]
		}
	}
	return nil
}

// other finds another right answer to a step.
func (o *overlay) other(name string) *stepRule {
	for i, r := range o.Steps {
		if named(r.Step, name) {
			return &o.Steps[i]
		}
	}
	return nil
}

// fits compares an answer with the rule.
func (r *stepRule) fits(got *response) bool {
	ok := r.Status == nil
	for _, status := range r.Status {
		ok = ok || status == got.Status
	}
	for _, b := range r.Body {
		value, found := at(got.Body, b.Path)
		ok = ok && found && contains(b.Match, text(value))
	}
	return ok
}

// whole matches a pattern against all of a text.
func whole(pattern, s string) bool {
	return regexp.MustCompile(`^(?:` + pattern + `)$`).MatchString(s)
}

// contains matches a pattern against a part of a text.
func contains(pattern, s string) bool { return regexp.MustCompile(pattern).MatchString(s) }

// named matches a name against patterns in which * is anything.
func named(patterns []string, name string) bool {
	for _, p := range patterns {
		if whole(strings.ReplaceAll(regexp.QuoteMeta(p), `\*`, ".*"), name) {
			return true
		}
	}
	return false
}

// text is a value as rules see it.
func text(value any) string {
	if s, ok := value.(string); ok {
		return s
	}
	b, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
