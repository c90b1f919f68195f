package api

import (
	"cmp"
	"net/http"

	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
)

// clusterTarget is a cluster as the target of a rule.
type clusterTarget struct {
	*request
	cluster *magnum.Cluster
}

// Attribute returns what rules compare of a cluster.
func (t clusterTarget) Attribute(name string) (string, bool) {
	switch name {
	case "project_id":
		return t.cluster.ProjectID, t.cluster.ProjectID != ""
	case "user_id":
		return t.cluster.UserID, t.cluster.UserID != ""
	case "trustee_user_id":
		// Only of the caller's own cluster: two names for one thing, and
		// both must fit.
		return t.cluster.TrusteeUserID, t.cluster.TrusteeUserID != "" && t.caller.ClusterUUID == t.cluster.UUID
	}
	return t.fact(name)
}

// cluster loads the cluster in the path, as far as the caller sees it.
func (a *api) cluster(rq *request, allProjects string) (*magnum.Cluster, error) {
	scope, err := rq.scope(allProjects)
	if err != nil {
		return nil, err
	}
	return a.DB.Cluster(rq.Context(), scope, cmp.Or(rq.args["cluster_ident"], rq.args["bay_ident"]))
}

func (a *api) showCluster(rq *request) (*answer, error) {
	if _, err := rq.arguments(); err != nil {
		return nil, err
	}
	c, err := a.cluster(rq, "cluster:get_one_all_projects")
	if err != nil {
		return nil, err
	}
	if err := rq.enforce(clusterTarget{rq, c}); err != nil {
		return nil, err
	}
	if rq.old {
		return rq.bay(http.StatusOK, c), nil
	}
	parent, err := a.parentLabels(rq.Context(), c)
	if err != nil {
		return nil, err
	}
	e := encoder{b: make([]byte, 0, 2048)}
	e.cluster(rq, c, parent, true)
	return &answer{status: http.StatusOK, body: e.b}, nil
}

func (a *api) listClusters(rq *request) (*answer, error) {
	all, page, err := a.clusters(rq)
	if err != nil {
		return nil, err
	}
	e := encoder{b: make([]byte, 0, 256+1024*len(all))}
	e.openList(rq.clusterWords().collection)
	for _, c := range all {
		if rq.old {
			e.bayItem(rq.base, c)
		} else {
			e.clusterItem(rq, c)
		}
	}
	return e.closeClusters(rq, all, page), nil
}

func (a *api) listClusterDetails(rq *request) (*answer, error) {
	all, page, err := a.clusters(rq)
	if err != nil {
		return nil, err
	}
	e := encoder{b: make([]byte, 0, 256+2048*len(all))}
	e.openList(rq.clusterWords().collection)
	if rq.old {
		for _, c := range all {
			e.bay(rq.base, c, false)
		}
		return e.closeClusters(rq, all, page), nil
	}
	parents, err := a.loadParents(rq.Context(), all)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		e.cluster(rq, c, parents[c.ClusterTemplateID], false)
	}
	return e.closeClusters(rq, all, page), nil
}

func (a *api) clusters(rq *request) ([]*magnum.Cluster, state.Page, error) {
	values, err := rq.arguments("marker", "limit", "sort_key", "sort_dir")
	if err != nil {
		return nil, state.Page{}, err
	}
	if err := rq.enforce(rq); err != nil {
		return nil, state.Page{}, err
	}
	scope, err := rq.listScope("cluster")
	if err != nil {
		return nil, state.Page{}, err
	}
	page, err := a.paging(values)
	if err != nil {
		return nil, state.Page{}, err
	}
	all, err := a.DB.Clusters(rq.Context(), scope, page)
	return all, page, err
}

func (e *encoder) openList(name string) {
	e.open('{')
	e.key(name)
	e.open('[')
}

func (e *encoder) closeClusters(rq *request, all []*magnum.Cluster, page state.Page) *answer {
	e.close(']')
	last := ""
	if len(all) > 0 {
		last = all[len(all)-1].UUID
	}
	e.next(rq, rq.route.path, page, len(all), last)
	e.close('}')
	return &answer{status: http.StatusOK, body: e.b}
}

func (a *api) deleteCluster(rq *request) (*answer, error) {
	if _, err := rq.arguments(); err != nil {
		return nil, err
	}
	c, err := a.cluster(rq, "cluster:delete_all_projects")
	if err != nil {
		return nil, err
	}
	if err := rq.enforce(clusterTarget{rq, c}); err != nil {
		return nil, err
	}
	op := a.operation(rq, magnum.OpDelete)
	err = a.DB.Accept(rq.Context(), c.UUID, op, func(c *magnum.Cluster) error {
		c.Status, c.StatusReason = magnum.DeleteInProgress, ""
		for i := range c.NodeGroups {
			c.NodeGroups[i].Status, c.NodeGroups[i].StatusReason = magnum.DeleteInProgress, ""
		}
		return nil
	})
	// Gone between the look and the request: that is what was asked for.
	if err != nil && magnum.KindOf(err) != magnum.NotFound {
		return nil, err
	}
	a.Notify()
	return &answer{status: http.StatusNoContent}, nil
}

// operation is a new one in the caller's name.
func (a *api) operation(rq *request, kind magnum.OperationKind) *magnum.Operation {
	return &magnum.Operation{Kind: kind, Initiator: rq.caller.Initiator(), RequestID: rq.id}
}

// sealToken puts the caller's token where only a conductor reads it: it is
// what the trust is made with.
func (a *api) sealToken(id *keystone.Identity) ([]byte, error) {
	return keystone.Seal(a.sealKey, id.Token)
}
