package api

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/gorilla/mux"
)

// anybody is the rule of what needs no token.
const anybody = "@"

// route is one line of the table. The names of path variables are upstream's:
// they appear in the texts of refusals.
type route struct {
	method, path string
	name         string // upstream's handler, named when a version lacks it
	rule         string // of the policy; anybody for what is open to all
	min, max     version
	handle       func(*request) (*answer, error)
}

// full is the path with its prefix.
func (rt *route) full() string {
	if rt.path == "/" || rt.path == "/v1" {
		return rt.path
	}
	return "/v1" + rt.path
}

// routes is the whole surface. Paths stand without /v1, which the plumbing
// strips: /clusters and /v1/clusters are the same. The first match counts, so
// fixed words stand before variables.
func (a *api) routes() []route {
	return []route{
		{"GET", "/clusters/detail", "detail", "cluster:detail", always, newest, a.listClusterDetails},
		{"GET", "/clusters/{cluster_ident}", "get_one", "cluster:get", always, newest, a.showCluster},
		{"GET", "/clusters", "get_all", "cluster:get_all", always, newest, a.listClusters},
		{"POST", "/clusters", "post", "cluster:create", always, newest, a.createCluster},
		{"PATCH", "/clusters/{cluster_ident}", "patch", "cluster:update", always, newest, a.updateCluster},
		{"DELETE", "/clusters/{cluster_ident}", "delete", "cluster:delete", always, newest, a.deleteCluster},
		{"POST", "/clusters/{cluster_ident}/actions/resize", "resize", "cluster:resize", 7, newest, a.resizeCluster},
		{"POST", "/clusters/{cluster_ident}/actions/upgrade", "upgrade", "cluster:upgrade", 7, newest, a.upgradeCluster},

		{"GET", "/clusters/{cluster_id}/nodegroups/{nodegroup_id}", "get_one", "nodegroup:get", 9, newest, a.showNodeGroup},
		{"GET", "/clusters/{cluster_id}/nodegroups", "get_all", "nodegroup:get_all", 9, newest, a.listNodeGroups},
		{"POST", "/clusters/{cluster_id}/nodegroups", "post", "nodegroup:create", 9, newest, a.createNodeGroup},
		{"PATCH", "/clusters/{cluster_id}/nodegroups/{nodegroup_id}", "patch", "nodegroup:update", 9, newest, a.updateNodeGroup},
		{"DELETE", "/clusters/{cluster_id}/nodegroups/{nodegroup_id}", "delete", "nodegroup:delete", 9, newest, a.deleteNodeGroup},

		{"GET", "/clustertemplates/detail", "detail", "clustertemplate:detail", always, newest, a.listTemplates},
		{"GET", "/clustertemplates/{cluster_template_ident}", "get_one", "clustertemplate:get", always, newest, a.showTemplate},
		{"GET", "/clustertemplates", "get_all", "clustertemplate:get_all", always, newest, a.listTemplates},
		{"POST", "/clustertemplates", "post", "clustertemplate:create", always, newest, a.createTemplate},
		{"PATCH", "/clustertemplates/{cluster_template_ident}", "patch", "clustertemplate:update", always, newest, a.updateTemplate},
		{"DELETE", "/clustertemplates/{cluster_template_ident}", "delete", "clustertemplate:delete", always, newest, a.deleteTemplate},

		{"GET", "/bays/detail", "detail", "bay:detail", always, lastBays, asOld(a.listClusterDetails)},
		{"GET", "/bays/{bay_ident}", "get_one", "bay:get", always, lastBays, asOld(a.showCluster)},
		{"GET", "/bays", "get_all", "bay:get_all", always, lastBays, asOld(a.listClusters)},
		{"POST", "/bays", "post", "bay:create", always, lastBays, asOld(a.createCluster)},
		{"PATCH", "/bays/{bay_ident}", "patch", "bay:update", always, lastBays, asOld(a.updateCluster)},
		{"DELETE", "/bays/{bay_ident}", "delete", "bay:delete", always, lastBays, asOld(a.deleteCluster)},

		{"GET", "/baymodels/detail", "detail", "baymodel:detail", always, lastBays, asOld(a.listTemplates)},
		{"GET", "/baymodels/{baymodel_ident}", "get_one", "baymodel:get", always, lastBays, asOld(a.showTemplate)},
		{"GET", "/baymodels", "get_all", "baymodel:get_all", always, lastBays, asOld(a.listTemplates)},
		{"POST", "/baymodels", "post", "baymodel:create", always, lastBays, asOld(a.createTemplate)},
		{"PATCH", "/baymodels/{baymodel_ident}", "patch", "baymodel:update", always, lastBays, asOld(a.updateTemplate)},
		{"DELETE", "/baymodels/{baymodel_ident}", "delete", "baymodel:delete", always, lastBays, asOld(a.deleteTemplate)},

		{"GET", "/certificates/{cluster_ident}", "get_one", "certificate:get", always, newest, a.showCertificate},
		{"POST", "/certificates", "post", "certificate:create", always, newest, a.signCertificate},
		{"PATCH", "/certificates/{cluster_ident}", "patch", "certificate:rotate_ca", always, newest, a.rotateCA},
		{"PATCH", "/credentials/{cluster_ident}", "patch", "credential:rotate", 12, newest, a.rotateCredential},

		{"GET", "/quotas/{project_id}/{resource}", "get_one", "quota:get", always, newest, a.showQuota},
		{"GET", "/quotas", "get_all", "quota:get_all", always, newest, a.listQuotas},
		{"POST", "/quotas", "post", "quota:create", always, newest, a.createQuota},
		{"PATCH", "/quotas/{project_id}/{resource}", "patch", "quota:update", always, newest, a.updateQuota},
		{"DELETE", "/quotas/{project_id}/{resource}", "delete", "quota:delete", always, newest, a.deleteQuota},

		{"GET", "/stats", "get_all", "stats:get_all", always, newest, a.showStats},
		{"GET", "/mservices", "get_all", "magnum-service:get_all", always, newest, a.listServices},

		{"GET", "/federations/detail", "detail", "federation:detail", always, newest, a.listFederations},
		{"GET", "/federations/{federation_ident}", "get_one", "federation:get", always, newest, a.showFederation},
		{"GET", "/federations", "get_all", "federation:get_all", always, newest, a.listFederations},
		{"POST", "/federations", "post", "federation:create", always, newest, a.createFederation},
		{"PATCH", "/federations/{federation_ident}", "patch", "federation:update", always, newest, a.updateFederation},
		{"DELETE", "/federations/{federation_ident}", "delete", "federation:delete", always, newest, a.deleteFederation},

		{"GET", "/v1", "get", anybody, always, newest, a.showV1},
		{"GET", "/", "get", anybody, always, newest, a.showRoot},
	}
}

// router finds routes. It asks mux which one it is and calls it itself: to
// hand it over, mux would copy the request twice.
type router struct {
	mux    *mux.Router
	routes map[*mux.Route]served
}

// served is a route and what it counts in.
type served struct {
	*route
	measure *measure
}

// newRouter builds the matcher from the table.
func newRouter(a *api, table []route) (*router, error) {
	r := &router{mux.NewRouter(), make(map[*mux.Route]served, len(table))}
	for i := range table {
		rt := &table[i]
		switch {
		case rt.rule == "":
			return nil, fmt.Errorf("%s %s has no policy rule", rt.method, rt.path)
		case rt.rule != anybody && !a.policy.Has(rt.rule):
			return nil, fmt.Errorf("%s %s: there is no policy rule %q", rt.method, rt.path, rt.rule)
		case rt.handle == nil || rt.name == "" || rt.min < minVersion || rt.max < rt.min:
			return nil, fmt.Errorf("%s %s is not complete", rt.method, rt.path)
		}
		r.routes[r.mux.NewRoute().Path(rt.path).Methods(rt.method)] = served{rt, a.metrics.of(rt.full(), rt.method)}
	}
	return r, nil
}

// find returns the route of a request and the variables in its path; one that
// is nil if there is none.
func (r *router) find(method, path string) (served, map[string]string) {
	var match mux.RouteMatch
	if !r.mux.Match(&http.Request{Method: method, URL: &url.URL{Path: path}}, &match) {
		return served{}, nil
	}
	return r.routes[match.Route], match.Vars
}
