package keystone

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/users"

	"github.com/go-magnum/magnum/core/magnum"
)

// Trustee is the Keystone user that stands for a cluster.
type Trustee struct {
	UserID   string
	Password string // secret
}

var errNoDomain = errors.New("[trust] trustee_domain_name and trustee_domain_admin_name are not both set")

// EnsureTrustee makes the user name with that password in the trustee domain
// and returns its id. Where it is there already, from an attempt whose outcome
// was lost, it gets the password: the caller saved that one.
func (k *Client) EnsureTrustee(ctx context.Context, name, password string) (string, error) {
	message := fmt.Sprintf("Failed to create trustee %s in domain %s", name, k.trusteeDomain())
	c, domain, err := k.domainAdmin(ctx, message)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, k.cfg.Timeout)
	defer cancel()
	made, err := users.Create(ctx, c, users.CreateOpts{
		Name: name, Password: password, DomainID: domain,
		Description: "Trustee of a container cluster",
	}).Extract()
	if err == nil {
		return made.ID, nil
	}
	if status(err) != http.StatusConflict {
		return "", mapped(err, magnum.Invalid, "create the trustee", message)
	}
	id, err := findUser(ctx, c, domain, name)
	if err != nil {
		return "", mapped(err, magnum.Invalid, "find the trustee", message)
	}
	if id == "" {
		return "", unavailable("find the trustee that is said to exist", errors.New("not listed"))
	}
	// A change of password revokes the tokens of the whole second it happens
	// in, so it is not made without need.
	if _, err := k.unscoped(ctx, Trustee{UserID: id, Password: password}); err == nil {
		return id, nil
	} else if status(err) != http.StatusUnauthorized {
		return "", mapped(err, magnum.Invalid, "log the trustee in", message)
	}
	if _, err := users.Update(ctx, c, id, users.UpdateOpts{Password: password}).Extract(); err != nil {
		return "", mapped(err, magnum.Invalid, "set the trustee's password", message)
	}
	return id, nil
}

// SetPassword gives a trustee another password. Everything it was logged in
// with before ends.
func (k *Client) SetPassword(ctx context.Context, id, password string) error {
	message := fmt.Sprintf("Failed to set the password of trustee %s.", id)
	c, _, err := k.domainAdmin(ctx, message)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, k.cfg.Timeout)
	defer cancel()
	_, err = users.Update(ctx, c, id, users.UpdateOpts{Password: password}).Extract()
	return mapped(err, magnum.Invalid, "set the trustee's password", message)
}

// DeleteTrustee removes the user: by id, or, where the id was never learnt, by
// name. A user that is gone already is fine.
func (k *Client) DeleteTrustee(ctx context.Context, id, name string) error {
	const message = "The trustee of the cluster could not be removed."
	c, domain, err := k.domainAdmin(ctx, message)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, k.cfg.Timeout)
	defer cancel()
	if id == "" {
		if id, err = findUser(ctx, c, domain, name); err != nil || id == "" {
			return mapped(err, magnum.Internal, "find the trustee", message)
		}
	}
	if err := users.Delete(ctx, c, id).ExtractErr(); err != nil && status(err) != http.StatusNotFound {
		return mapped(err, magnum.Internal, "delete the trustee", message)
	}
	return nil
}

// FindTrustee looks a trustee up by name; empty where there is none.
func (k *Client) FindTrustee(ctx context.Context, name string) (string, error) {
	const message = "The trustee of the cluster cannot be looked up."
	c, domain, err := k.domainAdmin(ctx, message)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, k.cfg.Timeout)
	defer cancel()
	id, err := findUser(ctx, c, domain, name)
	return id, mapped(err, magnum.Internal, "find the trustee", message)
}

func findUser(ctx context.Context, c *gophercloud.ServiceClient, domain, name string) (string, error) {
	if name == "" {
		return "", nil
	}
	pages, err := users.List(c, users.ListOpts{DomainID: domain, Name: name}).AllPages(ctx)
	if err != nil {
		return "", err
	}
	found, err := users.ExtractUsers(pages)
	if err != nil {
		return "", err
	}
	for _, u := range found {
		if u.Name == name {
			return u.ID, nil
		}
	}
	return "", nil
}

// domainAdmin logs in as the trustee domain's admin and finds the domain's id.
func (k *Client) domainAdmin(ctx context.Context, message string) (*gophercloud.ServiceClient, string, error) {
	if k.admin == nil {
		return nil, "", &magnum.Error{Kind: magnum.Invalid, Message: message, Cause: errNoDomain}
	}
	p, _, err := k.admin.get(ctx)
	if err != nil {
		return nil, "", mapped(err, magnum.Invalid, "log in as the trustee domain's admin", message)
	}
	c, err := identity(p)
	if err != nil {
		return nil, "", err
	}
	if id := k.cfg.Trust.DomainID; id != "" {
		return c, id, nil
	}
	created, ok := p.GetAuthResult().(tokens.CreateResult)
	if !ok {
		return nil, "", errors.New("keystone: unexpected kind of login answer")
	}
	domain, err := created.ExtractDomain()
	if err != nil || domain == nil {
		return nil, "", unavailable("find the trustee domain's id", errors.New("the token names no domain"))
	}
	return c, domain.ID, nil
}

// TrusteeDomainID is the id of the domain that trustees live in; nodes log in
// with it.
func (k *Client) TrusteeDomainID(ctx context.Context) (string, error) {
	if id := k.cfg.Trust.DomainID; id != "" {
		return id, nil
	}
	_, id, err := k.domainAdmin(ctx, "The trustee domain cannot be found.")
	return id, err
}

func (k *Client) trusteeDomain() string {
	if t := k.cfg.Trust; t.DomainID != "" {
		return t.DomainID
	}
	return k.cfg.Trust.DomainName
}

// unscoped logs the trustee in, without a scope: enough to look at its
// own trusts.
func (k *Client) unscoped(ctx context.Context, t Trustee) (*gophercloud.ServiceClient, error) {
	p, _, err := k.newSession(login{userID: t.UserID, password: t.Password}).get(ctx)
	if err != nil {
		return nil, err
	}
	return identity(p)
}

// scrub takes a secret out of a text of Keystone's.
func scrub(text string, secrets ...string) string {
	for _, s := range secrets {
		if s != "" {
			text = strings.ReplaceAll(text, s, "***")
		}
	}
	return text
}
