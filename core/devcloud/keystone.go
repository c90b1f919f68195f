package devcloud

import (
	"encoding/json"
	"io"
	"net/http"
)

// routeKeystone is the identity API.
func (c *Cloud) routeKeystone(mux *http.ServeMux) {
	const v3 = "/identity/v3"
	mux.HandleFunc("POST "+v3+"/auth/tokens", c.authenticate)
	mux.HandleFunc("GET "+v3+"/auth/tokens", c.member(c.validate))
	mux.HandleFunc("DELETE "+v3+"/auth/tokens", c.member(c.revoke))
	mux.HandleFunc("GET "+v3+"/auth/catalog", c.member(c.showCatalog))
	mux.HandleFunc("GET "+v3+"/auth/projects", c.member(c.ownProjects))
	mux.HandleFunc("GET "+v3+"/auth/domains", c.member(c.ownDomains))

	mux.HandleFunc("GET "+v3+"/domains", c.member(c.listDomains))
	mux.HandleFunc("GET "+v3+"/domains/{domain}", c.member(c.getDomain))
	mux.HandleFunc("GET "+v3+"/projects", c.member(c.listProjects))
	mux.HandleFunc("GET "+v3+"/projects/{project}", c.member(c.getProject))
	mux.HandleFunc("GET "+v3+"/users/{user}/projects", c.member(c.projectsOfUser))

	mux.HandleFunc("GET "+v3+"/users", c.member(c.listUsers))
	mux.HandleFunc("POST "+v3+"/users", c.member(c.createUser))
	mux.HandleFunc("GET "+v3+"/users/{user}", c.member(c.getUser))
	mux.HandleFunc("PATCH "+v3+"/users/{user}", c.member(c.updateUser))
	mux.HandleFunc("DELETE "+v3+"/users/{user}", c.member(c.deleteUser))

	mux.HandleFunc("GET "+v3+"/roles", c.member(c.listRoles))
	mux.HandleFunc("GET "+v3+"/roles/{role}", c.member(c.getRole))
	mux.HandleFunc("GET "+v3+"/role_assignments", c.member(c.listAssignments))
	for _, scope := range []string{"/projects/{project}", "/domains/{domain}"} {
		mux.HandleFunc("GET "+v3+scope+"/users/{user}/roles", c.member(c.listGrants))
		mux.HandleFunc("GET "+v3+scope+"/users/{user}/roles/{role}", c.member(c.checkGrant))
		mux.HandleFunc("PUT "+v3+scope+"/users/{user}/roles/{role}", c.member(c.putGrant))
		mux.HandleFunc("DELETE "+v3+scope+"/users/{user}/roles/{role}", c.member(c.deleteGrant))
	}

	mux.HandleFunc("GET "+v3+"/OS-TRUST/trusts", c.member(c.listTrusts))
	mux.HandleFunc("POST "+v3+"/OS-TRUST/trusts", c.member(c.createTrust))
	mux.HandleFunc("GET "+v3+"/OS-TRUST/trusts/{trust}", c.member(c.getTrust))
	mux.HandleFunc("DELETE "+v3+"/OS-TRUST/trusts/{trust}", c.member(c.deleteTrust))
	mux.HandleFunc("GET "+v3+"/OS-TRUST/trusts/{trust}/roles", c.member(c.trustRoles))
}

// call is a request to Keystone by somebody it knows. Cloud.mu is held.
type call struct {
	*http.Request
	ident
	body []byte
}

// reply is what a call gets: a status and a body, which may be nil.
type reply struct {
	status int
	body   any
	header http.Header
}

func ok(body any) (*reply, *refusal) { return &reply{status: http.StatusOK, body: body}, nil }

func created(body any) (*reply, *refusal) { return &reply{status: http.StatusCreated, body: body}, nil }

func noContent() (*reply, *refusal) { return &reply{status: http.StatusNoContent}, nil }

// largestBody is what Keystone reads at most.
const largestBody = 112 << 10

// member serves those who have a valid token, one at a time.
func (c *Cloud) member(serve func(*call) (*reply, *refusal)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, largestBody))
		if err != nil {
			keystone.fail(w, http.StatusRequestEntityTooLarge, "Request is too large.")
			return
		}
		w.Header().Set("Vary", "X-Auth-Token")
		answered, refused := c.serve(r, body, serve)
		if refused != nil {
			if refused == unauthenticated {
				w.Header().Set("Www-Authenticate", `Keystone uri="`+c.AuthURL()+`"`)
			}
			refused.answer(w)
			return
		}
		for name, values := range answered.header {
			w.Header()[name] = values
		}
		if answered.body == nil {
			w.WriteHeader(answered.status)
			return
		}
		answer(w, answered.status, answered.body)
	}
}

// serve does the work under the lock; the answer is written without it.
func (c *Cloud) serve(r *http.Request, body []byte, serve func(*call) (*reply, *refusal)) (*reply, *refusal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, refused := c.validToken(r.Header.Get("X-Auth-Token"))
	if refused != nil {
		return nil, unauthenticated
	}
	return serve(&call{Request: r, ident: c.identOf(t), body: body})
}

// decode reads a body that must be {"name": {...}}.
func (r *call) decode(name string, into any) *refusal {
	var outer map[string]json.RawMessage
	if err := json.Unmarshal(r.body, &outer); err != nil {
		return badRequest("Expecting to find valid JSON in request body.")
	}
	if outer[name] == nil {
		return badRequest("Expecting to find " + name + " in the request body.")
	}
	if err := json.Unmarshal(outer[name], into); err != nil {
		return badRequest("Expecting to find " + name + " as the API defines it.")
	}
	return nil
}

// link is a resource's own address.
func (c *Cloud) link(path string) object { return object{"self": c.AuthURL() + path} }

// collection is a list as Keystone shows it.
func (c *Cloud) collection(r *call, name string, items []object) (*reply, *refusal) {
	self := c.base + r.URL.Path
	if r.URL.RawQuery != "" {
		self += "?" + r.URL.RawQuery
	}
	return ok(object{name: items, "links": object{"self": self, "next": nil, "previous": nil}})
}

// validate shows another token, or one's own.
func (c *Cloud) validate(r *call) (*reply, *refusal) {
	subject := r.Header.Get("X-Subject-Token")
	if subject == "" {
		if r.hasRole("admin", "service") {
			return nil, &refusal{http.StatusNotFound, "No token in the request"}
		}
		return nil, forbidden("identity:validate_token")
	}
	t, refused := c.validToken(subject)
	if refused != nil {
		return nil, refused
	}
	// As in the real one, a trust's token may not even look at itself.
	own := t.UserID == r.UserID && r.TrustID == "" && t.TrustID == ""
	if !own && !r.hasRole("admin", "service") {
		return nil, forbidden("identity:validate_token")
	}
	_, bare := r.URL.Query()["nocatalog"]
	return &reply{
		status: http.StatusOK, body: c.show(t, !bare),
		header: http.Header{"X-Subject-Token": {subject}},
	}, nil
}

// revoke ends a token.
func (c *Cloud) revoke(r *call) (*reply, *refusal) {
	subject := r.Header.Get("X-Subject-Token")
	t, refused := c.validToken(subject)
	if refused != nil {
		return nil, refused
	}
	if t.UserID != r.UserID && !r.isAdmin() {
		return nil, forbidden("identity:revoke_token")
	}
	delete(c.tokens, subject)
	return noContent()
}

func (c *Cloud) showCatalog(r *call) (*reply, *refusal) {
	if r.ProjectID == "" {
		return nil, forbidden("")
	}
	return ok(object{"catalog": c.catalog(r.ProjectID), "links": object{"self": c.AuthURL() + "/auth/catalog"}})
}
