package api

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/policy"
)

// serve is everything before the router: what holds for every request,
// whether or not there is a route for it.
func (a *api) serve(w *measured, r *http.Request) {
	switch {
	case r.Method == http.MethodOptions:
		// The cross-origin filter answers before all others.
		w.other = routePreflight
		a.cors.preflight(w.Header(), r.Header)
		w.WriteHeader(http.StatusOK)
		return
	case isHealthcheck(r.URL.Path):
		w.other = routeHealth
		serveHealth(w, r)
		return
	}
	a.cors.simple(w.Header(), r.Header)
	rq := &request{id: "req-" + a.NewID(), policy: a.policy.Rules()}
	w.Header()["X-Openstack-Request-Id"] = []string{rq.id}
	defer func() {
		if cause := recover(); cause != nil {
			if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(cause) // net/http's own way to cut a connection
			}
			a.Logger.Error("panic", "request", rq.id, "method", r.Method, "path", r.URL.Path, "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
			a.fail(w, r, rq.id, errors.New("panic"))
		}
	}()
	if r.Body != nil && r.Body != http.NoBody {
		// net/http's own writer: it must learn that the connection is of no more use.
		r.Body = http.MaxBytesReader(w.ResponseWriter, r.Body, maxBody)
	}
	path := canonical(r.URL.Path)
	if path != "/" && path != "/v1" && !isSuffixed(path) {
		if err := a.authenticate(rq, r); err != nil {
			a.fail(w, r, rq.id, err)
			return
		}
	}
	if path == "/" {
		rq.version = minVersion
	} else {
		var err error
		if rq.version, err = negotiate(r.Header); err != nil {
			a.fail(w, r, rq.id, err)
			return
		}
	}
	rq.Request, rq.base = r, base(r, a.Options.OsloMiddleware.EnableProxyHeadersParsing)
	var found served
	found, rq.args = a.router.find(r.Method, path)
	if rq.route = found.route; rq.route == nil || hasNUL(path) {
		a.lost(w, rq, path)
		return
	}
	w.route = found.measure
	a.run(w, rq)
}

// run calls a route's handler and writes its answer.
func (a *api) run(w http.ResponseWriter, rq *request) {
	r, rt := rq.Request, rq.route
	if err := rt.check(rq.version); err != nil {
		a.fail(w, r, rq.id, err)
		return
	}
	if !acceptsJSON(r.Header) {
		err := framework(http.StatusNotAcceptable, "")
		err.title = ""
		a.fail(w, r, rq.id, err)
		return
	}
	if rt.path != "/" {
		setVersion(w.Header(), headerValues[rq.version])
	}
	rq.asked = rt.rule == anybody
	ans, err := rt.handle(rq)
	if err == nil && !rq.asked {
		err = fmt.Errorf("%s %s answered without asking the policy", rt.method, rt.path)
	}
	if err != nil {
		a.fail(w, r, rq.id, err)
		return
	}
	if ans.location != "" {
		w.Header()["Location"] = []string{ans.location}
	}
	write(w, r, ans.status, ans.body)
}

var jsonType = []string{"application/json"}

// write sends an answer. An error of the connection has no reader.
func write(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	h := w.Header()
	if status != http.StatusNoContent {
		h["Content-Type"] = jsonType
		h["Content-Length"] = []string{strconv.Itoa(len(body))}
	}
	w.WriteHeader(status)
	if status != http.StatusNoContent && r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

// authenticate finds out who calls.
func (a *api) authenticate(rq *request, r *http.Request) error {
	credentials := keystone.Request{
		Token: r.Header.Get("X-Auth-Token"), ServiceToken: r.Header.Get("X-Service-Token"),
		Method: r.Method, Path: r.URL.Path,
	}
	if credentials.Token == "" {
		return magnum.Errorf(magnum.Unauthorized, "The request you have made requires authentication.")
	}
	id, err := a.Keystone.Authenticate(r.Context(), credentials)
	if err != nil {
		return err
	}
	rq.caller = id
	rq.creds = policy.Credentials{
		UserID: id.UserID, UserName: id.UserName, DomainID: id.UserDomainID, DomainName: id.DomainName,
		ProjectID: id.ProjectID, ProjectName: id.ProjectName, Roles: id.Roles,
		System: id.SystemScope, ScopeDomainID: id.ScopeDomainID,
		Service: (*policy.Service)(id.Service),
	}
	rq.creds.IsAdmin = rq.policy.IsAdmin(r.Context(), &rq.creds)
	return nil
}

// canonical drops doubled and trailing slashes and the prefix /v1. The paths
// that stand for the version itself are "/" and "/v1".
func canonical(path string) string {
	if strings.Contains(path, "//") {
		var b strings.Builder
		for segment := range strings.SplitSeq(path, "/") {
			if segment != "" {
				b.WriteByte('/')
				b.WriteString(segment)
			}
		}
		path = b.String()
	}
	path = strings.TrimSuffix(path, "/")
	if path == "" {
		return "/"
	}
	// /v1/v1 is a path like any other that leads nowhere; it must not become
	// one of those that need no token.
	if rest, ok := strings.CutPrefix(path, "/v1/"); ok && rest != "v1" {
		return "/" + rest
	}
	return path
}

// isSuffixed reports the two forms with .json that need no token, although
// nothing is there.
func isSuffixed(path string) bool { return path == "/.json" || path == "/v1.json" }

// acceptsJSON reads the Accept header as far as one media type needs it.
func acceptsJSON(h http.Header) bool {
	values := h["Accept"]
	if len(values) == 0 {
		return true
	}
	for _, v := range values {
		for item := range strings.SplitSeq(v, ",") {
			kind, parameters, _ := strings.Cut(item, ";")
			switch strings.ToLower(strings.TrimSpace(kind)) {
			case "application/json", "*/*", "application/*", "":
				if !refused(parameters) {
					return true
				}
			}
		}
	}
	return false
}

func refused(parameters string) bool {
	for p := range strings.SplitSeq(parameters, ";") {
		if name, q, ok := strings.Cut(strings.TrimSpace(p), "="); ok && strings.EqualFold(name, "q") {
			n, err := strconv.ParseFloat(q, 64)
			return err == nil && n == 0
		}
	}
	return false
}
