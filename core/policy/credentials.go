package policy

// Credentials are what a rule may know of the caller.
type Credentials struct {
	UserID      string
	UserName    string
	DomainID    string // the user's domain
	DomainName  string
	ProjectID   string
	ProjectName string
	Roles       []string
	// System and ScopeDomainID are set where the token is for the whole
	// system or for a domain, not for a project.
	System        bool
	ScopeDomainID string
	// IsAdmin is set by whoever asks, from the rule context_is_admin.
	IsAdmin bool
	// Service is whose X-Service-Token came with the request; nil without one.
	Service *Service
}

// Service is a service that passes on what somebody asked of it.
type Service struct {
	UserID, UserDomainID       string
	ProjectID, ProjectDomainID string
	Roles                      []string
}

// credentialNames are the attributes that a remote check is told. The
// caller's token is not among them.
var credentialNames = []string{
	"user_id", "user_name", "user_domain_id", "user_domain_name", "project_id", "project_name",
	"domain_id", "system_scope", "is_admin",
}

// attribute returns a value by the name it has in rules. Roles have several
// values; see credential.
func (c *Credentials) attribute(name string) (string, bool) {
	switch name {
	case "user_id", "user":
		return c.UserID, true
	case "user_name", "username":
		return c.UserName, true
	case "domain_id", "user_domain_id", "user_domain":
		return c.DomainID, true
	case "user_domain_name":
		return c.DomainName, true
	case "project_id", "tenant", "tenant_id":
		return c.ProjectID, true
	case "project_name":
		return c.ProjectName, true
	case "system_scope", "system":
		if c.System {
			return "all", true
		}
		return "None", true
	case "is_admin":
		return boolText(c.IsAdmin), true
	}
	if c.Service == nil {
		return "", false
	}
	switch name {
	case "service_user_id":
		return c.Service.UserID, true
	case "service_user_domain_id":
		return c.Service.UserDomainID, true
	case "service_project_id":
		return c.Service.ProjectID, true
	case "service_project_domain_id":
		return c.Service.ProjectDomainID, true
	}
	return "", false
}

// boolText is how Python, in whose words rules are written, shows a boolean.
func boolText(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

// scope is the kind of the caller's token. One that is for nothing at all
// counts as a project's, as in oslo.policy.
func (c *Credentials) scope() string {
	switch {
	case c.System:
		return "system"
	case c.ScopeDomainID != "":
		return "domain"
	}
	return "project"
}

// Target is the object a request is about.
type Target interface {
	// Attribute returns the value that %(name)s stands for in a rule, and
	// false where the object has no such value: the comparison then fails.
	Attribute(name string) (string, bool)
}

// Described is a Target that can name all its attributes, for remote checks.
type Described interface {
	Target
	AttributeNames() []string
}

// describe is a target as a remote check is told of it.
func describe(t Target) map[string]string {
	names := []string{"project_id", "user_id"}
	if d, ok := t.(Described); ok {
		names = d.AttributeNames()
	}
	all := make(map[string]string, len(names))
	if t == nil {
		return all
	}
	for _, name := range names {
		if v, ok := t.Attribute(name); ok {
			all[name] = v
		}
	}
	return all
}
