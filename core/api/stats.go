package api

import (
	"net/http"
	"strings"

	"github.com/go-magnum/magnum/core/state"
)

// showStats counts a project's clusters and nodes; for an administrator who
// names no project, everybody's.
func (a *api) showStats(rq *request) (*answer, error) {
	values, err := rq.arguments("project_id", "type")
	if err != nil {
		return nil, err
	}
	if err := rq.enforce(rq); err != nil {
		return nil, err
	}
	if values.Has("type") && strings.ToLower(values.Get("type")) != "cluster" {
		return nil, badRequest("Invalid stats type. Allowed values are 'cluster'")
	}
	project := values.Get("project_id")
	if !rq.creds.IsAdmin {
		if project != "" && project != rq.creds.ProjectID {
			return nil, errForeign
		}
		project = rq.creds.ProjectID
	}
	stats, err := a.DB.Stats(rq.Context(), state.Scope{ProjectID: project, All: rq.creds.IsAdmin && project == ""})
	if err != nil {
		return nil, err
	}
	var e encoder
	e.open('{')
	e.int("clusters", stats.Clusters)
	e.int("nodes", stats.Nodes)
	e.close('}')
	return &answer{status: http.StatusOK, body: e.b}, nil
}
