// Package keystonetest is a small Keystone for the tests of what stands on
// package keystone: tokens, users, trusts, and faults at a test's will.
package keystonetest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The accounts every server starts with.
const (
	Password   = "account-password" // of all of them
	DemoUser   = "demo-user"
	OtherUser  = "other-user"
	DemoProj   = "demo-project" // the one project that can be looked up
	TrustDom   = "trustee-domain"
	DomainName = "magnum"
)

// expiredWindow is how long a token may have run out for a service to bring it.
const expiredWindow = 48 * time.Hour

// Server is a Keystone.
type Server struct {
	*httptest.Server
	// Catalog maps service types to addresses; {project} stands for the
	// token's project.
	Catalog map[string]string
	// Fault, if not nil, may answer a request in the server's place.
	Fault func(w http.ResponseWriter, r *http.Request) bool
	// Now is the clock of expiries.
	Now func() time.Time
	// Life is how long tokens live; an hour.
	Life time.Duration

	mu     sync.Mutex
	next   int
	users  map[string]*user
	trusts map[string]*trust
	tokens map[string]*token
	calls  map[string]int
}

type user struct{ ID, Name, Domain, Password string }

type trust struct {
	ID          string `json:"id"`
	Trustor     string `json:"trustor_user_id"`
	Trustee     string `json:"trustee_user_id"`
	Project     string `json:"project_id"`
	Impersonate bool   `json:"impersonation"`
	Redelegate  bool   `json:"allow_redelegation"`
	Count       int    `json:"redelegation_count"`
	Roles       []role `json:"roles"`
}

type role struct {
	Name string `json:"name"`
}

type token struct {
	user            *user
	project, domain string
	trust           string
	roles           []role
	expires         time.Time
	extra           map[string]any
}

// Start serves until the test ends.
func Start(t testing.TB) *Server {
	s := &Server{
		Catalog: map[string]string{}, Now: time.Now, Life: time.Hour,
		users: map[string]*user{}, trusts: map[string]*trust{}, tokens: map[string]*token{}, calls: map[string]int{},
	}
	for _, u := range []*user{
		{"magnum-user", "magnum", "default", Password}, {DemoUser, "demo", "default", Password},
		{OtherUser, "other", "default", Password},
		{"domain-admin", "magnum_domain_admin", TrustDom, Password},
	} {
		s.users[u.ID] = u
	}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	s.Catalog["identity"] = s.URL + "/v3"
	return s
}

// Token issues one for demo, or for the user of that id, in a project.
func (s *Server) Token(userID, project string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.issue(&token{user: s.users[userID], project: project, roles: []role{{"member"}, {"reader"}}})
}

// Grant is a token as a test wants it.
type Grant struct {
	User, Project string
	Roles         []string
	// Extra is added to the token's data.
	Extra map[string]any
}

// Issue is Token for other roles and odder tokens.
func (s *Server) Issue(g Grant) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	tk := &token{user: s.users[g.User], project: g.Project, extra: g.Extra}
	for _, name := range g.Roles {
		tk.roles = append(tk.roles, role{name})
	}
	return s.issue(tk)
}

// Revoke makes a token unknown.
func (s *Server) Revoke(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tokens, id)
}

// Calls counts requests, such as "POST /v3/users".
func (s *Server) Calls(what string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[what]
}

// Users lists the names in a domain.
func (s *Server) Users(domain string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, u := range s.users {
		if u.Domain == domain {
			names = append(names, u.Name)
		}
	}
	slices.Sort(names)
	return names
}

// Trusts counts the trusts there are.
func (s *Server) Trusts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.trusts)
}

// Trustors lists who the trusts are of.
func (s *Server) Trustors() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var users []string
	for _, tr := range s.trusts {
		users = append(users, tr.Trustor)
	}
	slices.Sort(users)
	return users
}

// PasswordOf is a user's own.
func (s *Server) PasswordOf(userID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.users[userID]; u != nil {
		return u.Password
	}
	return ""
}

// BreakTrusts makes every trust useless, as when its user lost the roles.
func (s *Server) BreakTrusts() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, tr := range s.trusts {
		tr.Trustor = ""
	}
	for id, tk := range s.tokens {
		if tk.trust != "" {
			delete(s.tokens, id)
		}
	}
}

// Known reports whether a token is good, and its project.
func (s *Server) Known(id string) (project string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tk := s.tokens[id]
	if tk == nil || !s.Now().Before(tk.expires) {
		return "", false
	}
	return tk.project, true
}

func (s *Server) issue(tk *token) string {
	s.next++
	tk.expires = s.Now().Add(s.Life)
	id := fmt.Sprintf("secret-token-%d", s.next)
	s.tokens[id] = tk
	return id
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.calls[r.Method+" "+r.URL.Path]++
	fault := s.Fault
	s.mu.Unlock()
	if fault != nil && fault(w, r) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch path := strings.TrimPrefix(r.URL.Path, "/v3/"); {
	case path == "auth/tokens" && r.Method == http.MethodPost:
		s.logIn(w, r)
	case path == "auth/tokens":
		s.show(w, r)
	case s.tokens[r.Header.Get("X-Auth-Token")] == nil:
		refuse(w, http.StatusUnauthorized, "The request you have made requires authentication.")
	case path == "users":
		s.userList(w, r)
	case strings.HasPrefix(path, "users/"):
		s.oneUser(w, r, strings.TrimPrefix(path, "users/"))
	case strings.HasPrefix(path, "projects/"):
		s.project(w, strings.TrimPrefix(path, "projects/"))
	case path == "OS-TRUST/trusts":
		s.trustList(w, r)
	case strings.HasPrefix(path, "OS-TRUST/trusts/"):
		id := strings.TrimPrefix(path, "OS-TRUST/trusts/")
		if s.trusts[id] == nil {
			refuse(w, http.StatusNotFound, "Could not find trust: "+id+".")
			return
		}
		delete(s.trusts, id)
		w.WriteHeader(http.StatusNoContent)
	default:
		refuse(w, http.StatusNotFound, "no such path")
	}
}

// project finds ids in any case, as Keystone does on MariaDB.
func (s *Server) project(w http.ResponseWriter, id string) {
	if !strings.EqualFold(id, DemoProj) {
		refuse(w, http.StatusNotFound, "Could not find project: "+id+".")
		return
	}
	write(w, http.StatusOK, map[string]any{"project": map[string]any{"id": DemoProj, "name": DemoProj, "domain_id": "default", "enabled": true}})
}

func (s *Server) show(w http.ResponseWriter, r *http.Request) {
	asking := s.tokens[r.Header.Get("X-Auth-Token")]
	if asking == nil || !s.Now().Before(asking.expires) {
		refuse(w, http.StatusUnauthorized, "The request you have made requires authentication.")
		return
	}
	id := r.Header.Get("X-Subject-Token")
	tk, until := s.tokens[id], s.Now()
	if r.URL.Query().Get("allow_expired") == "1" {
		until = until.Add(-expiredWindow)
	}
	if tk == nil || !until.Before(tk.expires) {
		refuse(w, http.StatusNotFound, "Could not find token: "+id+".")
		return
	}
	s.answer(w, http.StatusOK, id, tk)
}

func (s *Server) answer(w http.ResponseWriter, code int, id string, tk *token) {
	owner := tk.user
	body := map[string]any{
		"expires_at": tk.expires.UTC().Format("2006-01-02T15:04:05.000000Z"), "roles": tk.roles, "methods": []string{"password"},
	}
	if tr := s.trusts[tk.trust]; tr != nil {
		owner = s.users[tr.Trustor]
		body["OS-TRUST:trust"] = map[string]any{"id": tk.trust}
	}
	body["user"] = map[string]any{"id": owner.ID, "name": owner.Name, "domain": map[string]any{"id": owner.Domain, "name": domainName(owner.Domain)}}
	if tk.project != "" {
		body["project"] = map[string]any{"id": tk.project, "name": tk.project, "domain": map[string]any{"id": "default", "name": "Default"}}
		body["catalog"] = s.catalog(tk.project)
	}
	if tk.domain != "" {
		body["domain"] = map[string]any{"id": tk.domain, "name": domainName(tk.domain)}
	}
	maps.Copy(body, tk.extra)
	w.Header().Set("X-Subject-Token", id)
	write(w, code, map[string]any{"token": body})
}

func (s *Server) catalog(project string) []any {
	all := []any{}
	for _, kind := range slices.Sorted(maps.Keys(s.Catalog)) {
		url := strings.ReplaceAll(s.Catalog[kind], "{project}", project)
		all = append(all, map[string]any{"type": kind, "name": kind, "id": kind, "endpoints": []any{
			map[string]any{"id": kind, "interface": "public", "region": "RegionOne", "region_id": "RegionOne", "url": url},
		}})
	}
	return all
}

func domainName(id string) string {
	if id == TrustDom {
		return DomainName
	}
	return "Default"
}

func write(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body) // the client went away
}

func refuse(w http.ResponseWriter, code int, message string) {
	write(w, code, map[string]any{"error": map[string]any{"code": code, "message": message, "title": http.StatusText(code)}})
}
