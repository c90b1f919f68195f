package engine

import (
	"context"
	"encoding/json"
	"net"
	"net/url"
	"strings"

	"github.com/go-magnum/magnum/sdk/coe"
	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template"
	"github.com/go-magnum/magnum/sdk/template/infra"
)

// apiAddress is where Docker's client finds a cluster, in the form of its
// DOCKER_HOST, with TLS and without.
func apiAddress(address, port string) string {
	if address == "" {
		return ""
	}
	return "tcp://" + net.JoinHostPort(address, port)
}

// API is that of a cluster's managers for the time of one call.
type API struct{ *coe.Client }

// New returns the API. Close it.
func New(a driver.COEAccess, tlsDisabled bool) (API, error) {
	c, err := coe.New(access(a, tlsDisabled))
	return API{c}, err
}

// access is how to ask a manager over HTTP.
func access(a driver.COEAccess, tlsDisabled bool) driver.COEAccess {
	u, err := url.Parse(a.Endpoint)
	if err != nil || u.Host == "" {
		a.Endpoint = "" // which the client says
		return a
	}
	scheme := "https"
	if tlsDisabled {
		scheme = "http"
	}
	a.Endpoint = scheme + "://" + u.Host
	return a
}

// Read reads an answer, which is JSON.
func (a API) Read(ctx context.Context, path string, into any) error {
	body, err := a.Get(ctx, path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		path, _, _ = strings.Cut(path, "?")
		return driver.Errorf(driver.ClassUnavailable, "The cluster's %s cannot be read: %v", path, err)
	}
	return nil
}

// FewestFirst chooses the nodes with the least to do, from what load answers of
// the cluster. One whose API cannot be asked is driver.ClassUnavailable: Heat's
// order holds then.
func FewestFirst(ctx context.Context, req driver.SelectNodesRequest, load func(context.Context, API) (coe.Load, error)) (driver.SelectNodesResponse, error) {
	if req.Count <= 0 || len(req.Nodes) == 0 {
		return driver.SelectNodesResponse{}, nil
	}
	api, err := New(req.Access, req.Template.TLSDisabled)
	if err != nil {
		return driver.SelectNodesResponse{}, err
	}
	defer api.Close()
	l, err := load(ctx, api)
	if err != nil {
		return driver.SelectNodesResponse{}, err
	}
	return l.FewestFirst(req), nil
}

// Health asks a cluster how it is: whether a manager says that it is well, and
// what ready answers of its nodes, by their names. A cluster that does not answer
// is unhealthy, which is an answer and not an error; one whose API has no address
// outside is not asked.
func Health(ctx context.Context, d *template.Definition, req driver.CheckHealthRequest, ready func(context.Context, API) (map[string]bool, error)) driver.CheckHealthResponse {
	if !infra.PublicAPI(d.Values(driver.RenderRequest{Cluster: req.Cluster})) {
		return driver.CheckHealthResponse{
			Status:  driver.HealthUnknown,
			Reasons: map[string]string{"api": "The cluster " + req.Cluster.Name + " is not accessible."},
		}
	}
	ping, nodes, err := ask(ctx, req, ready)
	if err != nil {
		return driver.CheckHealthResponse{Status: driver.Unhealthy, Reasons: map[string]string{"api": err.Error()}}
	}
	out := driver.CheckHealthResponse{Status: driver.Healthy, Reasons: map[string]string{"api": ping}}
	if ping != "OK" {
		out.Status = driver.Unhealthy
	}
	for name, is := range nodes {
		out.Reasons[name+".Ready"] = "True"
		if !is {
			out.Reasons[name+".Ready"], out.Status = "False", driver.Unhealthy
		}
	}
	return out
}

func ask(ctx context.Context, req driver.CheckHealthRequest, ready func(context.Context, API) (map[string]bool, error)) (string, map[string]bool, error) {
	api, err := New(req.Access, req.Template.TLSDisabled)
	if err != nil {
		return "", nil, err
	}
	defer api.Close()
	ping, err := api.Get(ctx, "/_ping")
	if err != nil {
		return "", nil, err
	}
	nodes, err := ready(ctx, api)
	return strings.TrimSpace(string(ping)), nodes, err
}
