package api

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
)

// errForeign is upstream's refusal where a caller names another project.
var errForeign = magnum.Errorf(magnum.Forbidden, "Not authorized.")

func (e *encoder) quota(q *magnum.Quota) {
	e.open('{')
	e.int("id", int(q.ID))
	e.text("project_id", q.ProjectID)
	e.str("resource", q.Resource)
	e.int("hard_limit", q.HardLimit)
	e.time("created_at", q.CreatedAt)
	e.time("updated_at", q.UpdatedAt)
	e.close('}')
}

func quotaAnswer(status int, q *magnum.Quota) *answer {
	var e encoder
	e.quota(q)
	return &answer{status: status, body: e.b}
}

func (a *api) listQuotas(rq *request) (*answer, error) {
	values, err := rq.arguments("marker", "limit", "sort_key", "sort_dir", "all_tenants")
	if err != nil {
		return nil, err
	}
	if err := rq.enforce(rq); err != nil {
		return nil, err
	}
	page, err := a.paging(values)
	if err != nil {
		return nil, err
	}
	// Even administrators see their own project's unless they ask for all.
	everywhere, _ := magnum.ParseBool(values.Get("all_tenants")) // checked with the query
	scope := state.Scope{ProjectID: rq.creds.ProjectID, All: rq.creds.IsAdmin}
	all, err := a.DB.Quotas(rq.Context(), scope, everywhere, page)
	if err != nil {
		return nil, err
	}
	e := encoder{b: make([]byte, 0, 256+256*len(all))}
	e.openList("quotas")
	for _, q := range all {
		e.quota(q)
	}
	e.close(']')
	if len(all) > 0 {
		e.next(rq, rq.route.path, page, len(all), strconv.FormatInt(all[len(all)-1].ID, 10))
	}
	e.close('}')
	return &answer{status: http.StatusOK, body: e.b}, nil
}

// showQuota answers with the default where no quota was set. Whether there is
// such a project is not asked, nor whether there is such a resource.
func (a *api) showQuota(rq *request) (*answer, error) {
	if _, err := rq.arguments(); err != nil {
		return nil, err
	}
	if err := rq.enforce(rq); err != nil {
		return nil, err
	}
	project := rq.args["project_id"]
	if !rq.creds.IsAdmin && project != rq.creds.ProjectID {
		return nil, errForeign
	}
	q, err := a.DB.Quota(rq.Context(), project, rq.args["resource"])
	if magnum.KindOf(err) == magnum.NotFound {
		var e encoder
		e.open('{')
		e.str("project_id", project)
		e.str("resource", magnum.ResourceCluster)
		e.int("hard_limit", a.Options.Quotas.MaxClustersPerProject)
		e.close('}')
		return &answer{status: http.StatusOK, body: e.b}, nil
	}
	if err != nil {
		return nil, err
	}
	return quotaAnswer(http.StatusOK, q), nil
}

// quotaAttributes are the members of a quota's body.
func quotaAttributes(q *magnum.Quota) []attribute {
	return []attribute{
		intAttribute("id", 1, maxInt, func(int) {}), // the database numbers its rows itself
		intAttribute("hard_limit", 0, maxInt, func(n int) { q.HardLimit = n }),
		identAttribute("project_id", &q.ProjectID),
		enumAttribute("resource", []string{magnum.ResourceCluster}, func(s string) { q.Resource = s }),
		stampAttribute("created_at"),
		stampAttribute("updated_at"),
	}
}

func (a *api) createQuota(rq *request) (*answer, error) {
	if _, err := rq.query(); err != nil {
		return nil, err
	}
	body, err := rq.content()
	if err != nil {
		return nil, err
	}
	q := &magnum.Quota{Resource: magnum.ResourceCluster, HardLimit: 1}
	if err := decode("quota", body, quotaAttributes(q)); err != nil {
		return nil, err
	}
	if q.ProjectID == "" {
		return nil, badRequest("Must provide a valid project ID.")
	}
	// Upstream looks at the project before it asks who wants to know.
	known, err := a.Keystone.ProjectExists(rq.Context(), q.ProjectID)
	if err != nil {
		return nil, err
	}
	if !known {
		return nil, magnum.Errorf(magnum.NotFound, "The project_id %s could not be found.", q.ProjectID)
	}
	if err := rq.enforce(rq); err != nil {
		return nil, err
	}
	if err := a.DB.CreateQuota(rq.Context(), q); err != nil {
		return nil, err
	}
	return quotaAnswer(http.StatusCreated, q), nil
}

// updateQuota takes a quota, not a patch document. What the path says goes
// before the body. Unlike upstream, which sets a limit of 1 where none is
// sent, it insists on one: nobody means that.
func (a *api) updateQuota(rq *request) (*answer, error) {
	if _, err := rq.query(); err != nil {
		return nil, err
	}
	body, err := rq.content()
	if err != nil {
		return nil, err
	}
	var q magnum.Quota
	attributes := quotaAttributes(&q)
	limit := slices.IndexFunc(attributes, func(a attribute) bool { return a.name == "hard_limit" })
	attributes[limit] = required(attributes[limit])
	if err := decode("quotapatch", body, attributes); err != nil {
		return nil, err
	}
	if err := rq.enforce(rq); err != nil {
		return nil, err
	}
	after, err := a.DB.UpdateQuota(rq.Context(), rq.args["project_id"], rq.args["resource"], q.HardLimit)
	if err != nil {
		return nil, err
	}
	return quotaAnswer(http.StatusAccepted, after), nil
}

func (a *api) deleteQuota(rq *request) (*answer, error) {
	if _, err := rq.arguments(); err != nil {
		return nil, err
	}
	if err := rq.enforce(rq); err != nil {
		return nil, err
	}
	if err := a.DB.DeleteQuota(rq.Context(), rq.args["project_id"], rq.args["resource"]); err != nil {
		return nil, err
	}
	return &answer{status: http.StatusNoContent}, nil
}
