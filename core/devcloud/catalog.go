package devcloud

import "strings"

// service is an entry of the catalogue. {project} in its path stands for the
// token's project; without one such a service has no endpoints.
type service struct{ kind, name, path string }

func services() []service {
	return []service{
		{"identity", "keystone", "/identity/v3"},
		{"image", "glance", "/image"},
		{"compute", "nova", "/compute/v2.1"},
		{"network", "neutron", "/network"},
		{"volumev3", "cinderv3", "/volume/v3/{project}"},
		{"orchestration", "heat", "/heat/v1/{project}"},
		{"cloudformation", "heat-cfn", "/heat-cfn/v1"},
		{"key-manager", "barbican", "/key-manager"},
		{"load-balancer", "octavia", "/load-balancer"},
	}
}

// catalog lists the endpoints for a project, or for none. Cloud.mu is held.
func (c *Cloud) catalog(projectID string) []object {
	all := []object{}
	for _, s := range services() {
		url := c.base + s.path
		if strings.Contains(url, "{project}") {
			if projectID == "" {
				url = ""
			}
			url = strings.ReplaceAll(url, "{project}", projectID)
		}
		all = append(all, c.catalogEntry(s, url))
	}
	if c.magnumURL != "" {
		all = append(all, c.catalogEntry(service{kind: "container-infra", name: "magnum"}, c.magnumURL))
	}
	return all
}

func (c *Cloud) catalogEntry(s service, url string) object {
	endpoints := []object{}
	for _, face := range []string{"admin", "internal", "public"} {
		if url == "" {
			break
		}
		endpoints = append(endpoints, object{
			"id": s.name + "-" + face, "interface": face, "url": url,
			"region": c.config.Region, "region_id": c.config.Region,
		})
	}
	return object{"id": s.name, "type": s.kind, "name": s.name, "endpoints": endpoints}
}
