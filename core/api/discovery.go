package api

import "net/http"

// collections are the resources that the version document points to, in its
// own order. Upstream lists all of them at every microversion.
var collections = [...]string{
	"baymodels", "bays", "clustertemplates", "clusters", "quotas", "certificates", "mservices", "stats", "federations",
}

func (a *api) showRoot(rq *request) (*answer, error) {
	if _, err := rq.arguments(); err != nil {
		return nil, err
	}
	var e encoder
	e.open('{')
	e.str("name", "OpenStack Magnum API")
	e.str("description", "Magnum is an OpenStack project which aims to provide container cluster management.")
	e.key("versions")
	e.open('[')
	e.open('{')
	e.str("id", "v1")
	e.key("links")
	e.open('[')
	e.link("self", rq.base, "/v1/")
	e.close(']')
	e.str("status", "CURRENT")
	e.str("max_version", maxVersion.String())
	e.str("min_version", minVersion.String())
	e.close('}')
	e.close(']')
	e.close('}')
	return &answer{status: http.StatusOK, body: e.b}, nil
}

func (a *api) showV1(rq *request) (*answer, error) {
	if _, err := rq.arguments(); err != nil {
		return nil, err
	}
	var e encoder
	e.open('{')
	e.str("id", "v1")
	e.key("media_types")
	e.open('[')
	e.open('{')
	e.str("base", "application/json")
	e.str("type", "application/vnd.openstack.magnum.v1+json")
	e.close('}')
	e.close(']')
	e.key("links")
	e.open('[')
	e.link("self", rq.base, "/v1/")
	e.open('{')
	e.str("href", "http://docs.openstack.org/developer/magnum/dev/api-spec-v1.html")
	e.str("rel", "describedby")
	e.str("type", "text/html")
	e.close('}')
	e.close(']')
	for _, name := range collections {
		e.collection(name, rq.base, name+"/")
	}
	e.collection("nodegroups", rq.base, "clusters/{cluster_id}/nodegroups")
	e.collection("credentials", rq.base, "credentials/")
	e.close('}')
	return &answer{status: http.StatusOK, body: e.b}, nil
}

// collection writes a member that holds the two links of a collection.
func (e *encoder) collection(name, base, path string) {
	e.key(name)
	e.open('[')
	e.link("self", base, "/v1/", path)
	e.link("bookmark", base, "/", path)
	e.close(']')
}
