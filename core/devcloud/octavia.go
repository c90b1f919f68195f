package devcloud

import (
	"net/http"
	"slices"
)

// routeOctavia is the load balancer API: what Kubernetes left behind, to be
// found and deleted.
func (c *Cloud) routeOctavia(mux *http.ServeMux) {
	for _, v := range []string{"/load-balancer/v2", "/load-balancer/v2.0"} {
		mux.HandleFunc("GET "+v+"/lbaas/loadbalancers", c.balancing(c.listBalancers))
		mux.HandleFunc("GET "+v+"/lbaas/loadbalancers/{balancer}", c.balancing(c.getBalancer))
		mux.HandleFunc("DELETE "+v+"/lbaas/loadbalancers/{balancer}", c.balancing(c.deleteBalancer))
	}
}

// balancing lets those in who have one of Octavia's own roles.
func (c *Cloud) balancing(serve func(http.ResponseWriter, *http.Request, ident)) http.HandlerFunc {
	return c.authed(octavia, func(w http.ResponseWriter, r *http.Request, id ident) {
		if !id.hasRole("admin", "load-balancer_admin", "load-balancer_member") {
			octavia.fail(w, http.StatusForbidden, "Policy does not allow this request to be performed.")
			return
		}
		serve(w, r, id)
	})
}

func (c *Cloud) ownBalancers(id ident) []object {
	c.mu.Lock()
	defer c.mu.Unlock()
	var own []object
	for _, b := range c.stock.loadBalancers {
		project := c.projectID(b.Project)
		if project != id.ProjectID && !id.hasRole("admin", "load-balancer_admin") {
			continue
		}
		own = append(own, object{
			"id": b.ID, "name": b.Name, "description": b.Description, "project_id": project,
			"provisioning_status": "ACTIVE", "operating_status": "ONLINE", "admin_state_up": true, "provider": "octavia",
			"vip_address": nullable(b.VIPAddress), "vip_port_id": nil, "vip_subnet_id": nil, "vip_network_id": nil,
			"flavor_id": nil, "availability_zone": nil, "listeners": []object{}, "pools": []object{}, "tags": []string{},
			"created_at": "2024-01-01T00:00:00", "updated_at": nil,
		})
	}
	return own
}

func (c *Cloud) listBalancers(w http.ResponseWriter, r *http.Request, id ident) {
	items := []object{}
	query := r.URL.Query()
	for _, b := range c.ownBalancers(id) {
		if fits(query.Get("name"), b["name"].(string)) && fits(query.Get("project_id"), b["project_id"].(string)) &&
			fits(query.Get("description"), b["description"].(string)) {
			items = append(items, b)
		}
	}
	answer(w, http.StatusOK, object{"loadbalancers": items, "loadbalancers_links": []object{}})
}

func (c *Cloud) balancer(w http.ResponseWriter, r *http.Request, id ident) object {
	for _, b := range c.ownBalancers(id) {
		if b["id"] == r.PathValue("balancer") {
			return b
		}
	}
	octavia.fail(w, http.StatusNotFound, "Load Balancer "+r.PathValue("balancer")+" not found.")
	return nil
}

func (c *Cloud) getBalancer(w http.ResponseWriter, r *http.Request, id ident) {
	if b := c.balancer(w, r, id); b != nil {
		answer(w, http.StatusOK, object{"loadbalancer": b})
	}
}

// deleteBalancer deletes at once, where the real one takes its time.
func (c *Cloud) deleteBalancer(w http.ResponseWriter, r *http.Request, id ident) {
	b := c.balancer(w, r, id)
	if b == nil {
		return
	}
	c.mu.Lock()
	c.stock.loadBalancers = slices.DeleteFunc(c.stock.loadBalancers, func(lb LoadBalancer) bool { return lb.ID == b["id"] })
	c.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}
