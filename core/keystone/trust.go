package keystone

import (
	"context"
	"fmt"
	"net/http"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/trusts"

	"github.com/go-magnum/magnum/core/magnum"
)

// TrustRequest says who trusts whom.
type TrustRequest struct {
	Trustee   Trustee
	Initiator magnum.Initiator
	// Token is the initiator's own: Keystone lets nobody else make the trust.
	Token string
}

// EnsureTrust lets the trustee act as the initiator in the initiator's project
// and returns the trust's id. A trust that an earlier attempt made is found
// again, also without a token that is still good.
//
// The trust may be handed on once. Heat defers work (wait condition signals,
// updates by itself) to a trust of its own, which it makes from the session it
// was called with; from a trust that may not be handed on it cannot, and
// answers stack creates with HTTP 500.
func (k *Client) EnsureTrust(ctx context.Context, r TrustRequest) (string, error) {
	message := fmt.Sprintf("Failed to create trust for trustee %s.", r.Trustee.UserID)
	ctx, cancel := context.WithTimeout(ctx, k.cfg.Timeout)
	defer cancel()
	own, err := k.unscoped(ctx, r.Trustee)
	if err != nil {
		return "", mapped(err, magnum.Invalid, "log the trustee in", message)
	}
	id, err := findTrust(ctx, own, trusts.ListOpts{TrusteeUserID: r.Trustee.UserID}, r, "")
	if status(err) == http.StatusUnauthorized {
		// The token is a moment old: its password was changed in the same
		// second. The next attempt's will do.
		return "", unavailable("list the trustee's trusts", err)
	}
	if err != nil {
		return "", mapped(err, magnum.Invalid, "list the trustee's trusts", message)
	}
	if id != "" {
		return id, nil
	}
	c, err := k.trustor(ctx, r, message)
	if err != nil {
		return "", err
	}
	return k.createTrust(ctx, c, r, message)
}

// RenewTrust makes a trust beside the one that is to be replaced, and returns
// its id. One that an earlier attempt made is found again. It takes only the
// initiator's token: nothing has to be known of the trustee but who it is.
func (k *Client) RenewTrust(ctx context.Context, r TrustRequest, replaced string) (string, error) {
	message := fmt.Sprintf("Failed to create trust for trustee %s.", r.Trustee.UserID)
	ctx, cancel := context.WithTimeout(ctx, k.cfg.Timeout)
	defer cancel()
	c, err := k.trustor(ctx, r, message)
	if err != nil {
		return "", err
	}
	id, err := findTrust(ctx, c, trusts.ListOpts{TrustorUserID: r.Initiator.UserID}, r, replaced)
	if err != nil {
		return "", mapped(err, magnum.Invalid, "list the user's trusts", message)
	}
	if id != "" {
		return id, nil
	}
	return k.createTrust(ctx, c, r, message)
}

// trustor acts with the token of who is to trust.
func (k *Client) trustor(ctx context.Context, r TrustRequest, message string) (*gophercloud.ServiceClient, error) {
	p, err := k.UserSession(ctx, r.Token)
	if magnum.KindOf(err) == magnum.Unauthorized {
		return nil, &magnum.Error{Kind: magnum.Invalid, Message: message + " The token of the request is no longer valid.", Cause: err}
	}
	if err != nil {
		return nil, err
	}
	return identity(p)
}

func (k *Client) createTrust(ctx context.Context, c *gophercloud.ServiceClient, r TrustRequest, message string) (string, error) {
	made, err := trusts.Create(ctx, c, trusts.CreateOpts{
		TrusteeUserID: r.Trustee.UserID, TrustorUserID: r.Initiator.UserID, ProjectID: r.Initiator.ProjectID,
		Impersonation: true, AllowRedelegation: true, RedelegationCount: 1,
		Roles: k.roles(r.Initiator),
	}).Extract()
	if err != nil {
		if why := said(err); why != "" && refusal(status(err)) {
			message += " " + scrub(why, r.Token, r.Trustee.Password)
		}
		return "", mapped(err, magnum.Invalid, "create the trust", message)
	}
	return made.ID, nil
}

func (k *Client) roles(i magnum.Initiator) []trusts.Role {
	names := k.cfg.Trust.Roles
	if len(names) == 0 {
		names = i.Roles
	}
	roles := make([]trusts.Role, len(names))
	for n, name := range names {
		roles[n] = trusts.Role{Name: name}
	}
	return roles
}

// FindTrust looks for the trust that lets the trustee act as a user in a
// project; empty where there is none.
func (k *Client) FindTrust(ctx context.Context, t Trustee, i magnum.Initiator) (string, error) {
	const message = "The trust of the cluster cannot be looked up."
	ctx, cancel := context.WithTimeout(ctx, k.cfg.Timeout)
	defer cancel()
	own, err := k.unscoped(ctx, t)
	if err != nil {
		return "", mapped(err, magnum.Unauthorized, "log the trustee in", message)
	}
	id, err := findTrust(ctx, own, trusts.ListOpts{TrusteeUserID: t.UserID}, TrustRequest{Trustee: t, Initiator: i}, "")
	return id, mapped(err, magnum.Unauthorized, "list the trustee's trusts", message)
}

// findTrust looks among the listed trusts for the one that a request would
// make, other than the one it replaces.
func findTrust(ctx context.Context, c *gophercloud.ServiceClient, list trusts.ListOpts, r TrustRequest, replaced string) (string, error) {
	all, err := listTrusts(ctx, c, list)
	if err != nil {
		return "", err
	}
	for _, t := range all {
		if t.TrusteeUserID == r.Trustee.UserID && t.TrustorUserID == r.Initiator.UserID &&
			t.ProjectID == r.Initiator.ProjectID && t.RedelegatedTrustID == "" && t.ID != replaced {
			return t.ID, nil
		}
	}
	return "", nil
}

func listTrusts(ctx context.Context, c *gophercloud.ServiceClient, list trusts.ListOpts) ([]trusts.Trust, error) {
	pages, err := trusts.List(c, list).AllPages(ctx)
	if err != nil {
		return nil, err
	}
	return trusts.ExtractTrusts(pages)
}

// PruneTrusts removes all trusts in a trustee but one. It may be repeated.
func (k *Client) PruneTrusts(ctx context.Context, t Trustee, keep string) error {
	const message = "The former trusts of the cluster cannot be looked up."
	all, err := k.trustsIn(ctx, t)
	if err != nil {
		return mapped(err, magnum.Unauthorized, "list the trustee's trusts", message)
	}
	for _, one := range all {
		if one.ID == keep || one.TrusteeUserID != t.UserID {
			continue
		}
		// A session that is kept was made with a password of before.
		k.trusts.remove(one.ID)
		if err := k.DeleteTrust(ctx, t, one.ID); err != nil {
			return err
		}
	}
	return nil
}

func (k *Client) trustsIn(ctx context.Context, t Trustee) ([]trusts.Trust, error) {
	ctx, cancel := context.WithTimeout(ctx, k.cfg.Timeout)
	defer cancel()
	own, err := k.unscoped(ctx, t)
	if err != nil {
		return nil, err
	}
	return listTrusts(ctx, own, trusts.ListOpts{TrusteeUserID: t.UserID})
}

// TrustSession acts as the user who made the trust. Sessions are kept and
// renewed; a trust that is gone, or whose user lost its roles, is
// magnum.Unauthorized.
func (k *Client) TrustSession(ctx context.Context, t Trustee, trustID string) (*gophercloud.ProviderClient, error) {
	s := k.trusts.getOrPut(trustID, func() *session {
		return k.newSession(login{userID: t.UserID, password: t.Password, trustID: trustID})
	})
	p, _, err := s.get(ctx)
	if err != nil {
		k.trusts.remove(trustID)
		return nil, mapped(err, magnum.Unauthorized, "log in with the cluster's trust",
			"The trust that lets the service act for the cluster's owner is no longer valid.")
	}
	return p, nil
}

// ForgetTrust drops the kept session of a trust whose token was refused, so
// that the next one logs in afresh.
func (k *Client) ForgetTrust(trustID string) { k.trusts.remove(trustID) }

// DeleteTrust removes a trust and the ones made from it. One that is gone
// already is fine. Where the trust itself no longer works, because its user
// lost a role, the service tries with its own account; where that is not
// allowed either the trust stays, worth nothing once its trustee is removed.
func (k *Client) DeleteTrust(ctx context.Context, t Trustee, trustID string) error {
	const message = "The trust of the cluster could not be removed."
	if trustID == "" {
		return nil
	}
	p, err := k.TrustSession(ctx, t, trustID)
	if err != nil && magnum.KindOf(err) == magnum.Unauthorized {
		p, err = k.ServiceSession(ctx)
	}
	if err != nil {
		return err
	}
	c, err := identity(p)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, k.cfg.Timeout)
	defer cancel()
	err = trusts.Delete(ctx, c, trustID).ExtractErr()
	switch code := status(err); {
	case err == nil, code == http.StatusNotFound:
	case code == http.StatusForbidden, code == http.StatusUnauthorized:
		k.cfg.Logger.Warn("a trust stays behind; its trustee is removed all the same", "error", safe(err))
	default:
		return mapped(err, magnum.Internal, "delete the trust", message)
	}
	k.trusts.remove(trustID)
	return nil
}
