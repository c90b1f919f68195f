package keystonetest

import (
	"encoding/json"
	"fmt"
	"net/http"
)

func (s *Server) logIn(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Auth struct {
			Identity struct {
				Password struct {
					User struct {
						ID, Name, Password string
						Domain             struct{ ID, Name string }
					}
				}
			}
			Scope struct {
				Project struct{ ID, Name string }
				Domain  struct{ ID, Name string }
				Trust   struct{ ID string } `json:"OS-TRUST:trust"`
			}
		}
	}
	if json.NewDecoder(r.Body).Decode(&in) != nil {
		refuse(w, http.StatusBadRequest, "bad body")
		return
	}
	who, scope := in.Auth.Identity.Password.User, in.Auth.Scope
	u := s.users[who.ID]
	for _, one := range s.users {
		if who.ID == "" && one.Name == who.Name && (one.Domain == who.Domain.ID || domainName(one.Domain) == who.Domain.Name) {
			u = one
		}
	}
	if u == nil || u.Password != who.Password {
		refuse(w, http.StatusUnauthorized, "The request you have made requires authentication.")
		return
	}
	tk := &token{user: u, project: scope.Project.ID, roles: []role{{"admin"}, {"service"}}}
	if tk.project == "" {
		tk.project = scope.Project.Name
	}
	if scope.Domain.ID != "" || scope.Domain.Name != "" {
		tk.domain = u.Domain
	}
	if id := scope.Trust.ID; id != "" {
		tr := s.trusts[id]
		if tr == nil || tr.Trustee != u.ID || s.users[tr.Trustor] == nil {
			refuse(w, http.StatusForbidden, "Trust "+id+" cannot be used.")
			return
		}
		tk.trust, tk.project, tk.roles = id, tr.Project, tr.Roles
	}
	s.answer(w, http.StatusCreated, s.issue(tk), tk)
}

func (s *Server) userList(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		found := []any{}
		for _, u := range s.users {
			if u.Name == r.URL.Query().Get("name") && u.Domain == r.URL.Query().Get("domain_id") {
				found = append(found, map[string]any{"id": u.ID, "name": u.Name, "domain_id": u.Domain})
			}
		}
		write(w, http.StatusOK, map[string]any{"users": found})
		return
	}
	var in struct {
		User struct {
			Name, Password string
			Domain         string `json:"domain_id"`
		}
	}
	if json.NewDecoder(r.Body).Decode(&in) != nil {
		refuse(w, http.StatusBadRequest, "bad body")
		return
	}
	for _, u := range s.users {
		if u.Name == in.User.Name && u.Domain == in.User.Domain {
			refuse(w, http.StatusConflict, "Conflict occurred attempting to store user")
			return
		}
	}
	s.next++
	u := &user{ID: fmt.Sprintf("user-%d", s.next), Name: in.User.Name, Domain: in.User.Domain, Password: in.User.Password}
	s.users[u.ID] = u
	write(w, http.StatusCreated, map[string]any{"user": map[string]any{"id": u.ID, "name": u.Name}})
}

func (s *Server) oneUser(w http.ResponseWriter, r *http.Request, id string) {
	u := s.users[id]
	if u == nil {
		refuse(w, http.StatusNotFound, "Could not find user: "+id+".")
		return
	}
	if r.Method == http.MethodDelete {
		delete(s.users, id)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	var in struct{ User struct{ Password string } }
	if json.NewDecoder(r.Body).Decode(&in) != nil {
		refuse(w, http.StatusBadRequest, "bad body")
		return
	}
	u.Password = in.User.Password
	for token, tk := range s.tokens { // with the password goes what it opened
		if tk.user == u {
			delete(s.tokens, token)
		}
	}
	write(w, http.StatusOK, map[string]any{"user": map[string]any{"id": u.ID, "name": u.Name}})
}

func (s *Server) trustList(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		found := []*trust{}
		q := r.URL.Query()
		trustee, trustor := q.Get("trustee_user_id"), q.Get("trustor_user_id")
		asking := s.tokens[r.Header.Get("X-Auth-Token")].user.ID
		if trustee != "" && trustee != asking || trustor != "" && trustor != asking || trustee+trustor == "" {
			refuse(w, http.StatusForbidden, "You are not authorized to perform the requested action: identity:list_trusts.")
			return
		}
		for _, tr := range s.trusts {
			if (trustee == "" || tr.Trustee == trustee) && (trustor == "" || tr.Trustor == trustor) {
				found = append(found, tr)
			}
		}
		write(w, http.StatusOK, map[string]any{"trusts": found})
		return
	}
	var in struct{ Trust *trust }
	if json.NewDecoder(r.Body).Decode(&in) != nil || in.Trust == nil {
		refuse(w, http.StatusBadRequest, "bad body")
		return
	}
	if s.tokens[r.Header.Get("X-Auth-Token")].user.ID != in.Trust.Trustor {
		refuse(w, http.StatusForbidden, "The authenticated user should match the trustor.")
		return
	}
	s.next++
	in.Trust.ID = fmt.Sprintf("secret-trust-%d", s.next)
	s.trusts[in.Trust.ID] = in.Trust
	write(w, http.StatusCreated, map[string]any{"trust": in.Trust})
}
