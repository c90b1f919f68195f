package devcloud

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// token is what one authentication gave. It is in force while it is in
// Cloud.tokens, has not expired, and its user and trust are there.
type token struct {
	Value     string
	UserID    string // who it acts as: the trustor, where a trust impersonates
	Methods   []string
	AuditIDs  []string
	ProjectID string
	DomainID  string
	TrustID   string
	Roles     []*role
	IssuedAt  time.Time
	ExpiresAt time.Time
}

// refusal is an answer that is not what was asked for.
type refusal struct {
	status  int
	message string
}

func (r *refusal) answer(w http.ResponseWriter) { keystone.fail(w, r.status, r.message) }

func notFound(kind, id string) *refusal {
	return &refusal{http.StatusNotFound, fmt.Sprintf("Could not find %s: %s.", kind, id)}
}

func forbidden(action string) *refusal {
	message := "You are not authorized to perform the requested action"
	if action != "" {
		message += ": " + action
	}
	return &refusal{http.StatusForbidden, message + "."}
}

func badRequest(message string) *refusal {
	return &refusal{http.StatusBadRequest, message + " The server could not comply with the request since it is " +
		"either malformed or otherwise incorrect. The client is assumed to be in error."}
}

var unauthenticated = &refusal{http.StatusUnauthorized, authenticationRequired}

// validToken finds a token that is in force. Cloud.mu is held.
func (c *Cloud) validToken(value string) (*token, *refusal) {
	t, ok := c.tokens[value]
	if !ok {
		return nil, &refusal{http.StatusNotFound, "Could not recognize token"}
	}
	if !c.config.Now().Before(t.ExpiresAt) {
		return nil, &refusal{http.StatusNotFound, "Failed to validate token"}
	}
	if u := c.accounts.user(t.UserID); u == nil || !u.Enabled {
		return nil, notFound("user", t.UserID)
	}
	if t.TrustID != "" {
		// Not validTrust: the token from a trust's last use lives on.
		if trust := c.accounts.trust(t.TrustID); trust == nil {
			return nil, notFound("trust", t.TrustID)
		} else if trustee := c.accounts.user(trust.TrusteeID); trustee == nil || !trustee.Enabled {
			return nil, notFound("user", trust.TrusteeID)
		}
	}
	return t, nil
}

// validTrust finds a trust that has neither expired nor been used up.
func (c *Cloud) validTrust(id string) (*trust, *refusal) {
	t := c.accounts.trust(id)
	if t == nil || t.RemainingUses == 0 || (!t.ExpiresAt.IsZero() && !c.config.Now().Before(t.ExpiresAt)) {
		return nil, notFound("trust", id)
	}
	return t, nil
}

func (c *Cloud) identOf(t *token) ident {
	u := c.accounts.user(t.UserID)
	id := ident{
		Token: t.Value, UserID: u.ID, UserName: u.Name, UserDomain: u.DomainID,
		ProjectID: t.ProjectID, DomainID: t.DomainID, TrustID: t.TrustID,
	}
	if p := c.accounts.project(t.ProjectID); p != nil {
		id.ProjectName = p.Name
	}
	for _, r := range t.Roles {
		id.Roles = append(id.Roles, r.Name)
	}
	return id
}

// issue completes a token and puts it into force. Cloud.mu is held.
func (c *Cloud) issue(t *token, from *token) (*token, error) {
	value, err := c.secret()
	if err != nil {
		return nil, err
	}
	audit, err := c.secret()
	if err != nil {
		return nil, err
	}
	t.Value = "gAAAAA" + value
	t.AuditIDs = []string{audit[:22]}
	t.IssuedAt = c.config.Now().UTC()
	t.ExpiresAt = t.IssuedAt.Add(c.config.TokenTTL)
	if from != nil { // a token does not outlive the one it was made from
		t.ExpiresAt = from.ExpiresAt
		t.AuditIDs = append(t.AuditIDs, from.AuditIDs[len(from.AuditIDs)-1])
		for _, method := range from.Methods {
			if !slices.Contains(t.Methods, method) {
				t.Methods = append(t.Methods, method)
			}
		}
		slices.Sort(t.Methods)
	}
	if t.TrustID != "" {
		trust := c.accounts.trust(t.TrustID)
		if !trust.ExpiresAt.IsZero() && trust.ExpiresAt.Before(t.ExpiresAt) {
			t.ExpiresAt = trust.ExpiresAt
		}
		if trust.RemainingUses > 0 {
			trust.RemainingUses--
		}
	}
	c.sweep()
	c.tokens[t.Value] = t
	return t, nil
}

// sweep forgets expired tokens, so that a cloud may run for long.
func (c *Cloud) sweep() {
	now := c.config.Now()
	if len(c.tokens)%256 != 255 {
		return
	}
	for value, t := range c.tokens {
		if !now.Before(t.ExpiresAt) {
			delete(c.tokens, value)
		}
	}
}

// stamp is how Keystone writes a time.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

// show is a token as Keystone's API has it.
func (c *Cloud) show(t *token, catalog bool) object {
	body := object{
		"methods": t.Methods, "user": c.showOwner(t.UserID), "audit_ids": t.AuditIDs,
		"expires_at": stamp(t.ExpiresAt), "issued_at": stamp(t.IssuedAt),
	}
	if trust := c.accounts.trust(t.TrustID); trust != nil {
		body["OS-TRUST:trust"] = object{
			"id": trust.ID, "impersonation": trust.Impersonation,
			"trustor_user": object{"id": trust.TrustorID}, "trustee_user": object{"id": trust.TrusteeID},
		}
	}
	switch {
	case t.ProjectID != "":
		p := c.accounts.project(t.ProjectID)
		body["project"] = object{"id": p.ID, "name": p.Name, "domain": c.showDomainName(p.DomainID)}
		if t.TrustID == "" {
			body["is_domain"] = false
		}
	case t.DomainID != "":
		body["domain"] = c.showDomainName(t.DomainID)
	default:
		return object{"token": body}
	}
	roles := c.showRoles(t.Roles)
	for _, r := range roles {
		delete(r, "links")
		if t.TrustID == "" { // a trust's token has more of its roles
			delete(r, "domain_id")
			delete(r, "description")
			delete(r, "options")
		}
	}
	body["roles"] = roles
	if catalog {
		body["catalog"] = c.catalog(t.ProjectID)
	}
	return object{"token": body}
}

func (c *Cloud) showOwner(userID string) object {
	u := c.accounts.user(userID)
	return object{"id": u.ID, "name": u.Name, "domain": c.showDomainName(u.DomainID), "password_expires_at": nil}
}

func (c *Cloud) showDomainName(id string) object {
	d := c.accounts.domain(id)
	return object{"id": d.ID, "name": d.Name}
}
