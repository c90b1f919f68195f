package k8s

import (
	"context"
	"strings"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template"
	"github.com/go-magnum/magnum/sdk/template/infra"
)

// Monitoring reads a cluster's health: the API says that it is well, and every
// node is ready.
type Monitoring struct {
	// Reachable says whether the API can be reached from outside the
	// cluster's network. Where it cannot the health is unknown, and nothing
	// is asked. Nil is always.
	Reachable func(driver.Cluster) bool
}

var _ driver.Monitoring = Monitoring{}

// CheckHealth answers with upstream's keys: api, and <node>.Ready for every
// node. A cluster that does not answer is unhealthy, which is an answer and not
// an error.
func (m Monitoring) CheckHealth(ctx context.Context, req driver.CheckHealthRequest) (driver.CheckHealthResponse, error) {
	if m.Reachable != nil && !m.Reachable(req.Cluster) {
		return driver.CheckHealthResponse{
			Status:  driver.HealthUnknown,
			Reasons: map[string]string{"api": "The cluster " + req.Cluster.Name + " is not accessible."},
		}, nil
	}
	out := driver.CheckHealthResponse{Status: driver.Unhealthy, Reasons: map[string]string{}}
	c, err := newClient(req.Access)
	if err != nil {
		out.Reasons["api"] = err.Error()
		return out, nil
	}
	defer c.Close()
	answer, err := c.Get(ctx, "/healthz")
	if err != nil {
		out.Reasons["api"] = err.Error()
		return out, nil
	}
	out.Reasons["api"] = strings.TrimSpace(string(answer))
	nodes, err := c.nodes(ctx)
	if err != nil {
		out.Reasons["api"] = err.Error()
		return out, nil
	}
	healthy := out.Reasons["api"] == "ok"
	for _, n := range nodes {
		ready := "False"
		for _, cond := range n.Status.Conditions {
			if cond.Type == "Ready" && cond.Status == "True" {
				ready = "True"
			}
		}
		out.Reasons[n.Metadata.Name+".Ready"] = ready
		healthy = healthy && ready == "True"
	}
	if healthy {
		out.Status = driver.Healthy
	}
	return out, nil
}

// MonitoringOf reads the health of the clusters of a driver that has this
// package's labels: of those that can be reached from outside.
func MonitoringOf(d *template.Definition) driver.Monitoring {
	return Monitoring{Reachable: func(c driver.Cluster) bool {
		return infra.PublicAPI(d.Values(driver.RenderRequest{Cluster: c}))
	}}
}
