package devcloud

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// listUsers filters by domain_id, name and enabled. A token that is scoped to
// a domain sees only that domain's.
func (c *Cloud) listUsers(r *call) (*reply, *refusal) {
	if !r.isAdmin() {
		return nil, forbidden("identity:list_users")
	}
	query := r.URL.Query()
	items := []object{}
	for _, u := range c.accounts.users {
		if fits(query.Get("domain_id"), u.DomainID) && fits(r.DomainID, u.DomainID) && fits(query.Get("name"), u.Name) &&
			(query.Get("enabled") == "" || strings.EqualFold(query.Get("enabled"), fmt.Sprint(u.Enabled))) {
			items = append(items, c.showUser(u))
		}
	}
	return c.collection(r, "users", items)
}

// fits is a filter: none fits everything.
func fits(wanted, have string) bool { return wanted == "" || wanted == have }

func (c *Cloud) getUser(r *call) (*reply, *refusal) {
	u := c.accounts.user(r.PathValue("user"))
	if !r.isAdmin() && (u == nil || r.UserID != u.ID) {
		return nil, forbidden("identity:get_user")
	}
	if u == nil {
		return nil, notFound("user", r.PathValue("user"))
	}
	return ok(object{"user": c.showUser(u)})
}

func (c *Cloud) createUser(r *call) (*reply, *refusal) {
	if !r.isAdmin() {
		return nil, forbidden("identity:create_user")
	}
	given := object{}
	if refused := r.decode("user", &given); refused != nil {
		return nil, refused
	}
	u := &user{ID: c.config.NewID(), DomainID: r.DomainID, Enabled: true, Extra: object{}}
	if u.DomainID == "" {
		u.DomainID = r.UserDomain
	}
	if refused := c.change(u, given); refused != nil {
		return nil, refused
	}
	if u.Name == "" {
		return nil, badRequest("'name' is a required property.")
	}
	c.accounts.users = append(c.accounts.users, u)
	return created(object{"user": c.showUser(u)})
}

func (c *Cloud) updateUser(r *call) (*reply, *refusal) {
	if !r.isAdmin() {
		return nil, forbidden("identity:update_user")
	}
	u := c.accounts.user(r.PathValue("user"))
	if u == nil {
		return nil, notFound("user", r.PathValue("user"))
	}
	given := object{}
	if refused := r.decode("user", &given); refused != nil {
		return nil, refused
	}
	changed := *u
	changed.Extra = maps.Clone(u.Extra)
	if refused := c.change(&changed, given); refused != nil {
		return nil, refused
	}
	if u.Password != changed.Password || !changed.Enabled { // Keystone revokes what stood on them
		maps.DeleteFunc(c.tokens, func(_ string, t *token) bool { return t.UserID == u.ID })
	}
	*u = changed
	return ok(object{"user": c.showUser(u)})
}

// change applies what a request says about a user.
func (c *Cloud) change(u *user, given object) *refusal {
	for name, value := range given {
		text, isText := value.(string)
		switch name {
		case "name", "password", "domain_id":
			if !isText || text == "" {
				return badRequest("Expecting to find a string in " + name + ".")
			}
		}
		switch name {
		case "name":
			u.Name = text
		case "password":
			u.Password = text
		case "domain_id":
			if c.accounts.domain(text) == nil {
				return notFound("domain", text)
			}
			u.DomainID = text
		case "enabled":
			enabled, isBool := value.(bool)
			if !isBool {
				return badRequest("Expecting to find a boolean in enabled.")
			}
			u.Enabled = enabled
		default:
			if u.Extra == nil {
				u.Extra = object{}
			}
			u.Extra[name] = value
		}
	}
	if other := c.accounts.userNamed(u.Name, u.DomainID); other != nil && other.ID != u.ID {
		return &refusal{http.StatusConflict, fmt.Sprintf(
			"Conflict occurred attempting to store user - Duplicate entry found with name %s at domain ID %s.", u.Name, u.DomainID)}
	}
	return nil
}

func (c *Cloud) deleteUser(r *call) (*reply, *refusal) {
	u := c.accounts.user(r.PathValue("user"))
	switch {
	case !r.isAdmin():
		return nil, forbidden("identity:delete_user")
	case u == nil:
		return nil, notFound("user", r.PathValue("user"))
	}
	c.accounts.removeUser(u.ID)
	return noContent()
}

func (c *Cloud) showUser(u *user) object {
	shown := object{
		"id": u.ID, "name": u.Name, "domain_id": u.DomainID, "enabled": u.Enabled,
		"password_expires_at": nil, "options": object{}, "links": c.link("/users/" + u.ID),
	}
	extra := object{}
	for name, value := range u.Extra {
		if _, taken := shown[name]; !taken {
			extra[name] = value
		}
	}
	if len(extra) > 0 {
		maps.Copy(shown, extra)
		shown["extra"] = extra
	}
	return shown
}

func (c *Cloud) listRoles(r *call) (*reply, *refusal) {
	if !r.isAdmin() {
		return nil, forbidden("identity:list_roles")
	}
	var found []*role
	for _, role := range c.accounts.roles {
		if fits(r.URL.Query().Get("name"), role.Name) {
			found = append(found, role)
		}
	}
	return c.collection(r, "roles", c.showRoles(found))
}

func (c *Cloud) getRole(r *call) (*reply, *refusal) {
	found := c.accounts.role(r.PathValue("role"))
	switch {
	case found == nil:
		return nil, notFound("role", r.PathValue("role"))
	case !r.isAdmin():
		return nil, forbidden("identity:get_role")
	}
	return ok(object{"role": c.showRoles([]*role{found})[0]})
}

func (c *Cloud) showRoles(roles []*role) []object {
	items := []object{}
	for _, r := range roles {
		options := object{}
		if r.Immutable {
			options["immutable"] = true
		}
		items = append(items, object{
			"id": r.ID, "name": r.Name, "domain_id": nil, "description": nil, "options": options,
			"links": c.link("/roles/" + r.ID),
		})
	}
	return items
}

// grantOf reads a grant's path; everything in it must exist.
func (c *Cloud) grantOf(r *call, action string) (grant, *refusal) {
	g := grant{
		UserID: r.PathValue("user"), RoleID: r.PathValue("role"),
		ProjectID: r.PathValue("project"), DomainID: r.PathValue("domain"),
	}
	switch {
	case g.RoleID != "" && c.accounts.role(g.RoleID) == nil:
		return g, notFound("role", g.RoleID)
	case g.ProjectID != "" && c.accounts.project(g.ProjectID) == nil:
		return g, notFound("project", g.ProjectID)
	case g.DomainID != "" && c.accounts.domain(g.DomainID) == nil:
		return g, notFound("domain", g.DomainID)
	case c.accounts.user(g.UserID) == nil:
		return g, notFound("user", g.UserID)
	case !r.isAdmin():
		return g, forbidden(action)
	}
	return g, nil
}

func (c *Cloud) listGrants(r *call) (*reply, *refusal) {
	g, refused := c.grantOf(r, "identity:list_grants")
	if refused != nil {
		return nil, refused
	}
	return c.collection(r, "roles", c.showRoles(c.accounts.granted(g.UserID, g.ProjectID, g.DomainID)))
}

func (c *Cloud) checkGrant(r *call) (*reply, *refusal) {
	g, refused := c.grantOf(r, "identity:check_grant")
	if refused != nil {
		return nil, refused
	}
	if !slices.Contains(c.accounts.grants, g) {
		return nil, notFound("role", g.RoleID)
	}
	return noContent()
}

func (c *Cloud) putGrant(r *call) (*reply, *refusal) {
	g, refused := c.grantOf(r, "identity:create_grant")
	if refused != nil {
		return nil, refused
	}
	if !slices.Contains(c.accounts.grants, g) {
		c.accounts.grants = append(c.accounts.grants, g)
	}
	return noContent()
}

// deleteGrant also ends the tokens that stood on the role, as Keystone does.
func (c *Cloud) deleteGrant(r *call) (*reply, *refusal) {
	g, refused := c.grantOf(r, "identity:revoke_grant")
	if refused != nil {
		return nil, refused
	}
	if !slices.Contains(c.accounts.grants, g) {
		return nil, notFound("role", g.RoleID)
	}
	c.accounts.grants = slices.DeleteFunc(c.accounts.grants, func(other grant) bool { return other == g })
	maps.DeleteFunc(c.tokens, func(_ string, t *token) bool {
		return t.UserID == g.UserID && t.ProjectID == g.ProjectID && t.DomainID == g.DomainID
	})
	return noContent()
}

// listAssignments filters by user.id, role.id, scope.project.id and
// scope.domain.id, and shows names if include_names is there.
func (c *Cloud) listAssignments(r *call) (*reply, *refusal) {
	if !r.isAdmin() {
		return nil, forbidden("identity:list_role_assignments")
	}
	query := r.URL.Query()
	_, names := query["include_names"]
	_, effective := query["effective"]
	grants := slices.Clone(c.accounts.grants)
	if effective {
		grants = c.effectiveGrants()
	}
	items := []object{}
	for _, g := range grants {
		if fits(query.Get("user.id"), g.UserID) && fits(query.Get("role.id"), g.RoleID) &&
			fits(query.Get("scope.project.id"), g.ProjectID) && fits(query.Get("scope.domain.id"), g.DomainID) &&
			fits(r.DomainID, c.domainOf(g)) {
			items = append(items, c.showGrant(g, names))
		}
	}
	return c.collection(r, "role_assignments", items)
}

// domainOf is the domain that a grant's scope is in.
func (c *Cloud) domainOf(g grant) string {
	if p := c.accounts.project(g.ProjectID); p != nil {
		return p.DomainID
	}
	return g.DomainID
}

func (c *Cloud) effectiveGrants() []grant {
	var all []grant
	for _, g := range c.accounts.grants {
		for _, r := range c.accounts.imply([]*role{c.accounts.role(g.RoleID)}) {
			implied := g
			implied.RoleID = r.ID
			if !slices.Contains(all, implied) {
				all = append(all, implied)
			}
		}
	}
	return all
}

func (c *Cloud) showGrant(g grant, names bool) object {
	u, r := object{"id": g.UserID}, object{"id": g.RoleID}
	kind, scope, id := "project", object{"id": g.ProjectID}, g.ProjectID
	if g.DomainID != "" {
		kind, scope, id = "domain", object{"id": g.DomainID}, g.DomainID
	}
	if names {
		owner := c.accounts.user(g.UserID)
		u["name"], u["domain"] = owner.Name, c.showDomainName(owner.DomainID)
		r["name"] = c.accounts.role(g.RoleID).Name
		if kind == "project" {
			p := c.accounts.project(id)
			scope["name"], scope["domain"] = p.Name, c.showDomainName(p.DomainID)
		} else {
			scope["name"] = c.accounts.domain(id).Name
		}
	}
	return object{
		"user": u, "role": r, "scope": object{kind: scope},
		"links": object{"assignment": fmt.Sprintf("%s/%ss/%s/users/%s/roles/%s", c.AuthURL(), kind, id, g.UserID, g.RoleID)},
	}
}
