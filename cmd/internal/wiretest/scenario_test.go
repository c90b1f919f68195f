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

// refused reports whether the scenario waits for a cluster to fail. Recordings
// had that from a label that Heat refuses in the driver's template; here the
// driver behind may have no such label, so Heat has to be told.
func (s *scenario) refused() bool {
	for _, step := range s.Steps {
		if u := step.Request.Until; u != nil && u.Match == "CREATE_FAILED" {
			return true
		}
	}
	return false
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
	Path     string   `json:"path"`
	Kind     string   `json:"kind"` // extra, missing or changed
	Steps    []string `json:"steps"`
	Expected *string  `json:"expected"`
	Actual   *string  `json:"actual"`
}

// stepRule is another right answer to some steps; with Must the only one.
type stepRule struct {
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

func readOverlay(path string) (*overlay, error) {
	o := &overlay{}
	if err := readJSON(path, o); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	return o, nil
}

// allows reports whether a difference does not count.
func (o *overlay) allows(name string, d difference) bool {
	for _, r := range o.Global {
		if whole(r.Path, d.path) && (r.Kind == "" || r.Kind == d.kind) && (r.Steps == nil || named(r.Steps, name)) &&
			(r.Expected == nil || whole(*r.Expected, text(d.expected))) && (r.Actual == nil || whole(*r.Actual, text(d.actual))) {
			return true
		}
	}
	return false
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
		ok = ok && found && regexp.MustCompile(b.Match).MatchString(text(value))
	}
	return ok
}

// whole matches a pattern against all of a text.
func whole(pattern, s string) bool {
	return regexp.MustCompile(`^(?:` + pattern + `)$`).MatchString(s)
}

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
