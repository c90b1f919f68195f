// Package heattest is a small Heat for the tests of what stands on package
// heat. It evaluates nothing: stacks are as a test says they are.
package heattest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Stack is a stack and what it was last asked to be.
type Stack struct {
	ID, Name, Project string
	Status, Reason    string
	Updated           string
	Body              map[string]any // of the last create or update
	Outputs           map[string]any
	Parameters        map[string]any
	Resources         []Resource
	Updates           int
}

// Resource is a resource; Path are the names from the outside in.
type Resource struct {
	Path                         []string
	Type, Status, Reason, Server string
	Name, Address                string // of a server
}

// Server is a Heat.
type Server struct {
	*httptest.Server
	// Allowed says whether a token may act, if not nil.
	Allowed func(token string) bool
	// Before, if not nil, may answer a request in the server's place; After
	// runs once it has had its effect, and may keep the answer back.
	Before, After func(w http.ResponseWriter, r *http.Request) bool
	// Hold keeps stacks in progress until Finish; otherwise a create or an
	// update is complete, and a deleted stack gone, when next looked at.
	Hold bool
	// New, if not nil, fills in a stack when it is created.
	New func(*Stack)

	mu     sync.Mutex
	next   int
	stacks map[string]*Stack // by id
	calls  []string
}

// Start serves until the test ends.
func Start(t testing.TB) *Server {
	s := &Server{stacks: map[string]*Stack{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// Stacks are all there are, by name, as copies.
func (s *Server) Stacks() []Stack {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Stack
	for _, id := range slices.Sorted(maps.Keys(s.stacks)) {
		all = append(all, *s.stacks[id])
	}
	return all
}

// Calls are the requests so far, such as "GET /v1/p/stacks?id=1".
func (s *Server) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// Count is how many requests there were.
func (s *Server) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.calls)
}

// Put adds a stack as it is, but for its id, which it returns.
func (s *Server) Put(st Stack) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.put(&st)
}

func (s *Server) put(st *Stack) string {
	s.next++
	st.ID = fmt.Sprintf("stack-%d", s.next)
	s.stacks[st.ID] = st
	return st.ID
}

// Change changes a stack; "" is every stack.
func (s *Server) Change(id string, f func(*Stack)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, st := range s.stacks {
		if id == "" || st.ID == id {
			f(st)
		}
	}
}

// SetHold changes Hold while the server is in use.
func (s *Server) SetHold(hold bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Hold = hold
}

// SetBefore changes Before while the server is in use.
func (s *Server) SetBefore(f func(w http.ResponseWriter, r *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Before = f
}

// SetAfter changes After while the server is in use.
func (s *Server) SetAfter(f func(w http.ResponseWriter, r *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.After = f
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.calls = append(s.calls, r.Method+" "+r.URL.RequestURI())
	before, after := s.Before, s.After
	s.mu.Unlock()
	if before != nil && before(w, r) {
		return
	}
	if s.Allowed != nil && !s.Allowed(r.Header.Get("X-Auth-Token")) {
		Refuse(w, http.StatusUnauthorized, "Authentication required")
		return
	}
	answer := httptest.NewRecorder()
	s.mu.Lock()
	s.serve(answer, r)
	s.mu.Unlock()
	if after != nil && after(w, r) {
		return
	}
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // the client went away
}

// serve answers /v1/<project>/stacks[/<name>/<id>[/resources]].
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(parts) < 3 || parts[0] != "v1" || parts[2] != "stacks" {
		Refuse(w, http.StatusNotFound, "no such path")
		return
	}
	if len(parts) == 3 {
		s.collection(w, r, parts[1])
		return
	}
	var st *Stack
	if len(parts) > 4 {
		st = s.stacks[parts[4]]
	}
	if st == nil || st.Project != parts[1] || st.Name != parts[3] {
		Refuse(w, http.StatusNotFound, "The Stack ("+parts[3]+") could not be found.")
		return
	}
	if len(parts) > 5 {
		write(w, http.StatusOK, map[string]any{"resources": st.resources(s.URL, r.URL.Query())})
		return
	}
	switch r.Method {
	case http.MethodGet:
		s.advance(st)
		if s.stacks[st.ID] == nil {
			Refuse(w, http.StatusNotFound, "The Stack ("+st.Name+") could not be found.")
			return
		}
		write(w, http.StatusOK, map[string]any{"stack": st.show()})
	case http.MethodPatch:
		st.Body = body(r)
		st.Updates++
		st.Status, st.Updated = "UPDATE_IN_PROGRESS", fmt.Sprintf("2020-01-01T00:00:%02dZ", st.Updates)
		w.WriteHeader(http.StatusAccepted)
	case http.MethodDelete:
		st.Status = "DELETE_IN_PROGRESS"
		w.WriteHeader(http.StatusNoContent)
	default:
		Refuse(w, http.StatusMethodNotAllowed, "no such method")
	}
}

func (s *Server) collection(w http.ResponseWriter, r *http.Request, project string) {
	if r.Method == http.MethodPost {
		s.create(w, r, project)
		return
	}
	q := r.URL.Query()
	found := []any{}
	for _, id := range slices.Sorted(maps.Keys(s.stacks)) {
		st := s.stacks[id]
		if st.Project != project || !matches(q, "id", st.ID) || !matches(q, "name", st.Name) {
			continue
		}
		s.advance(st)
		if s.stacks[id] != nil {
			found = append(found, st.show())
		}
	}
	write(w, http.StatusOK, map[string]any{"stacks": found})
}

func matches(q url.Values, key, value string) bool {
	return !q.Has(key) || slices.Contains(q[key], value)
}

func (s *Server) create(w http.ResponseWriter, r *http.Request, project string) {
	in := body(r)
	name, _ := in["stack_name"].(string)
	for _, st := range s.stacks {
		if st.Name == name && st.Project == project {
			Refuse(w, http.StatusConflict, "The Stack ("+name+") already exists.")
			return
		}
	}
	st := &Stack{Name: name, Project: project, Status: "CREATE_IN_PROGRESS", Body: in}
	s.put(st)
	if s.New != nil {
		s.New(st)
	}
	write(w, http.StatusCreated, map[string]any{"stack": map[string]any{"id": st.ID}})
}

func (s *Server) advance(st *Stack) {
	if s.Hold {
		return
	}
	switch st.Status {
	case "CREATE_IN_PROGRESS":
		st.Status = "CREATE_COMPLETE"
	case "UPDATE_IN_PROGRESS":
		st.Status = "UPDATE_COMPLETE"
	case "DELETE_IN_PROGRESS":
		delete(s.stacks, st.ID)
	}
}

func (st *Stack) show() map[string]any {
	outputs := []any{}
	for _, k := range slices.Sorted(maps.Keys(st.Outputs)) {
		outputs = append(outputs, map[string]any{"output_key": k, "output_value": st.Outputs[k]})
	}
	return map[string]any{
		"id": st.ID, "stack_name": st.Name, "stack_status": st.Status, "stack_status_reason": st.Reason,
		"updated_time": st.Updated, "outputs": outputs, "parameters": st.Parameters,
	}
}

func (st *Stack) resources(base string, query url.Values) []any {
	all := []any{}
	in := func(path []string) string { return base + "/stacks/s/" + st.ID + "." + strings.Join(path, ".") }
	for _, r := range st.Resources {
		if want := query.Get("type"); want != "" && want != r.Type {
			continue
		}
		last := len(r.Path) - 1
		links := []any{map[string]any{"rel": "stack", "href": in(r.Path[:last])}}
		parent := ""
		if last > 0 {
			parent = r.Path[last-1]
		}
		if r.Type != "OS::Nova::Server" {
			links = append(links, map[string]any{"rel": "nested", "href": in(r.Path)})
		}
		one := map[string]any{
			"resource_name": r.Path[last], "resource_type": r.Type, "resource_status": r.Status,
			"resource_status_reason": r.Reason, "physical_resource_id": r.Server, "parent_resource": parent, "links": links,
		}
		if query.Get("with_detail") == "true" {
			one["attributes"] = r.attributes()
		}
		all = append(all, one)
	}
	return all
}

// attributes are Nova's of a server that has a floating address too.
func (r Resource) attributes() map[string]any {
	if r.Address == "" {
		return map[string]any{"name": r.Name}
	}
	network := []any{
		map[string]any{"addr": "172.24.4.99", "version": 4, "OS-EXT-IPS:type": "floating"},
		map[string]any{"addr": r.Address, "version": 4, "OS-EXT-IPS:type": "fixed"},
	}
	return map[string]any{"name": r.Name, "addresses": map[string]any{"private": network, "4e4e4e4e-0000": network}}
}

func body(r *http.Request) map[string]any {
	var b map[string]any
	_ = json.NewDecoder(r.Body).Decode(&b) // a bad body is an empty one here
	return b
}

func write(w http.ResponseWriter, code int, b any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(b) // the client went away
}

// Refuse answers as Heat refuses.
func Refuse(w http.ResponseWriter, code int, message string) {
	write(w, code, map[string]any{
		"code": code, "title": http.StatusText(code), "explanation": "explained",
		"error": map[string]any{"message": message, "type": "E"},
	})
}

// Lose drops the connection in place of an answer.
func Lose(w http.ResponseWriter) {
	if h, ok := w.(http.Hijacker); ok {
		if conn, _, err := h.Hijack(); err == nil {
			_ = conn.Close() // that is the point
		}
	}
}
