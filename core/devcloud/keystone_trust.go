package devcloud

import (
	"net/http"
	"slices"
	"time"
)

// deepestRedelegation is [trust] max_redelegation_count.
const deepestRedelegation = 3

// trustRequest is the body of POST /v3/OS-TRUST/trusts.
type trustRequest struct {
	TrustorUserID     string  `json:"trustor_user_id"`
	TrusteeUserID     *string `json:"trustee_user_id"`
	ProjectID         string  `json:"project_id"`
	Impersonation     *bool
	Roles             []struct{ ID, Name string }
	ExpiresAt         *time.Time `json:"expires_at"`
	RemainingUses     *int       `json:"remaining_uses"`
	AllowRedelegation bool       `json:"allow_redelegation"`
	RedelegationCount *int       `json:"redelegation_count"`
}

// createTrust delegates roles of the caller to another user.
func (c *Cloud) createTrust(r *call) (*reply, *refusal) {
	var request trustRequest
	if refused := r.decode("trust", &request); refused != nil {
		return nil, refused
	}
	if request.TrustorUserID != r.UserID {
		return nil, forbidden("identity:create_trust")
	}
	switch {
	case request.TrusteeUserID == nil:
		return nil, badRequest("'trustee_user_id' is a required property.")
	case request.Impersonation == nil:
		return nil, badRequest("'impersonation' is a required property.")
	}
	if request.ProjectID != "" && len(request.Roles) == 0 {
		return nil, forbidden("At least one role should be specified")
	}
	if c.accounts.user(*request.TrusteeUserID) == nil {
		return nil, notFound("user", *request.TrusteeUserID)
	}
	t := &trust{
		ID: c.config.NewID(), TrustorID: request.TrustorUserID, TrusteeID: *request.TrusteeUserID,
		ProjectID: request.ProjectID, Impersonation: *request.Impersonation, RemainingUses: -1,
	}
	if refused := c.delegate(t, &request); refused != nil {
		return nil, refused
	}
	if request.ExpiresAt != nil {
		if t.ExpiresAt = request.ExpiresAt.UTC(); t.ExpiresAt.Before(c.config.Now()) {
			return nil, badRequest("The 'expires_at' must not be before now.")
		}
	}
	if refused := limitUses(t, &request); refused != nil {
		return nil, refused
	}
	if r.TrustID != "" {
		if refused := c.redelegate(t, c.accounts.trust(r.TrustID), &request); refused != nil {
			return nil, refused
		}
	}
	for _, other := range c.accounts.trusts {
		// Keystone's database holds trusts that expire to be unique.
		if !t.ExpiresAt.IsZero() && other.TrustorID == t.TrustorID && other.TrusteeID == t.TrusteeID &&
			other.ProjectID == t.ProjectID && other.Impersonation == t.Impersonation && other.ExpiresAt.Equal(t.ExpiresAt) {
			return nil, &refusal{http.StatusConflict,
				"Conflict occurred attempting to store trust - Duplicate entry found with ID " + t.ID + "."}
		}
	}
	c.accounts.trusts = append(c.accounts.trusts, t)
	return created(object{"trust": c.showTrust(t, true)})
}

// delegate finds the roles, all of which the trustor must have.
func (c *Cloud) delegate(t *trust, request *trustRequest) *refusal {
	held := c.accounts.effective(t.TrustorID, t.ProjectID, "")
	for _, wanted := range request.Roles {
		found := c.accounts.role(wanted.ID)
		if wanted.ID == "" {
			if found = c.accounts.roleNamed(wanted.Name); found == nil {
				return &refusal{http.StatusNotFound, "Role " + wanted.Name + " is not defined"}
			}
		}
		if found == nil {
			return notFound("role", wanted.ID)
		}
		if !slices.Contains(held, found) {
			return notFound("role", found.ID) // as Keystone words it
		}
		t.Roles = append(t.Roles, found)
	}
	return nil
}

// limitUses settles how often and how deep a trust may be used.
func limitUses(t *trust, request *trustRequest) *refusal {
	t.allowedRedelegation = request.AllowRedelegation && (request.RedelegationCount == nil || *request.RedelegationCount != 0)
	if request.RemainingUses != nil {
		if *request.RemainingUses <= 0 {
			return badRequest("remaining_uses must be a positive integer or null.")
		}
		if t.allowedRedelegation {
			return badRequest("remaining_uses must not be set if redelegation is allowed.")
		}
		t.RemainingUses = *request.RemainingUses
	}
	if !t.allowedRedelegation {
		return nil
	}
	t.RedelegationCount = deepestRedelegation
	if request.RedelegationCount != nil {
		if t.RedelegationCount = *request.RedelegationCount; t.RedelegationCount > deepestRedelegation || t.RedelegationCount < 0 {
			return forbidden("")
		}
	}
	return nil
}

// redelegate checks a trust that is made with another trust's token: it may
// not give away more than that one has.
func (c *Cloud) redelegate(t, parent *trust, request *trustRequest) *refusal {
	if parent.RedelegationCount <= 0 || request.RemainingUses != nil || (t.Impersonation && !parent.Impersonation) {
		return forbidden("")
	}
	if t.allowedRedelegation {
		if request.RedelegationCount != nil && *request.RedelegationCount != parent.RedelegationCount-1 {
			return forbidden("")
		}
		t.RedelegationCount = parent.RedelegationCount - 1
	}
	for _, r := range t.Roles {
		if !slices.Contains(parent.Roles, r) {
			return forbidden("")
		}
	}
	if t.ExpiresAt.IsZero() {
		t.ExpiresAt = parent.ExpiresAt
	}
	if !parent.ExpiresAt.IsZero() && t.ExpiresAt.After(parent.ExpiresAt) {
		return forbidden("")
	}
	t.RedelegatedTrustID = parent.ID
	return nil
}

func (c *Cloud) getTrust(r *call) (*reply, *refusal) {
	t, refused := c.validTrust(r.PathValue("trust"))
	if refused != nil {
		return nil, refused
	}
	if r.UserID != t.TrustorID && r.UserID != t.TrusteeID && !r.isAdmin() {
		return nil, forbidden("identity:get_trust")
	}
	return ok(object{"trust": c.showTrust(t, true)})
}

func (c *Cloud) trustRoles(r *call) (*reply, *refusal) {
	t, refused := c.validTrust(r.PathValue("trust"))
	if refused != nil {
		return nil, refused
	}
	if r.UserID != t.TrustorID && r.UserID != t.TrusteeID && !r.isAdmin() {
		return nil, forbidden("identity:list_roles_for_trust")
	}
	return c.collection(r, "roles", c.showRoles(t.Roles))
}

// deleteTrust is for who gave it, which includes the trust's own token.
func (c *Cloud) deleteTrust(r *call) (*reply, *refusal) {
	t, refused := c.validTrust(r.PathValue("trust"))
	if refused != nil {
		return nil, refused
	}
	if r.UserID != t.TrustorID && !r.isAdmin() {
		return nil, forbidden("identity:delete_trust")
	}
	c.accounts.removeTrust(t.ID)
	return noContent()
}

func (c *Cloud) listTrusts(r *call) (*reply, *refusal) {
	trustor, trustee := r.URL.Query().Get("trustor_user_id"), r.URL.Query().Get("trustee_user_id")
	switch {
	case r.isAdmin():
	case trustor != "":
		if trustor != r.UserID {
			return nil, forbidden("identity:list_trusts_for_trustor")
		}
	case trustee != "":
		if trustee != r.UserID {
			return nil, forbidden("identity:list_trusts_for_trustee")
		}
	default:
		return nil, forbidden("identity:list_trusts")
	}
	items := []object{}
	for _, t := range c.accounts.trusts {
		if _, refused := c.validTrust(t.ID); refused == nil && (trustor == "" || trustor == t.TrustorID) &&
			(trustee == "" || trustor != "" || trustee == t.TrusteeID) {
			items = append(items, c.showTrust(t, false))
		}
	}
	return c.collection(r, "trusts", items)
}

func (c *Cloud) showTrust(t *trust, roles bool) object {
	shown := object{
		"id": t.ID, "trustor_user_id": t.TrustorID, "trustee_user_id": t.TrusteeID, "project_id": nullable(t.ProjectID),
		"impersonation": t.Impersonation, "expires_at": nil, "remaining_uses": nil, "deleted_at": nil,
		"redelegated_trust_id": nullable(t.RedelegatedTrustID), "redelegation_count": t.RedelegationCount,
		"links": c.link("/OS-TRUST/trusts/" + t.ID),
	}
	if !t.ExpiresAt.IsZero() {
		shown["expires_at"] = stamp(t.ExpiresAt)
	}
	if t.RemainingUses >= 0 {
		shown["remaining_uses"] = t.RemainingUses
	}
	if roles {
		shown["roles"] = c.showRoles(t.Roles)
		shown["roles_links"] = object{"self": c.AuthURL() + "/" + t.ID + "/roles", "next": nil, "previous": nil}
	}
	return shown
}

// nullable is null for an empty text.
func nullable(text string) any {
	if text == "" {
		return nil
	}
	return text
}
