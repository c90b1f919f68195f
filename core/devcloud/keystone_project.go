package devcloud

import "slices"

func (c *Cloud) listDomains(r *call) (*reply, *refusal) {
	if !r.isAdmin() {
		return nil, forbidden("identity:list_domains")
	}
	items := []object{}
	for _, d := range c.accounts.domains {
		if fits(r.URL.Query().Get("name"), d.Name) {
			items = append(items, c.showDomain(d))
		}
	}
	return c.collection(r, "domains", items)
}

// getDomain is for administrators and for those whose project or scope is in
// the domain.
func (c *Cloud) getDomain(r *call) (*reply, *refusal) {
	d := c.accounts.domain(r.PathValue("domain"))
	p := c.accounts.project(r.ProjectID)
	if !r.isAdmin() && (d == nil || r.DomainID != d.ID && (p == nil || p.DomainID != d.ID)) {
		return nil, forbidden("identity:get_domain")
	}
	if d == nil {
		return nil, notFound("domain", r.PathValue("domain"))
	}
	return ok(object{"domain": c.showDomain(d)})
}

// listProjects shows a token that is scoped to a domain only that domain's.
func (c *Cloud) listProjects(r *call) (*reply, *refusal) {
	if !r.isAdmin() {
		return nil, forbidden("identity:list_projects")
	}
	query := r.URL.Query()
	items := []object{}
	for _, p := range c.accounts.projects {
		if fits(query.Get("name"), p.Name) && fits(query.Get("domain_id"), p.DomainID) && fits(r.DomainID, p.DomainID) {
			items = append(items, c.showProject(p))
		}
	}
	return c.collection(r, "projects", items)
}

func (c *Cloud) getProject(r *call) (*reply, *refusal) {
	p := c.accounts.project(r.PathValue("project"))
	if !r.isAdmin() && (p == nil || r.ProjectID != p.ID) {
		return nil, forbidden("identity:get_project")
	}
	if p == nil {
		return nil, notFound("project", r.PathValue("project"))
	}
	return ok(object{"project": c.showProject(p)})
}

func (c *Cloud) projectsOfUser(r *call) (*reply, *refusal) {
	if c.accounts.user(r.PathValue("user")) == nil {
		return nil, notFound("user", r.PathValue("user"))
	}
	if !r.isAdmin() && r.UserID != r.PathValue("user") {
		return nil, forbidden("identity:list_user_projects")
	}
	return c.collection(r, "projects", c.projectsWithRole(r.PathValue("user")))
}

func (c *Cloud) ownProjects(r *call) (*reply, *refusal) {
	return c.collection(r, "projects", c.projectsWithRole(r.UserID))
}

func (c *Cloud) projectsWithRole(userID string) []object {
	items := []object{}
	for _, p := range c.accounts.projects {
		if slices.ContainsFunc(c.accounts.grants, func(g grant) bool { return g.UserID == userID && g.ProjectID == p.ID }) {
			items = append(items, c.showProject(p))
		}
	}
	return items
}

func (c *Cloud) ownDomains(r *call) (*reply, *refusal) {
	items := []object{}
	for _, d := range c.accounts.domains {
		if slices.ContainsFunc(c.accounts.grants, func(g grant) bool { return g.UserID == r.UserID && g.DomainID == d.ID }) {
			items = append(items, c.showDomain(d))
		}
	}
	return c.collection(r, "domains", items)
}

func (c *Cloud) showDomain(d *domain) object {
	return object{
		"id": d.ID, "name": d.Name, "description": d.Description, "enabled": true,
		"tags": []string{}, "options": object{}, "links": c.link("/domains/" + d.ID),
	}
}

func (c *Cloud) showProject(p *project) object {
	return object{
		"id": p.ID, "name": p.Name, "domain_id": p.DomainID, "description": p.Description, "enabled": true,
		"parent_id": p.DomainID, "is_domain": false, "tags": []string{}, "options": object{},
		"links": c.link("/projects/" + p.ID),
	}
}
