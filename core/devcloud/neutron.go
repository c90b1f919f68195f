package devcloud

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
)

// routeNeutron is the network API: what there is, nothing to make. Networks
// and ports that stacks make live in Heat.
func (c *Cloud) routeNeutron(mux *http.ServeMux) {
	const v = "/network/v2.0"
	for name, list := range map[string]func() []object{
		"networks":        c.networks,
		"subnets":         c.subnets,
		"routers":         func() []object { return c.stock.routers },
		"security-groups": func() []object { return c.stock.groups },
		"ports":           func() []object { return nil },
		"floatingips":     func() []object { return nil },
	} {
		mux.HandleFunc("GET "+v+"/"+name, c.authed(neutron, c.listNetworking(name, list)))
		mux.HandleFunc("GET "+v+"/"+name+"/{id}", c.authed(neutron, c.getNetworking(name, list)))
	}
	mux.HandleFunc("GET "+v+"/extensions", c.authed(neutron, c.listExtensions))
}

// collections are the lists and their members' names, as errors spell them.
func collections() map[string][3]string {
	return map[string][3]string{ // path: key of the list, of one, name in errors
		"networks": {"networks", "network", "Network"}, "subnets": {"subnets", "subnet", "Subnet"},
		"routers": {"routers", "router", "Router"}, "ports": {"ports", "port", "Port"},
		"floatingips":     {"floatingips", "floatingip", "FloatingIP"},
		"security-groups": {"security_groups", "security_group", "SecurityGroup"},
	}
}

// visible are the resources a caller may see: its project's, shared ones and
// external networks; an administrator sees all. Copies: show may cut them.
func (c *Cloud) visible(list func() []object, id ident) []object {
	c.mu.Lock()
	defer c.mu.Unlock()
	var seen []object
	for _, resource := range list() {
		if id.isAdmin() || resource["project_id"] == id.ProjectID || resource["shared"] == true || resource["router:external"] == true {
			seen = append(seen, resource)
		}
	}
	return seen
}

func (c *Cloud) listNetworking(path string, list func() []object) func(http.ResponseWriter, *http.Request, ident) {
	names := collections()[path]
	return func(w http.ResponseWriter, r *http.Request, id ident) {
		query := r.URL.Query()
		limit, err := strconv.Atoi(query.Get("limit"))
		if query.Get("limit") != "" && (err != nil || limit < 0) {
			neutronError(w, http.StatusBadRequest, "BadRequest", fmt.Sprintf(
				"Bad limit request: Limit must be an integer 0 or greater and not '%s'.", query.Get("limit")))
			return
		}
		found := c.visible(list, id)
		for name, values := range query {
			switch name {
			case "limit", "marker", "fields", "sort_key", "sort_dir", "page_reverse":
				continue
			}
			if !filterable(path, name) {
				neutronError(w, http.StatusBadRequest, "HTTPBadRequest", "['"+name+"'] is invalid attribute for filtering")
				return
			}
			fits, ok := neutronFilter(name, values)
			if !ok {
				neutronError(w, http.StatusBadRequest, "InvalidInput", fmt.Sprintf(
					"Invalid input for operation: '%s' cannot be converted to boolean.", values[0]))
				return
			}
			found = slices.DeleteFunc(found, func(resource object) bool { return !fits(resource[name]) })
		}
		marker := query.Get("marker")
		page, more, known := cut(found, func(o object) string { return o["id"].(string) }, marker, limit)
		if !known {
			neutronError(w, http.StatusNotFound, names[2]+"NotFound", names[2]+" "+marker+" could not be found.")
			return
		}
		items := []object{}
		for _, resource := range page {
			items = append(items, pick(resource, query["fields"]))
		}
		body := object{names[0]: items}
		if more {
			next := c.base + r.URL.Path + search(query, page[len(page)-1]["id"].(string))
			body[names[0]+"_links"] = []object{{"rel": "next", "href": next}}
		}
		answer(w, http.StatusOK, body)
	}
}

// filterable reports whether a list can be filtered by a member.
func filterable(path, name string) bool {
	switch name {
	case "name":
		return path != "floatingips"
	case "id", "project_id", "tenant_id", "description", "tags", "status", "admin_state_up", "shared":
		return true
	case "router:external":
		return path == "networks"
	case "network_id":
		return path == "subnets" || path == "ports"
	case "cidr", "gateway_ip", "ip_version", "enable_dhcp":
		return path == "subnets"
	case "device_id", "device_owner", "fixed_ips", "mac_address":
		return path == "ports"
	case "floating_ip_address", "floating_network_id", "port_id":
		return path == "floatingips"
	}
	return false
}

// neutronFilter compares a member with any of some values; false if a value
// cannot be one of that member.
func neutronFilter(name string, values []string) (func(any) bool, bool) {
	switch name {
	case "router:external", "shared", "admin_state_up", "enable_dhcp":
		wanted, ok := truth(values[0])
		return func(have any) bool { return have == wanted }, ok
	case "tags":
		return func(any) bool { return false }, true // nothing here has tags
	}
	return func(have any) bool { return slices.Contains(values, fmt.Sprint(have)) }, true
}

// pick cuts a resource down to some of its members.
func pick(resource object, fields []string) object {
	if len(fields) == 0 {
		return resource
	}
	picked := object{}
	for _, name := range fields {
		if value, ok := resource[name]; ok {
			picked[name] = value
		}
	}
	return picked
}

func (c *Cloud) getNetworking(path string, list func() []object) func(http.ResponseWriter, *http.Request, ident) {
	names := collections()[path]
	return func(w http.ResponseWriter, r *http.Request, id ident) {
		for _, resource := range c.visible(list, id) {
			if resource["id"] == r.PathValue("id") {
				answer(w, http.StatusOK, object{names[1]: pick(resource, r.URL.Query()["fields"])})
				return
			}
		}
		neutronError(w, http.StatusNotFound, names[2]+"NotFound", names[2]+" "+r.PathValue("id")+" could not be found.")
	}
}

func (c *Cloud) networks() []object {
	var all []object
	for _, n := range c.stock.networks {
		subnets := []string{}
		for _, s := range c.stock.subnets {
			if s.NetworkID == n.ID {
				subnets = append(subnets, s.ID)
			}
		}
		shown := c.owned(c.projectID(n.Project), object{
			"id": n.ID, "name": n.Name, "admin_state_up": true, "status": "ACTIVE", "mtu": 1450, "subnets": subnets,
			"shared": n.Shared, "router:external": n.External, "port_security_enabled": true,
			"availability_zones": []string{}, "availability_zone_hints": []string{},
			"ipv4_address_scope": nil, "ipv6_address_scope": nil,
		})
		if n.External {
			shown["is_default"] = false
		}
		all = append(all, shown)
	}
	return all
}

func (c *Cloud) subnets() []object {
	var all []object
	for _, s := range c.stock.subnets {
		var owner Network
		for _, n := range c.stock.networks {
			if n.ID == s.NetworkID {
				owner = n
			}
		}
		version := 4
		if prefix, err := netip.ParsePrefix(s.CIDR); err == nil && prefix.Addr().Is6() {
			version = 6
		}
		shown := c.owned(c.projectID(owner.Project), object{
			"id": s.ID, "name": s.Name, "network_id": s.NetworkID, "cidr": s.CIDR, "gateway_ip": nullable(s.Gateway),
			"ip_version": version, "enable_dhcp": true, "subnetpool_id": nil, "allocation_pools": []object{},
			"host_routes": []object{}, "dns_nameservers": []string{}, "service_types": []string{},
			"ipv6_ra_mode": nil, "ipv6_address_mode": nil,
		})
		if owner.Shared { // a shared network's subnets are seen, an external one's are not
			shown["shared"] = true
		}
		all = append(all, shown)
	}
	return all
}

func (c *Cloud) neutronResources(w http.ResponseWriter, _ *http.Request, _ ident) {
	items := []object{}
	for path, names := range collections() {
		items = append(items, object{"name": names[1], "collection": names[0], "links": c.selfLink("/network/v2.0/" + path)})
	}
	slices.SortFunc(items, func(a, b object) int {
		return slices.Compare([]string{a["name"].(string)}, []string{b["name"].(string)})
	})
	answer(w, http.StatusOK, object{"resources": items})
}

func (c *Cloud) listExtensions(w http.ResponseWriter, _ *http.Request, _ ident) {
	items := []object{}
	for _, alias := range []string{"external-net", "router", "security-group"} {
		items = append(items, object{"alias": alias, "name": alias, "description": "", "updated": "2024-01-01T00:00:00-00:00", "links": []object{}})
	}
	answer(w, http.StatusOK, object{"extensions": items})
}
