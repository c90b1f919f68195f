package devcloud

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-magnum/magnum/sdk/hot"
)

// routes are the paths of Heat's API that clients use.
func (h *heat) routes() *http.ServeMux {
	mux := http.NewServeMux()
	const p = "/heat/v1/{project}"
	const s = p + "/stacks/{name}/{id}"
	mux.HandleFunc("/", heatNoPath)
	mux.HandleFunc("GET "+p+"/build_info", h.authed(h.buildInfo))
	mux.HandleFunc("POST "+p+"/validate", h.authed(h.validateTemplate))
	mux.HandleFunc("POST "+p+"/stacks", h.authed(h.createStack))
	mux.HandleFunc("GET "+p+"/stacks", h.authed(h.listStacks))
	mux.HandleFunc("GET "+p+"/stacks/detail", h.authed(h.listStacks))
	for _, method := range []string{"GET", "PUT", "PATCH", "DELETE", "POST"} {
		mux.HandleFunc(method+" "+p+"/stacks/{ident}", h.authed(h.redirect("")))
	}
	for _, part := range []string{"resources", "events", "outputs", "template", "environment", "files"} {
		mux.HandleFunc("GET "+p+"/stacks/{ident}/"+part, h.authed(h.redirect("/"+part)))
	}
	mux.HandleFunc("GET "+s, h.onStack(h.showStack))
	mux.HandleFunc("PUT "+s, h.onStack(h.updateStack))
	mux.HandleFunc("PATCH "+s, h.onStack(h.updateStack))
	mux.HandleFunc("DELETE "+s, h.onStack(h.deleteStack))
	mux.HandleFunc("GET "+s+"/template", h.onStack(h.showTemplate))
	mux.HandleFunc("GET "+s+"/environment", h.onStack(h.showEnvironment))
	mux.HandleFunc("GET "+s+"/files", h.onStack(h.showFiles))
	mux.HandleFunc("GET "+s+"/outputs", h.onStack(h.listOutputs))
	mux.HandleFunc("GET "+s+"/outputs/{output}", h.onStack(h.showOutput))
	mux.HandleFunc("GET "+s+"/events", h.onStack(h.listEvents))
	mux.HandleFunc("GET "+s+"/resources", h.onStack(h.listResources))
	mux.HandleFunc("GET "+s+"/resources/{resource}", h.onResource(h.showResource))
	mux.HandleFunc("GET "+s+"/resources/{resource}/metadata", h.onResource(h.showMetadata))
	mux.HandleFunc("GET "+s+"/resources/{resource}/events", h.onStack(h.listEvents))
	mux.HandleFunc("GET "+s+"/resources/{resource}/events/{event}", h.onStack(h.showEvent))
	mux.HandleFunc("POST "+s+"/resources/{resource}/signal", h.onResource(h.signalResource))
	return mux
}

var heatExplanations = map[int]string{
	400: "The server could not comply with the request since it is either malformed or otherwise incorrect.",
	403: "Access was denied to this resource.",
	404: "The resource could not be found.",
	409: "There was a conflict when trying to complete your request.",
	500: "The server has either erred or is incapable of performing the requested operation.",
}

func heatError(w http.ResponseWriter, status int, kind, message string) {
	answer(w, status, object{
		"code": status, "title": http.StatusText(status), "explanation": heatExplanations[status],
		"error": object{"type": kind, "message": message, "traceback": nil},
	})
}

func badHeatRequest(w http.ResponseWriter, format string, args ...any) {
	heatError(w, http.StatusBadRequest, hot.KindFormat, fmt.Sprintf(format, args...))
}

// heatRefuse answers what the template engine refuses.
func heatRefuse(w http.ResponseWriter, err error) {
	var e *hot.Error
	kind, status := hot.KindFormat, http.StatusBadRequest
	if errors.As(err, &e) {
		kind = e.Kind
	}
	if kind == hot.KindNotFound {
		status = http.StatusNotFound
	}
	heatError(w, status, kind, err.Error())
}

// heatPlain is the body of what Heat's router itself says.
func heatPlain(w http.ResponseWriter, status int, message string) {
	answer(w, status, object{"message": message, "code": fmt.Sprintf("%d %s", status, http.StatusText(status)), "title": http.StatusText(status)})
}

func heatNoPath(w http.ResponseWriter, _ *http.Request) {
	heatPlain(w, http.StatusNotFound, "The resource could not be found.<br /><br />\n\n\n")
}

// authed lets in who has a token for the project in the path. Readers only read.
func (h *heat) authed(next func(http.ResponseWriter, *http.Request, ident)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, ok := h.config.identifier.identity(r.Header.Get("X-Auth-Token"))
		if !ok {
			unauthorizedJSON(w)
			return
		}
		project := r.PathValue("project")
		reads := r.Method == http.MethodGet || strings.HasSuffix(r.URL.Path, "/validate")
		if id.ProjectID != project || !reads && !id.hasRole("admin", "member", "heat_stack_owner", "service") {
			heatError(w, http.StatusForbidden, "HTTPForbidden", heatExplanations[http.StatusForbidden])
			return
		}
		next(w, r, id)
	}
}

// onStack finds the stack of a path and holds the engine's lock meanwhile.
func (h *heat) onStack(next func(http.ResponseWriter, *http.Request, *heatStack)) http.HandlerFunc {
	return h.authed(func(w http.ResponseWriter, r *http.Request, _ ident) {
		body, err := readHeatBody(w, r)
		if err != nil {
			badHeatRequest(w, "%s", err)
			return
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		s := h.stacks[r.PathValue("id")]
		if s == nil || s.name != r.PathValue("name") || s.project != r.PathValue("project") {
			noStack(w, r.PathValue("name"))
			return
		}
		next(w, r.WithContext(withBody(r.Context(), body)), s)
	})
}

func noStack(w http.ResponseWriter, name string) {
	heatError(w, http.StatusNotFound, "EntityNotFound", fmt.Sprintf("The Stack (%s) could not be found.", name))
}

// onResource finds the resource of a path. A wait condition's token is let in
// for its own handle.
func (h *heat) onResource(next func(http.ResponseWriter, *http.Request, *heatResource)) http.HandlerFunc {
	find := func(w http.ResponseWriter, r *http.Request, s *heatStack) {
		name := r.PathValue("resource")
		for _, res := range s.all() {
			if res.name == name {
				next(w, r, res)
				return
			}
		}
		heatError(w, http.StatusNotFound, "ResourceNotFound", fmt.Sprintf("The Resource (%s) could not be found in Stack %s.", name, s.name))
	}
	usual := h.onStack(find)
	return func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		handle := h.tokens[r.Header.Get("X-Auth-Token")]
		own := handle != nil && handle.name == r.PathValue("resource") && handle.stack.id == r.PathValue("id") && r.Method == http.MethodPost
		h.mu.Unlock()
		if !own {
			usual(w, r)
			return
		}
		body, err := readHeatBody(w, r)
		if err != nil {
			badHeatRequest(w, "%s", err)
			return
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		next(w, r.WithContext(withBody(r.Context(), body)), handle)
	}
}

// readHeatBody decodes a JSON object; no body is an empty one.
func readHeatBody(w http.ResponseWriter, r *http.Request) (map[string]json.RawMessage, error) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 2*hot.MaxStackBytes))
	if err != nil {
		return nil, fmt.Errorf("read the request: %w", err)
	}
	body := map[string]json.RawMessage{}
	if len(strings.TrimSpace(string(raw))) == 0 {
		return body, nil
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		return nil, err
	}
	return body, nil
}

// redirect sends a request that names a stack to the stack's full path.
func (h *heat) redirect(part string) func(http.ResponseWriter, *http.Request, ident) {
	return func(w http.ResponseWriter, r *http.Request, id ident) {
		h.mu.Lock()
		s := h.find(id.ProjectID, r.PathValue("ident"))
		h.mu.Unlock()
		if s == nil {
			noStack(w, r.PathValue("ident"))
			return
		}
		target := h.stackURL(s) + part
		if r.URL.RawQuery != "" {
			target += "?" + r.URL.RawQuery
		}
		w.Header().Set("Location", target)
		heatPlain(w, http.StatusFound, fmt.Sprintf("The resource was found at <a href=%q>%s</a>;\nyou should be redirected automatically.\n\n", target, target))
	}
}

// find looks a stack up by name or id. Deleted ones have only their id.
func (h *heat) find(project, ident string) *heatStack {
	if s := h.stacks[ident]; s != nil && s.project == project {
		return s
	}
	for _, s := range h.stacks {
		if s.name == ident && s.project == project && s.alive() {
			return s
		}
	}
	return nil
}

func (h *heat) stackURL(s *heatStack) string {
	return h.config.base + "/heat/v1/" + s.project + "/stacks/" + url.PathEscape(s.name) + "/" + s.id
}

func (h *heat) resourceURL(r *heatResource) string {
	return h.stackURL(r.stack) + "/resources/" + url.PathEscape(r.name)
}

func heatLink(rel, href string) object { return object{"rel": rel, "href": href} }

func heatTime(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

// number reads a parameter that is a whole number of at least 0; -1 if it is
// not there.
func number(name, value string) (int, error) {
	if value == "" {
		return -1, nil
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		return 0, fmt.Errorf("Only integer is acceptable by '%s'.", name)
	}
	if n < 0 {
		return 0, fmt.Errorf("Value '%d' is invalid for '%s' which only accepts non-negative integer.", n, name)
	}
	return n, nil
}

func isTrue(s string) bool {
	b, err := strconv.ParseBool(strings.ToLower(s))
	return err == nil && b
}

func (h *heat) buildInfo(w http.ResponseWriter, _ *http.Request, _ ident) {
	answer(w, http.StatusOK, object{"api": object{"revision": "devcloud"}, "engine": object{"revision": "devcloud"}})
}
