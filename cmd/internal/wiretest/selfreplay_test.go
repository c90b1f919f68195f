package wiretest

import (
	"slices"
	"strings"
	"testing"
)

// TestReplay sends a made up recording to a real service: what the tool says of
// it is known.
func TestReplay(t *testing.T) {
	s, err := readScenario("testdata/self.json")
	if err != nil {
		t.Fatal(err)
	}
	send := func(before, method, path, body string) bridge {
		q := request{Who: "demo", Method: method, Path: path, Body: []byte(body), Headers: map[string]*string{}}
		latest := "container-infra latest"
		q.Headers["OpenStack-API-Version"] = &latest
		return bridge{Scenario: "self", Before: []string{before}, Request: q, Unless: unless{Path: path}}
	}
	bridges := []bridge{
		send("wait", "POST", "/v1/clusters", ""), // needless: it is there
		send("group", "POST", "/v1/clusters/${c}/nodegroups", `{"name": "more"}`),
		send("gone", "DELETE", "/v1/clusters/${bad}", ""),
	}
	over := &overlay{Global: []globalRule{{Path: `headers\.openstack-api-.*`}}}
	r := newReplay(t, newLab(t, []string{buildDriver(t, "cmd/internal/testdriver")}), over, bridges, s)
	for _, one := range s.Steps {
		r.do(one)
	}
	for v, want := range map[verdict][]string{
		same:    {"self/refused", "self/create", "self/group"},
		differ:  {"self/list"},
		absent:  {"self/nothing (GET /v1/pods)"},
		bridged: {"self/group: POST /v1/clusters/${c}/nodegroups before it ()", "self/gone: DELETE /v1/clusters/${bad} before it ()"},
	} {
		if got := r.tally.names[v]; !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q\n%s", v, got, want, strings.Join(r.report, "\n"))
		}
	}
}
