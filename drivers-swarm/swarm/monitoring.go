package swarm

import (
	"context"
	"strings"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template/infra"
)

// Monitoring reads a cluster's health: a manager says that it is well, and every
// node of the swarm is ready.
type Monitoring struct{}

var _ driver.Monitoring = Monitoring{}

// CheckHealth answers with the keys api, and <node>.Ready for every node. A
// cluster that does not answer is unhealthy, which is an answer and not an error;
// one whose API has no address outside is not asked.
func (Monitoring) CheckHealth(ctx context.Context, req driver.CheckHealthRequest) (driver.CheckHealthResponse, error) {
	if !infra.PublicAPI(Definition().Values(driver.RenderRequest{Cluster: req.Cluster})) {
		return driver.CheckHealthResponse{
			Status:  driver.HealthUnknown,
			Reasons: map[string]string{"api": "The cluster " + req.Cluster.Name + " is not accessible."},
		}, nil
	}
	out := driver.CheckHealthResponse{Status: driver.Unhealthy, Reasons: map[string]string{}}
	ill := func(err error) (driver.CheckHealthResponse, error) {
		out.Reasons["api"] = err.Error()
		return out, nil
	}
	d, err := newDocker(req.Access, req.Template.TLSDisabled)
	if err != nil {
		return ill(err)
	}
	defer d.Close()
	answer, err := d.Get(ctx, "/_ping")
	if err != nil {
		return ill(err)
	}
	nodes, err := d.nodes(ctx)
	if err != nil {
		return ill(err)
	}
	out.Reasons["api"] = strings.TrimSpace(string(answer))
	healthy := out.Reasons["api"] == "OK"
	for name, ready := range readiness(nodes) {
		out.Reasons[name+".Ready"] = ready
		healthy = healthy && ready == "True"
	}
	if healthy {
		out.Status = driver.Healthy
	}
	return out, nil
}

// readiness is that of nodes by their names. A worker that was removed stays in
// the swarm's list; where a new server has its name, the new one counts.
func readiness(nodes []node) map[string]string {
	out := map[string]string{}
	for _, n := range nodes {
		switch name := n.Description.Hostname; {
		case n.Status.State == stateReady:
			out[name] = "True"
		case out[name] == "":
			out[name] = "False"
		}
	}
	return out
}
