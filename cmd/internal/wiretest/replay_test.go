package wiretest

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// longest bounds every wait, whatever the recording allows: nothing here
// takes as long as servers do.
const longest = 30 * time.Second

// replay is one scenario under way.
type replay struct {
	t      testing.TB
	lab    *lab
	over   *overlay
	name   string
	saved  map[string]string
	lost   map[string]verdict // variables of steps that gave no value, and why
	tally  tally
	report []string
}

func newReplay(t testing.TB, l *lab, over *overlay, name string) *replay {
	return &replay{t: t, lab: l, over: over, name: name, saved: map[string]string{}, lost: map[string]verdict{}}
}

// do sends a step's request and judges the answer.
func (r *replay) do(s step) {
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
	if v == differ {
		r.report = append(r.report, label+" ("+s.Request.Who+" "+s.Request.Method+" "+s.Request.Path+")")
		for _, note := range notes {
			r.report = append(r.report, "    "+note)
		}
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
	r.save(s.Request.Save, text)
	got := r.names().normal(status, header, text, s.Request.Mask)
	if u := s.Request.Until; u != nil && !u.done(status, text) {
		return missing(s, got, differ), []string{fmt.Sprintf("waited in vain; the last answer was %d %.300s", status, text)}
	}
	if s.Setup || s.Response == nil {
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

// weigh compares an answer with the recording and the overlay.
func (r *replay) weigh(s step, got *response) (verdict, []string) {
	label := r.name + "/" + s.ID
	rule := r.over.other(label)
	if rule != nil && rule.Must {
		if rule.fits(got) {
			return accepted, nil
		}
		return missing(s, got, differ), []string{fmt.Sprintf("not as the overlay demands: %d %.300s", got.Status, text(got.Body))}
	}
	want := *s.Response
	want.Body = mask(want.Body, s.Request.Mask)
	all := compare(&want, got)
	if len(all) == 0 {
		return same, nil
	}
	var notes []string
	for _, d := range all {
		if !r.over.allows(label, d) {
			notes = append(notes, d.String())
		}
	}
	if len(notes) == 0 || rule != nil && rule.fits(got) {
		return accepted, nil
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
func (r *replay) names() *names {
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
	return newNames(words)
}

func (r *replay) save(wanted map[string]string, text []byte) {
	var body any
	if len(wanted) == 0 || json.Unmarshal(text, &body) != nil {
		return
	}
	for name, path := range wanted {
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
		id, _ := at(raw[i], "uuid")
		for value := range maps.Values(r.saved) {
			if value == id {
				ours = append(ours, normal[i])
				break
			}
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
	resp, err := http.DefaultTransport.RoundTrip(req) // follows nothing
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
