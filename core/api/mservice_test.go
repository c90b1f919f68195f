package api

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/go-magnum/magnum/core/state"
)

func TestServices(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f := newFixture(t, func(c *Config) { c.Now = func() time.Time { return now } })
	if got := f.must(200, "admin", "GET", "/v1/mservices", ""); got.text != `{"mservices": []}` {
		t.Error(got.text)
	}
	for range 2 {
		if err := f.db.Heartbeat(context.Background(), "host-1", "magnum-conductor"); err != nil {
			t.Fatal(err)
		}
	}
	show := func(condition string) {
		t.Helper()
		want := `{"mservices": [{"id": 1, "host": "host-1", "binary": "magnum-conductor", "state": "` + condition + `", "disabled": false, ` +
			`"disabled_reason": null, "report_count": 2, "created_at": "2026-01-02T03:04:05+00:00", "updated_at": "2026-01-02T03:04:05+00:00"}]}`
		if got := f.must(200, "admin", "GET", "/v1/mservices/", ""); got.text != want {
			t.Errorf("%s, want %s", got.text, want)
		}
	}
	show("up")
	now = now.Add(180 * time.Second)
	show("up")
	now = now.Add(time.Second)
	show("down")
	f.version = "1.1"
	show("down")
	f.refused(400, `Unknown argument: "limit"`, "admin", "GET", "/v1/mservices?limit=1", "")
	f.refused(403, "Policy doesn't allow magnum-service:get_all to be performed.", "demo", "GET", "/v1/mservices", "")
	for _, path := range []string{"POST /v1/mservices", "GET /v1/mservices/1", "GET /v1/mservices/1/detail", "GET /v1/stats/clusters"} {
		method, target, _ := strings.Cut(path, " ")
		if allow := f.must(405, "admin", method, target, "").header.Get("Allow"); allow != "GET" {
			t.Errorf("%s: Allow: %s", path, allow)
		}
	}
}

func TestServiceIsUp(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	long, lately := now.Add(-time.Hour), now.Add(-time.Second)
	for name, c := range map[string]struct {
		service state.Service
		want    bool
	}{
		"seen":                 {state.Service{LastSeenUp: lately, UpdatedAt: long, CreatedAt: long}, true},
		"not seen any more":    {state.Service{LastSeenUp: long, UpdatedAt: lately, CreatedAt: lately}, false},
		"never seen, changed":  {state.Service{UpdatedAt: lately, CreatedAt: long}, true},
		"never seen, new":      {state.Service{CreatedAt: lately}, true},
		"never seen, old":      {state.Service{CreatedAt: long}, false},
		"forced down":          {state.Service{LastSeenUp: lately, ForcedDown: true}, false},
		"seen in the future":   {state.Service{LastSeenUp: now.Add(time.Hour)}, false},
		"a clock a bit behind": {state.Service{LastSeenUp: now.Add(time.Second)}, true},
		"disabled, but up":     {state.Service{LastSeenUp: lately, Disabled: true}, true},
	} {
		if got := isUp(&c.service, now, time.Minute); got != c.want {
			t.Errorf("%s: up is %v", name, got)
		}
	}
}
