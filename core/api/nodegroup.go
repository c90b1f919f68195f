package api

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/go-magnum/magnum/core/magnum"
)

// clusterOf loads the cluster that a node group's path names, as far as the
// caller sees it, and asks the policy.
func (a *api) clusterOf(rq *request, allProjects string) (*magnum.Cluster, error) {
	scope, err := rq.scope(allProjects)
	if err != nil {
		return nil, err
	}
	c, err := a.DB.Cluster(rq.Context(), scope, rq.args["cluster_id"])
	if err != nil {
		return nil, err
	}
	return c, rq.enforce(clusterTarget{rq, c})
}

// groupOf finds a group by id, uuid or name, in this order: a name of digits
// only is found where no group has that id.
func groupOf(c *magnum.Cluster, ident string) (*magnum.NodeGroup, error) {
	if id, err := strconv.ParseInt(ident, 10, 64); err == nil {
		for i := range c.NodeGroups {
			if c.NodeGroups[i].ID == id {
				return &c.NodeGroups[i], nil
			}
		}
	}
	if isUUID(ident) {
		ident := strings.ToLower(ident)
		for i := range c.NodeGroups {
			if c.NodeGroups[i].UUID == ident {
				return &c.NodeGroups[i], nil
			}
		}
	}
	for i := range c.NodeGroups {
		if c.NodeGroups[i].Name == ident {
			return &c.NodeGroups[i], nil
		}
	}
	return nil, magnum.Errorf(magnum.NotFound, "Nodegroup %s could not be found.", ident)
}

func (a *api) listNodeGroups(rq *request) (*answer, error) {
	values, err := rq.arguments("marker", "limit", "sort_key", "sort_dir", "role")
	if err != nil {
		return nil, err
	}
	const all = "nodegroup:get_all_all_projects"
	c, err := a.clusterOf(rq, all)
	if err != nil {
		return nil, err
	}
	scope, err := rq.scope(all)
	if err != nil {
		return nil, err
	}
	page, err := a.paging(values)
	if err != nil {
		return nil, err
	}
	groups, err := a.DB.NodeGroups(rq.Context(), scope, c.UUID, values.Get("role"), page)
	if err != nil {
		return nil, err
	}
	e := encoder{b: make([]byte, 0, 256+512*len(groups))}
	e.openList("nodegroups")
	last := ""
	for i := range groups {
		e.nodeGroupItem(&groups[i])
		last = groups[i].UUID
	}
	e.close(']')
	e.next(rq, "/clusters/"+c.UUID+"/nodegroups", page, len(groups), last)
	e.close('}')
	return &answer{status: http.StatusOK, body: e.b}, nil
}

func (a *api) showNodeGroup(rq *request) (*answer, error) {
	if _, err := rq.arguments(); err != nil {
		return nil, err
	}
	c, err := a.clusterOf(rq, "nodegroup:get_one_all_projects")
	if err != nil {
		return nil, err
	}
	g, err := groupOf(c, rq.args["nodegroup_id"])
	if err != nil {
		return nil, err
	}
	e := encoder{b: make([]byte, 0, 1024)}
	e.nodeGroup(rq.base, g, c.Labels)
	return &answer{status: http.StatusOK, body: e.b}, nil
}
