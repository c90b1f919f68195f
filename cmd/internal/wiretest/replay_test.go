package wiretest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// longest bounds every wait, whatever the recording allows: nothing here
// takes as long as servers do.
const longest = 15 * time.Second

// replay is one scenario under way.
type replay struct {
	t      testing.TB
	lab    *lab
	over   *overlay
	name   string
	saved  map[string]string
	made   map[string]bool  // uuids of what this scenario made
	unmade []map[string]any // what the recording made and this service rightly refused
	cross  []*crossing
	lost   map[string]verdict // variables of steps that gave no value, and why
	tally  tally
	report []string
}

func newReplay(t testing.TB, l *lab, over *overlay, bridges []bridge, s *scenario) *replay {
	return &replay{
		t: t, lab: l, over: over, name: s.Name, cross: crossings(bridges, s),
		saved: map[string]string{}, made: map[string]bool{}, lost: map[string]verdict{},
	}
}

// span sends what is missing in the recording before a step.
func (r *replay) span(s step) {
	for _, c := range needed(r.cross, s.ID) {
		label := fmt.Sprintf("%s/%s: %s %s before it (%s)", r.name, s.ID, c.Request.Method, c.Request.Path, c.Why)
		v, notes := r.judge(step{Request: c.Request, Setup: true})
		if v == same {
			r.tally.count(bridged, label)
			continue
		}
		r.tally.count(v, label)
		r.report = append(r.report, append([]string{label}, indent(notes)...)...)
	}
}

func indent(notes []string) []string {
	all := make([]string, len(notes))
	for i, note := range notes {
		all[i] = "    " + note
	}
	return all
}

// do sends a step's request and judges the answer.
func (r *replay) do(s step) {
	r.span(s)
	v, notes := r.judge(s)
	if v != same && v != accepted {
		for name := range s.Request.Save {
			if _, ok := r.saved[name]; !ok {
				r.lost[name] = v
			}
		}
	}
	if s.Setup || s.Response == nil {
		if v == same {
			return // it did what later steps need
		}
	}
	label := r.name + "/" + s.ID
	if v == absent {
		route, _, _ := strings.Cut(s.Request.Path, "?")
		label += " (" + s.Request.Method + " " + route + ")"
	}
	r.tally.count(v, label)
	switch v {
	case same, accepted:
		r.tally.because(v, notes)
	case differ:
		r.report = append(r.report, label+" ("+s.Request.Who+" "+s.Request.Method+" "+s.Request.Path+")")
		r.report = append(r.report, indent(notes)...)
	case absent:
		r.report = append(r.report, label+": there is no such route")
	}
}

func (r *replay) judge(s step) (verdict, []string) {
	path, why := r.fill(s.Request.Path)
	body, whyBody := r.fill(string(s.Request.Body))
	if why == "" {
		why = whyBody
	}
	if why != "" {
		return why, []string{"needs what an earlier step did not answer"}
	}
	status, header, text := r.send(&s.Request, path, body)
	passed(r.cross, &s, status)
	r.save(s.Request, status, text)
	got := r.names(s.Request).normal(status, header, text, s.Request.Mask)
	if u := s.Request.Until; u != nil && !u.done(status, text) {
		return missing(s, got, differ), []string{fmt.Sprintf("waited in vain; the last answer was %d %.300s", status, text)}
	}
	if s.Setup || s.Response == nil {
		if u := s.Request.Until; u != nil && u.badEnd(text) {
			return differ, []string{fmt.Sprintf("failed, and need not have: %.600s", text)}
		}
		if status >= http.StatusBadRequest && (s.Request.Until == nil || s.Request.Until.Status != status) {
			return missing(s, got, differ), []string{fmt.Sprintf("later steps need this: %d %.300s", status, text)}
		}
		return same, nil
	}
	if s.Request.Only != "" {
		r.only(got, text, s.Request.Only)
	}
	return r.weigh(s, got)
}

// weigh compares an answer with the recording and the overlay. Differences that
// the overlay allows everywhere do not count.
func (r *replay) weigh(s step, got *response) (verdict, []string) {
	label := r.name + "/" + s.ID
	rule := r.over.other(label)
	if rule != nil && rule.Must {
		if rule.fits(got) {
			return accepted, []string{rule.Why}
		}
		return missing(s, got, differ), []string{fmt.Sprintf("not as the overlay demands: %d %.300s", got.Status, text(got.Body))}
	}
	want := *s.Response
	want.Body = mask(want.Body, s.Request.Mask)
	v := same
	var notes, whys []string
	if s.Request.Only != "" && r.forget(want.Body, s.Request.Only) {
		v, whys = accepted, append(whys, "what was rightly refused is not in later lists")
	}
	for _, d := range compare(&want, got) {
		allowed := r.over.allows(label, d)
		if allowed == nil {
			notes = append(notes, d.String())
			continue
		}
		whys = append(whys, allowed.Why)
		if allowed.ours {
			v = accepted
		}
	}
	if len(notes) == 0 {
		return v, whys
	}
	if rule != nil && rule.fits(got) {
		body, ok := want.Body.(map[string]any)
		if ok && s.Request.Method == http.MethodPost && want.Status < http.StatusBadRequest && got.Status >= http.StatusBadRequest {
			r.unmade = append(r.unmade, body)
		}
		return accepted, []string{rule.Why}
	}
	return missing(s, got, differ), notes
}

// missing turns a verdict into absent where the answer is that of the router,
// and not the one that was recorded.
func missing(s step, got *response, v verdict) verdict {
	code, ok := at(got.Body, "errors.0.code")
	lost := ok && code == "" && (got.Status == http.StatusNotFound || got.Status == http.StatusMethodNotAllowed)
	if lost && (s.Response == nil || s.Response.Status != got.Status || !routing(s.Response.Body)) {
		return absent
	}
	return v
}

func routing(body any) bool {
	code, ok := at(body, "errors.0.code")
	return ok && code == ""
}

// mask covers in the recording what is covered in the answer.
func mask(v any, masked []string) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = mask(v[i], masked)
		}
	case map[string]any:
		for name := range v {
			if slices.Contains(masked, name) {
				v[name] = "<any>"
			} else {
				v[name] = mask(v[name], masked)
			}
		}
	}
	return v
}

var variable = regexp.MustCompile(`\$\{([^}|]+)(\|[a-z]+)?\}`)

// fill puts saved values in; a verdict says that there is none.
func (r *replay) fill(s string) (string, verdict) {
	var why verdict
	s = variable.ReplaceAllStringFunc(s, func(found string) string {
		m := variable.FindStringSubmatch(found)
		value, ok := r.saved[m[1]]
		if !ok {
			value, ok = r.lab.ids[m[1]]
		}
		if !ok {
			if why = r.lost[m[1]]; why == "" {
				why = differ
			}
		}
		switch m[2] {
		case "|upper":
			value = strings.ToUpper(value)
		case "|nodash":
			value = strings.ReplaceAll(value, "-", "")
		}
		return value
	})
	return s, why
}

// names are the words for what is known by now.
func (r *replay) names(q request) *names {
	words := map[string]string{r.lab.url: "<base>", r.lab.keystone: "<keystone>"}
	for name, id := range r.lab.ids {
		kind, who, _ := strings.Cut(name, ".")
		words[id] = "<" + kind + ":" + who + ">"
	}
	for name, value := range r.saved {
		if !uuidPattern.MatchString(value) {
			continue
		}
		words[value] = "<uuid:" + name + ">"
		words[strings.ToUpper(value)] = "<uuid:" + name + "|upper>"
		words[strings.ReplaceAll(value, "-", "")] = "<uuid:" + name + "|nodash>"
	}
	literal := q.Path + string(q.Body)
	if q.Raw != nil {
		literal += *q.Raw
	}
	return newNames(words, literal)
}

// save keeps what later steps ask for, and what was made.
func (r *replay) save(q request, status int, text []byte) {
	var body any
	if json.Unmarshal(text, &body) != nil {
		return
	}
	if id, ok := at(body, "uuid"); ok && q.Method == http.MethodPost && status < http.StatusBadRequest {
		r.made[fmt.Sprint(id)] = true
	}
	for name, path := range q.Save {
		if value, ok := at(body, path); ok {
			r.saved[name] = fmt.Sprint(value)
		}
	}
}

// only leaves of a list what the scenario made.
func (r *replay) only(got *response, text []byte, list string) {
	var body map[string]any
	shown, ok := at(got.Body, list)
	if !ok || json.Unmarshal(text, &body) != nil {
		return
	}
	normal, _ := shown.([]any)
	raw, _ := body[list].([]any)
	ours := []any{}
	for i := range raw {
		if id, _ := at(raw[i], "uuid"); r.made[fmt.Sprint(id)] {
			ours = append(ours, normal[i])
		}
	}
	got.Body.(map[string]any)[list] = ours
}

// done says whether an answer is the one that was waited for.
func (u *until) done(status int, text []byte) bool {
	if u.Field == "" {
		return status == u.Status
	}
	var body any
	if json.Unmarshal(text, &body) != nil {
		return false
	}
	value, ok := at(body, u.Field)
	return ok && value != nil && whole(u.Match, fmt.Sprint(value))
}

// badEnd says whether what was waited for failed, where it could as well have
// come to a good end.
func (u *until) badEnd(text []byte) bool {
	var body any
	if u.Field == "" || json.Unmarshal(text, &body) != nil {
		return false
	}
	value, _ := at(body, u.Field)
	s, _ := value.(string)
	start, failed := strings.CutSuffix(s, "_FAILED")
	return failed && whole(u.Match, start+"_COMPLETE")
}

// send sends a request, again and again where the recording did.
func (r *replay) send(q *request, path, body string) (int, http.Header, []byte) {
	if q.Until == nil {
		return r.once(q, path, body)
	}
	wait := longest
	if given := time.Duration(q.Until.Timeout * float64(time.Second)); given > 0 {
		wait = min(wait, given)
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(wait)
	for {
		status, header, text := r.once(q, path, body)
		gone := q.Until.Status == 0 && status == http.StatusNotFound // it will not come back
		if gone || q.Until.done(status, text) {
			return status, header, text
		}
		select {
		case <-tick.C:
		case <-deadline:
			return status, header, text
		}
	}
}

func (r *replay) once(q *request, path, body string) (int, http.Header, []byte) {
	r.t.Helper()
	if q.Raw != nil {
		body = *q.Raw
	}
	req, err := http.NewRequestWithContext(r.t.Context(), q.Method, r.lab.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Accept", "application/json")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	switch q.Who {
	case "none":
	case "bad-token":
		req.Header.Set("X-Auth-Token", "not-a-token")
	default:
		req.Header.Set("X-Auth-Token", r.lab.tokens[q.Who])
	}
	for name, value := range q.Headers {
		if value == nil {
			req.Header.Del(name)
			continue
		}
		req.Header.Set(name, *value)
	}
	resp, err := r.lab.transport.RoundTrip(req) // follows nothing
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, text
}
