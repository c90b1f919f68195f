package api

import (
	"context"
	"net/http"
	"sync"
	"testing"

	"github.com/go-magnum/magnum/core/state"
)

// TestQuotaRace asks for ten times as many clusters as a project may have, all
// at once and of two API processes on one database. Upstream counts before it
// writes, and lets too many through.
func TestQuotaRace(t *testing.T) {
	const limit, asked = 20, 200
	var config Config
	f := newFixture(t, func(c *Config) { config = *c })
	template := f.newTemplate("")
	f.must(201, "admin", "POST", "/v1/quotas", `{"project_id": "project-demo", "hard_limit": 20}`)

	db, err := state.Open(context.Background(), state.Config{Connection: "sqlite:///" + f.path})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	config.DB = db
	handler, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	other := f.with(handler)

	var mu sync.Mutex
	answers, refusals := map[int]int{}, map[string]int{}
	var all sync.WaitGroup
	begin := make(chan struct{})
	for i := range asked {
		process := f
		if i%2 == 1 {
			process = other
		}
		all.Go(func() {
			<-begin
			got := process.send("demo", "POST", "/v1/clusters", `{"cluster_template_id": "`+template+`"}`)
			mu.Lock()
			defer mu.Unlock()
			answers[got.status]++
			if got.status != http.StatusAccepted {
				refusals[got.detail()]++
			}
		})
	}
	close(begin)
	all.Wait()

	const text = "Resource limit exceeded: You have reached the maximum clusters per project, 20. You may delete a cluster to make room for a new one."
	if answers[http.StatusAccepted] != limit || answers[http.StatusForbidden] != asked-limit || refusals[text] != asked-limit {
		t.Errorf("%d creates against a quota of %d are answered %v with %v", asked, limit, answers, refusals)
	}
	clusters, err := f.db.Clusters(context.Background(), state.Scope{ProjectID: "project-demo"}, state.Page{})
	if err != nil {
		t.Fatal(err)
	}
	if len(clusters) != limit {
		t.Errorf("there are %d clusters, the quota is %d", len(clusters), limit)
	}
	if n := len(f.dump()["operation"]); n != limit {
		t.Errorf("there are %d operations for %d clusters", n, limit)
	}
}
