package api

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/go-magnum/magnum/core/magnum"
)

// lost answers for a path or a method that is not in the table, as upstream's
// framework would.
func (a *api) lost(w http.ResponseWriter, rq *request, path string) {
	versioned, err := a.stray(rq.version, rq.Method, strings.Split(strings.Trim(path, "/"), "/"))
	if versioned {
		setVersion(w.Header(), headerValues[rq.version])
	}
	a.fail(w, rq.Request, rq.id, err)
}

// stray finds the refusal, and whether upstream has found the resource by then
// and so names versions.
func (a *api) stray(v version, method string, asked []string) (versioned bool, err error) {
	groups := len(asked) > 2 && asked[0] == "clusters" && asked[2] == "nodegroups"
	methods := map[string]bool{}
	var listed, single, detail bool // by GET
	for i := range a.table {
		rt := &a.table[i]
		have := strings.Split(strings.Trim(rt.path, "/"), "/")
		if have[0] != asked[0] || groups != isOfGroups(have) {
			continue
		}
		if groups && rt.method == method && rt.check(v) != nil {
			return false, rt.check(v) // the whole controller came later
		}
		// Sub-resources and actions are controllers of their own.
		if groups || len(have) <= 2 || strings.HasPrefix(have[2], "{") {
			methods[rt.method] = true
		}
		if rt.method == http.MethodGet && rt.rule != anybody {
			listed = listed || len(have) == 1
			single = single || len(have) > 1 && strings.HasPrefix(have[1], "{")
			detail = detail || len(have) == 2 && have[1] == "detail"
		}
		if rt.method == method && rt.check(v) == nil {
			if name := missingArgument(have, asked); name != "" {
				return true, badRequest("Missing argument: %q", name)
			}
		}
	}
	action := len(asked) > 2 && asked[2] == "actions"
	switch {
	case len(methods) == 0:
		return false, framework(http.StatusNotFound, "")
	case action || !methods[method] || method == http.MethodGet && listed && !single:
		refusal, allow := framework(http.StatusMethodNotAllowed, ""), ""
		if !action {
			allow = strings.Join(slices.Sorted(maps.Keys(methods)), ", ")
		}
		refusal.allow = &allow
		return false, refusal
	case groups && method == http.MethodPost && len(asked) == 4:
		return true, surplusArgument("nodegroups", asked[3])
	case method == http.MethodPost && len(asked) == 2:
		return true, surplusArgument(asked[0], asked[1])
	case detail && method == http.MethodGet && len(asked) == 3 && asked[2] == "detail":
		return true, detailOfOne(asked[1])
	}
	return false, framework(http.StatusNotFound, "")
}

// isOfGroups reports whether a route is one of node groups, which upstream
// has in a controller below that of clusters.
func isOfGroups(path []string) bool { return len(path) > 2 && path[2] == "nodegroups" }

// detailOfOne is what GET /clusters/x/detail comes to: x is taken for the
// marker of the detailed list. The placeholders are upstream's own slip.
func detailOfOne(marker string) error {
	if !isUUID(marker) {
		return badMarker("marker", marker)
	}
	return magnum.Errorf(magnum.NotFound, "The %%(name)s resource %%(id)s could not be found.")
}

// missingArgument names the first path variable of a route that a request
// lacks, if variables are all it lacks.
func missingArgument(have, asked []string) string {
	if len(have) <= len(asked) || slices.Contains(have, "actions") {
		return ""
	}
	for i, s := range have {
		variable := strings.HasPrefix(s, "{")
		switch {
		case i < len(asked) && !variable && s != asked[i]:
			return ""
		case i >= len(asked) && variable:
			return strings.Trim(s, "{}")
		case i >= len(asked):
			return ""
		}
	}
	return ""
}

// surplusArgument is what comes of an identifier in the path of a POST: the
// framework takes it for the body.
func surplusArgument(resource, ident string) error {
	argument, kind := "cluster", "Cluster"
	switch resource {
	case "clustertemplates":
		argument, kind = "cluster_template", "ClusterTemplate"
	case "bays":
		argument, kind = "bay", "Bay"
	case "baymodels":
		argument, kind = "baymodel", "BayModel"
	case "certificates":
		argument, kind = "certificate", "Certificate"
	case "quotas":
		argument, kind = "quota", "Quota"
	case "federations":
		argument, kind = "federation", "Federation"
	case "nodegroups":
		argument, kind = "nodegroup", "NodeGroup"
	}
	return invalid(argument, ident, "unable to convert to "+kind+". Error: "+kind+".__init__() takes 1 positional argument but 2 were given")
}
