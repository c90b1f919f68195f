package devcloud

import (
	"net/http"
	"strings"
)

// handler is the whole cloud. Outermost the request id and the log, then the
// faults, then the services.
func (c *Cloud) handler() http.Handler {
	mux := http.NewServeMux()
	c.routeVersions(mux)
	c.routeKeystone(mux)
	c.routeGlance(mux)
	c.routeNova(mux)
	c.routeNeutron(mux)
	c.routeCinder(mux)
	c.routeOctavia(mux)
	mux.Handle("/heat/", c.heat)
	mux.Handle("/heat-cfn/", c.heat)
	for _, dialect := range []dialect{keystone, glance, nova, neutron, cinder, octavia, barbican} {
		mux.HandleFunc("/"+dialect.prefix+"/", c.refuse(dialect))
	}
	mux.HandleFunc("/", c.refuse(keystone))
	return c.observe(c.faults.wrap(mux))
}

// refuse answers what the cloud does not do.
func (c *Cloud) refuse(d dialect) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		d.fail(w, http.StatusNotImplemented, "The embedded cloud does not do "+r.Method+" "+r.URL.Path+".")
	}
}

// observe gives each request an id and logs it: method, path and status,
// never a header, a query or a body.
func (c *Cloud) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := "req-" + c.newUUID()
		w.Header().Set("X-Openstack-Request-Id", id)
		seen := &statusWriter{ResponseWriter: w}
		next.ServeHTTP(seen, r)
		c.config.Logger.Trace("request", "method", r.Method, "path", r.URL.Path, "status", seen.status, "request_id", id)
	})
}

// statusWriter remembers the status that was sent.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// ident is who a token speaks for.
type ident struct {
	Token       string
	UserID      string
	UserName    string
	UserDomain  string // id
	ProjectID   string // empty if not scoped to one
	ProjectName string
	DomainID    string // scope, if it is a domain
	TrustID     string // empty unless scoped to a trust
	Roles       []string
}

// hasRole reports whether the token carries any of these roles.
func (id ident) hasRole(names ...string) bool {
	for _, have := range id.Roles {
		for _, name := range names {
			if strings.EqualFold(have, name) {
				return true
			}
		}
	}
	return false
}

func (id ident) isAdmin() bool { return id.hasRole("admin") }

// identity finds out who a token speaks for; false if it is not valid.
func (c *Cloud) identity(value string) (ident, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, refused := c.validToken(value)
	if refused != nil {
		return ident{}, false
	}
	return c.identOf(t), true
}

// authed lets only requests with a valid token in.
func (c *Cloud) authed(d dialect, next func(http.ResponseWriter, *http.Request, ident)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, ok := c.identity(r.Header.Get("X-Auth-Token"))
		if !ok {
			w.Header().Set("Www-Authenticate", `Keystone uri="`+c.AuthURL()+`"`)
			d.unauthorized(w)
			return
		}
		next(w, r, id)
	}
}
