package devcloud

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
)

// authRequest is the body of POST /v3/auth/tokens.
type authRequest struct {
	Auth struct {
		Identity *struct {
			Methods  []string
			Password *struct {
				User struct {
					reference
					Password string
				}
			}
			Token *struct{ ID string }
		}
		Scope json.RawMessage
	}
}

// reference names something by id, or by name within a domain.
type reference struct {
	ID     string
	Name   string
	Domain *struct{ ID, Name string }
}

// authScope is what a token is asked for.
type authScope struct {
	Project *reference
	Domain  *struct{ ID, Name string }
	Trust   *struct{ ID string } `json:"OS-TRUST:trust"`
	System  *struct{ All bool }
}

// authenticate issues a token.
func (c *Cloud) authenticate(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Vary", "X-Auth-Token")
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, largestBody))
	if err != nil {
		keystone.fail(w, http.StatusRequestEntityTooLarge, "Request is too large.")
		return
	}
	_, bare := r.URL.Query()["nocatalog"]
	value, shown, refused := c.login(body, !bare)
	switch {
	case refused == nil:
		w.Header().Set("X-Subject-Token", value)
		answer(w, http.StatusCreated, shown)
	case refused.status == http.StatusUnauthorized:
		w.Header().Set("Www-Authenticate", `Keystone uri="`+c.AuthURL()+`"`)
		refused.answer(w)
	default:
		refused.answer(w)
	}
}

// login checks who asks and what for, and returns the token and its body.
func (c *Cloud) login(body []byte, catalog bool) (string, object, *refusal) {
	var request authRequest
	if err := json.Unmarshal(body, &request); err != nil {
		return "", nil, badRequest("Expecting to find valid JSON in request body.")
	}
	if request.Auth.Identity == nil {
		return "", nil, badRequest("'identity' is a required property.")
	}
	scope, refused := readScope(request.Auth.Scope)
	if refused != nil {
		return "", nil, refused
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	u, from, refused := c.whoAsks(&request)
	if refused != nil {
		return "", nil, refused
	}
	t := &token{UserID: u.ID, Methods: slices.Clone(request.Auth.Identity.Methods)}
	if refused := c.scope(t, u, scope); refused != nil {
		return "", nil, refused
	}
	t, err := c.issue(t, from)
	if err != nil {
		return "", nil, &refusal{http.StatusInternalServerError, "The embedded cloud has no randomness."}
	}
	return t.Value, c.show(t, catalog), nil
}

// readScope reads the scope; "unscoped" and none are the same here, as no
// user has a default project.
func readScope(raw json.RawMessage) (*authScope, *refusal) {
	scope := &authScope{}
	if len(raw) == 0 || string(raw) == "null" || string(raw) == `"unscoped"` {
		return scope, nil
	}
	if err := json.Unmarshal(raw, scope); err != nil {
		return nil, badRequest("Expecting to find a scope as the API defines it.")
	}
	return scope, nil
}

// whoAsks finds the user that a password or a token proves, and the token.
func (c *Cloud) whoAsks(request *authRequest) (*user, *token, *refusal) {
	id := request.Auth.Identity
	var u *user
	var from *token
	for _, method := range id.Methods {
		switch method {
		case "password":
			if id.Password == nil {
				return nil, nil, badRequest("Expecting to find password in identity.")
			}
			given := id.Password.User
			if given.ID == "" && given.Domain == nil {
				return nil, nil, badRequest("Expecting to find domain in user.")
			}
			u = c.referredUser(given.reference)
			if u == nil || !u.Enabled || u.Password == "" || u.Password != given.Password {
				return nil, nil, unauthenticated
			}
		case "token":
			if id.Token == nil {
				return nil, nil, badRequest("Expecting to find token in identity.")
			}
			t, refused := c.validToken(id.Token.ID)
			if refused != nil {
				return nil, nil, refused
			}
			if t.TrustID != "" {
				return nil, nil, forbidden("Using trust-scoped token to create another token. Create a new trust-scoped token instead")
			}
			u, from = c.accounts.user(t.UserID), t
		default:
			return nil, nil, &refusal{http.StatusUnauthorized,
				"Attempted to authenticate with an unsupported method. The embedded cloud knows password and token, not " +
					strings.ToValidUTF8(method, "?") + "."}
		}
	}
	if u == nil {
		return nil, nil, unauthenticated
	}
	return u, from, nil
}

func (c *Cloud) referredUser(to reference) *user {
	if to.ID != "" {
		return c.accounts.user(to.ID)
	}
	if d := c.referredDomain(to.Domain); d != nil {
		return c.accounts.userNamed(to.Name, d.ID)
	}
	return nil
}

func (c *Cloud) referredDomain(to *struct{ ID, Name string }) *domain {
	switch {
	case to == nil:
		return nil
	case to.ID != "":
		return c.accounts.domain(to.ID)
	}
	return c.accounts.domainNamed(to.Name)
}

// scope gives a token what was asked for, if its user has a role there. What
// does not exist and what one has no role on are not told apart.
func (c *Cloud) scope(t *token, u *user, scope *authScope) *refusal {
	asked := 0
	for _, given := range []bool{scope.Project != nil, scope.Domain != nil, scope.Trust != nil, scope.System != nil} {
		if given {
			asked++
		}
	}
	switch {
	case asked > 1:
		return badRequest("The scope names more than one of project, domain, system and trust.")
	case scope.Project != nil:
		to := *scope.Project
		if to.ID == "" && to.Domain == nil {
			return badRequest("Expecting to find domain in project.")
		}
		p := c.accounts.project(to.ID)
		if d := c.referredDomain(to.Domain); to.ID == "" && d != nil {
			p = c.accounts.projectNamed(to.Name, d.ID)
		}
		if p == nil {
			return unauthenticated
		}
		t.ProjectID, t.Roles = p.ID, c.accounts.effective(u.ID, p.ID, "")
	case scope.Domain != nil:
		d := c.referredDomain(scope.Domain)
		if d == nil {
			return unauthenticated
		}
		t.DomainID, t.Roles = d.ID, c.accounts.effective(u.ID, "", d.ID)
	case scope.Trust != nil:
		return c.scopeToTrust(t, u, scope.Trust.ID)
	case scope.System != nil:
		return unauthenticated // nobody has a role on the system here
	default:
		return nil
	}
	if len(t.Roles) == 0 {
		return unauthenticated
	}
	return nil
}

// scopeToTrust lets a trustee act with what was delegated to it.
func (c *Cloud) scopeToTrust(t *token, u *user, id string) *refusal {
	trust, refused := c.validTrust(id)
	if refused != nil {
		return unauthenticated
	}
	trustor := c.accounts.user(trust.TrustorID)
	if u.ID != trust.TrusteeID || trustor == nil || !trustor.Enabled {
		return forbidden("")
	}
	t.TrustID, t.ProjectID = trust.ID, trust.ProjectID
	if trust.Impersonation {
		t.UserID = trust.TrustorID
	}
	if trust.ProjectID == "" {
		return nil
	}
	// What the trustor has lost since is not delegated any more.
	held := c.accounts.effective(trust.TrustorID, trust.ProjectID, "")
	for _, r := range trust.Roles {
		if !slices.Contains(held, r) {
			return forbidden("")
		}
	}
	t.Roles = c.accounts.imply(trust.Roles)
	return nil
}
