package devcloud

import (
	"cmp"
	"slices"
	"time"
)

// accounts is what Keystone knows. All of it is guarded by Cloud.mu.
type accounts struct {
	domains  []*domain
	projects []*project
	users    []*user
	roles    []*role
	grants   []grant
	trusts   []*trust
}

type domain struct{ ID, Name, Description string }

type project struct{ ID, Name, DomainID, Description string }

type role struct {
	ID, Name  string
	Immutable bool
}

type user struct {
	ID, Name, DomainID string
	Password           string
	Enabled            bool
	Extra              object // description, email: shown as given
}

// grant is a role a user has on a project or on a domain.
type grant struct{ UserID, RoleID, ProjectID, DomainID string }

type trust struct {
	ID                  string
	TrustorID           string
	TrusteeID           string
	ProjectID           string // empty: for no project
	Impersonation       bool
	Roles               []*role
	ExpiresAt           time.Time // zero: never
	RemainingUses       int       // -1: no limit
	RedelegatedTrustID  string
	RedelegationCount   int
	allowedRedelegation bool
}

// Ids that are fixed in every OpenStack.
const defaultDomain = "default"

// Names of the accounts a cloud starts with.
const (
	userMagnum      = "magnum"
	userDomainAdmin = "magnum_domain_admin"
	domainMagnum    = "magnum"
	projectService  = "service"
)

// openAccounts makes the accounts of a new cloud, after devstack's fashion:
// people, their projects, and the service with a domain for its trustees.
func (c *Cloud) openAccounts() error {
	a := &c.accounts
	a.domains = []*domain{
		{ID: defaultDomain, Name: "Default", Description: "The default domain"},
		{ID: c.config.NewID(), Name: domainMagnum, Description: "Users of clusters"},
	}
	trustees := a.domains[1].ID
	for _, name := range []string{
		"admin", "member", "reader", "service", "creator", "heat_stack_owner",
		"load-balancer_member", "load-balancer_admin",
	} {
		basic := name == "admin" || name == "member" || name == "reader"
		a.roles = append(a.roles, &role{ID: c.config.NewID(), Name: name, Immutable: basic})
	}
	for _, name := range []string{"admin", "demo", "alt", projectService} {
		a.projects = append(a.projects, &project{ID: c.config.NewID(), Name: name, DomainID: defaultDomain})
	}
	tenant := []string{"member", "creator", "heat_stack_owner", "load-balancer_member"}
	for _, person := range []struct {
		name, project string
		roles         []string
	}{
		{"admin", "admin", []string{"admin"}},
		{"demo", "demo", tenant},
		{"alt", "alt", tenant},
		{"reader", "demo", []string{"reader"}},
	} {
		u := c.addUser(person.name, defaultDomain, c.config.Password)
		for _, r := range person.roles {
			a.grants = append(a.grants, grant{UserID: u.ID, RoleID: a.roleNamed(r).ID, ProjectID: a.projectNamed(person.project, defaultDomain).ID})
		}
	}
	for _, service := range []struct {
		name, domain, project string
		roles                 []string
	}{
		{userMagnum, defaultDomain, projectService, []string{"admin", "service"}},
		{userDomainAdmin, trustees, "", []string{"admin"}},
	} {
		password, err := c.secret()
		if err != nil {
			return err
		}
		u := c.addUser(service.name, service.domain, password)
		for _, r := range service.roles {
			g := grant{UserID: u.ID, RoleID: a.roleNamed(r).ID, DomainID: service.domain}
			if service.project != "" {
				g.DomainID, g.ProjectID = "", a.projectNamed(service.project, defaultDomain).ID
			}
			a.grants = append(a.grants, g)
		}
	}
	return nil
}

func (c *Cloud) addUser(name, domainID, password string) *user {
	u := &user{ID: c.config.NewID(), Name: name, DomainID: domainID, Password: password, Enabled: true}
	c.accounts.users = append(c.accounts.users, u)
	return u
}

// find returns the first that fits, or nil.
func find[T any](all []*T, fits func(*T) bool) *T {
	if i := slices.IndexFunc(all, fits); i >= 0 {
		return all[i]
	}
	return nil
}

func (a *accounts) domain(id string) *domain {
	return find(a.domains, func(d *domain) bool { return d.ID == id })
}

func (a *accounts) domainNamed(name string) *domain {
	return find(a.domains, func(d *domain) bool { return d.Name == name })
}

func (a *accounts) project(id string) *project {
	return find(a.projects, func(p *project) bool { return p.ID == id })
}

func (a *accounts) projectNamed(name, domainID string) *project {
	return find(a.projects, func(p *project) bool { return p.Name == name && p.DomainID == domainID })
}

func (a *accounts) user(id string) *user {
	return find(a.users, func(u *user) bool { return u.ID == id })
}

func (a *accounts) userNamed(name, domainID string) *user {
	return find(a.users, func(u *user) bool { return u.Name == name && u.DomainID == domainID })
}

func (a *accounts) role(id string) *role {
	return find(a.roles, func(r *role) bool { return r.ID == id })
}

func (a *accounts) roleNamed(name string) *role {
	return find(a.roles, func(r *role) bool { return r.Name == name })
}

func (a *accounts) trust(id string) *trust {
	return find(a.trusts, func(t *trust) bool { return t.ID == id })
}

// granted are the roles a user was given on a project or a domain.
func (a *accounts) granted(userID, projectID, domainID string) []*role {
	var given []*role
	for _, g := range a.grants {
		if g.UserID == userID && g.ProjectID == projectID && g.DomainID == domainID {
			given = append(given, a.role(g.RoleID))
		}
	}
	return given
}

// effective are the roles a user has, with those that they imply.
func (a *accounts) effective(userID, projectID, domainID string) []*role {
	return a.imply(a.granted(userID, projectID, domainID))
}

// imply adds the roles that others bring along: admin is a member, a member
// a reader.
func (a *accounts) imply(given []*role) []*role {
	all := slices.Clone(given)
	for i := 0; i < len(all); i++ {
		implied := map[string]string{"admin": "member", "member": "reader"}[all[i].Name]
		if r := a.roleNamed(implied); r != nil && !slices.Contains(all, r) {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(x, y *role) int { return cmp.Compare(x.Name, y.Name) })
	return all
}

// removeUser deletes a user, the roles it has and the trusts it is part of.
func (a *accounts) removeUser(id string) {
	a.users = slices.DeleteFunc(a.users, func(u *user) bool { return u.ID == id })
	a.grants = slices.DeleteFunc(a.grants, func(g grant) bool { return g.UserID == id })
	for _, t := range slices.Clone(a.trusts) {
		if t.TrustorID == id || t.TrusteeID == id {
			a.removeTrust(t.ID)
		}
	}
}

// removeTrust deletes a trust and those that were made from it.
func (a *accounts) removeTrust(id string) {
	a.trusts = slices.DeleteFunc(a.trusts, func(t *trust) bool { return t.ID == id })
	for _, t := range slices.Clone(a.trusts) {
		if t.RedelegatedTrustID == id {
			a.removeTrust(t.ID)
		}
	}
}
