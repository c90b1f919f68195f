package keystone

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"

	"github.com/go-magnum/magnum/core/magnum"
)

const (
	// renewBefore keeps a token from running out in the middle of a call.
	renewBefore = 5 * time.Minute
	// renewAfter brings changes of the catalogue in, however long tokens live.
	renewAfter = 30 * time.Minute
)

// login is what one logs in with: by user id, or by name and domain; with the
// scope of a project, a domain, a trust, or none.
type login struct {
	userID, userName, password                                 string
	userDomainID, userDomainName                               string
	projectID, projectName, projectDomainID, projectDomainName string
	domainID, domainName                                       string
	trustID                                                    string
}

func (l login) options() *tokens.AuthOptions {
	o := &tokens.AuthOptions{UserID: l.userID, Password: l.password, AllowReauth: true}
	if l.userID == "" {
		o.Username = l.userName
		if o.DomainID = l.userDomainID; o.DomainID == "" {
			o.DomainName = l.userDomainName
		}
	}
	switch {
	case l.trustID != "":
		o.Scope = tokens.Scope{TrustID: l.trustID}
	case l.domainID != "":
		o.Scope = tokens.Scope{DomainID: l.domainID}
	case l.domainName != "":
		o.Scope = tokens.Scope{DomainName: l.domainName}
	case l.projectID != "":
		o.Scope = tokens.Scope{ProjectID: l.projectID}
	case l.projectName != "" && l.projectDomainID != "":
		o.Scope = tokens.Scope{ProjectName: l.projectName, DomainID: l.projectDomainID}
	case l.projectName != "":
		o.Scope = tokens.Scope{ProjectName: l.projectName, DomainName: l.projectDomainName}
	}
	return o
}

// session is an account that stays logged in: the token is renewed before it
// runs out, and by gophercloud when Keystone revokes it earlier.
type session struct {
	k     *Client
	login login
	turn  chan struct{} // one login at a time; the others wait for its result

	provider *gophercloud.ProviderClient
	catalog  []tokens.CatalogEntry
	made     time.Time
	expires  time.Time
}

func (k *Client) newSession(l login) *session {
	return &session{k: k, login: l, turn: make(chan struct{}, 1)}
}

// get returns a client that is logged in, and its catalogue.
func (s *session) get(ctx context.Context) (*gophercloud.ProviderClient, []tokens.CatalogEntry, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	now := s.k.cfg.Now()
	if s.provider != nil && now.Before(s.expires.Add(-renewBefore)) && now.Before(s.made.Add(renewAfter)) {
		return s.provider, s.catalog, nil
	}
	p, err := s.k.provider()
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.k.cfg.Timeout)
	defer cancel()
	if err := openstack.AuthenticateV3(ctx, p, s.login.options(), gophercloud.EndpointOpts{}); err != nil {
		return nil, nil, err
	}
	created, ok := p.GetAuthResult().(tokens.CreateResult)
	if !ok {
		return nil, nil, errors.New("keystone: unexpected kind of login answer")
	}
	token, err := created.ExtractToken()
	if err != nil {
		return nil, nil, fmt.Errorf("keystone: read the token: %w", err)
	}
	var catalog []tokens.CatalogEntry
	if c, err := created.ExtractServiceCatalog(); err == nil {
		catalog = c.Entries // an unscoped token has none
	}
	p.EndpointLocator = s.k.locator(catalog)
	s.provider, s.catalog, s.made, s.expires = p, catalog, now, token.ExpiresAt
	return p, catalog, nil
}

// drop forgets a token that Keystone does not know any more, so that the next
// get logs in again. Of those who found it out together only the first does.
func (s *session) drop(ctx context.Context, p *gophercloud.ProviderClient, token string) error {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.provider == p && p.Token() == token {
		s.provider = nil
	}
	return nil
}

// provider is a client that is not logged in.
func (k *Client) provider() (*gophercloud.ProviderClient, error) {
	p, err := openstack.NewClient(k.cfg.AuthURL)
	if err != nil {
		return nil, fmt.Errorf("keystone: auth_url: %w", err)
	}
	p.HTTPClient = *k.http
	p.UserAgent.Prepend("magnum")
	return p, nil
}

// identity is the client for Keystone's own API. auth_url is used rather than
// the catalogue: it is what the operator told this host to use.
func identity(p *gophercloud.ProviderClient) (*gophercloud.ServiceClient, error) {
	c, err := openstack.NewIdentityV3(p, gophercloud.EndpointOpts{})
	if err != nil {
		return nil, fmt.Errorf("keystone: identity client: %w", err)
	}
	return c, nil
}

// ServiceSession is the service's own account, logged in.
func (k *Client) ServiceSession(ctx context.Context) (*gophercloud.ProviderClient, error) {
	p, _, err := k.service.get(ctx)
	if err != nil {
		return nil, unavailable("log the service in", err)
	}
	return p, nil
}

// UserSession acts with a user's token, as long as that lives.
func (k *Client) UserSession(ctx context.Context, token string) (*gophercloud.ProviderClient, error) {
	v, err := k.look(ctx, token, false)
	if err != nil {
		return nil, err
	}
	p, err := k.provider()
	if err != nil {
		return nil, &magnum.Error{Kind: magnum.Internal, Message: "Keystone cannot be used", Cause: err}
	}
	p.SetToken(token)
	p.EndpointLocator = k.locator(v.catalog)
	return p, nil
}
