package devcloud

import "net/http"

// routeVersions answers what a service offers: what keystoneauth and
// gophercloud ask before anything else. No token is needed.
func (c *Cloud) routeVersions(mux *http.ServeMux) {
	for path, document := range map[string]http.HandlerFunc{
		"/identity":         c.discover(http.StatusMultipleChoices, c.keystoneVersions),
		"/identity/v3":      c.discover(http.StatusOK, c.keystoneVersion),
		"/image":            c.discover(http.StatusMultipleChoices, c.glanceVersions),
		"/image/versions":   c.discover(http.StatusOK, c.glanceVersions),
		"/compute":          c.discover(http.StatusOK, c.novaVersions),
		"/compute/v2.1":     c.discover(http.StatusOK, c.novaVersion),
		"/network":          c.discover(http.StatusOK, c.neutronVersions),
		"/volume":           c.discover(http.StatusMultipleChoices, c.cinderVersions),
		"/load-balancer":    c.discover(http.StatusOK, c.octaviaVersions),
		"/key-manager":      c.discover(http.StatusMultipleChoices, c.barbicanVersions),
		"/heat":             c.discover(http.StatusMultipleChoices, c.heatVersions("/heat/v1/")),
		"/heat-cfn":         c.discover(http.StatusMultipleChoices, c.heatVersions("/heat-cfn/v1/")),
		"/network/v2.0":     c.authed(neutron, c.neutronResources),
		"/volume/v3":        c.authed(cinder, c.cinderV3),
		"/load-balancer/v2": c.authed(octavia, c.octaviaV2),
	} {
		mux.HandleFunc("GET "+path, document)
		mux.HandleFunc("GET "+path+"/{$}", document)
	}
}

func (c *Cloud) discover(status int, document func() object) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { answer(w, status, document()) }
}

func (c *Cloud) selfLink(path string) []object {
	return []object{{"rel": "self", "href": c.base + path}}
}

func (c *Cloud) v3() object {
	return object{
		"id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z", "links": c.selfLink("/identity/v3/"),
		"media-types": []object{{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}},
	}
}

func (c *Cloud) keystoneVersions() object {
	return object{"versions": object{"values": []object{c.v3()}}}
}

func (c *Cloud) keystoneVersion() object { return object{"version": c.v3()} }

func (c *Cloud) glanceVersions() object {
	versions := []object{}
	for _, id := range []string{"v2.15", "v2.9", "v2.7", "v2.6", "v2.5", "v2.4", "v2.3", "v2.2", "v2.1", "v2.0"} {
		status := "SUPPORTED"
		if id == "v2.15" {
			status = "CURRENT"
		}
		versions = append(versions, object{"id": id, "status": status, "links": c.selfLink("/image/v2/")})
	}
	return object{"versions": versions}
}

// The range of Nova's microversions that is spoken here.
const (
	novaMinimum = "2.1"
	novaMaximum = "2.93"
)

func (c *Cloud) nova21() object {
	return object{
		"id": "v2.1", "status": "CURRENT", "version": novaMaximum, "min_version": novaMinimum,
		"updated": "2013-07-23T11:33:21Z", "links": c.selfLink("/compute/v2.1/"),
	}
}

func (c *Cloud) novaVersions() object { return object{"versions": []object{c.nova21()}} }

func (c *Cloud) novaVersion() object { return object{"version": c.nova21()} }

func (c *Cloud) neutronVersions() object {
	return object{"versions": []object{{"id": "v2.0", "status": "CURRENT", "links": c.selfLink("/network/v2.0/")}}}
}

func (c *Cloud) cinderVersions() object {
	return object{"versions": []object{{
		"id": "v3.0", "status": "CURRENT", "version": "3.70", "min_version": "3.0",
		"updated": "2022-08-31T00:00:00Z", "links": c.selfLink("/volume/v3/"),
	}}}
}

func (c *Cloud) cinderV3(w http.ResponseWriter, _ *http.Request, _ ident) {
	answer(w, http.StatusOK, c.cinderVersions())
}

func (c *Cloud) octaviaVersions() object {
	versions := []object{}
	for _, id := range []string{"v2.0", "v2.1", "v2.2"} {
		versions = append(versions, object{"id": id, "status": "SUPPORTED", "links": c.selfLink("/load-balancer/v2")})
	}
	versions[len(versions)-1]["status"] = "CURRENT"
	return object{"versions": versions}
}

func (c *Cloud) octaviaV2(w http.ResponseWriter, _ *http.Request, _ ident) {
	answer(w, http.StatusOK, "v2")
}

func (c *Cloud) barbicanVersions() object {
	return object{"versions": object{"values": []object{{
		"id": "v1", "status": "stable", "links": c.selfLink("/key-manager/v1/"),
		"media-types": []object{{"base": "application/json", "type": "application/vnd.openstack.key-manager-v1+json"}},
	}}}}
}

func (c *Cloud) heatVersions(path string) func() object {
	return func() object {
		return object{"versions": []object{{"id": "v1.0", "status": "CURRENT", "links": c.selfLink(path)}}}
	}
}
