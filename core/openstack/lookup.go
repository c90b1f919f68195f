package openstack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/pagination"

	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/obs"
)

// Keystone opens sessions that act with a user's token.
type Keystone interface {
	UserSession(ctx context.Context, token string) (*gophercloud.ProviderClient, error)
}

// Service says which of a service's endpoints to use.
type Service struct {
	Region    string // empty: Keystone's own choice
	Interface string // public, internal or admin, also with URL behind; empty: public
}

// Config is what a Lookup needs.
type Config struct {
	Keystone Keystone // required

	Glance, Nova, Neutron Service

	// Timeout bounds one look-up, all its pages together; 30 s if zero.
	Timeout time.Duration
	// PageLimit is how many pages of a list are read before it counts as
	// endless; 50 if zero.
	PageLimit int
}

// Lookup finds things in the cloud. It keeps nothing: what a user may see
// can change from one request to the next.
type Lookup struct{ config Config }

// New makes a Lookup.
func New(config Config) *Lookup {
	if config.Timeout == 0 {
		config.Timeout = 30 * time.Second
	}
	if config.PageLimit == 0 {
		config.PageLimit = 50
	}
	return &Lookup{config: config}
}

// errEndless ends a list that does not.
var errEndless = errors.New("the list has too many pages")

// service is one of the services, as look-ups use it.
type service struct {
	kind    string // in the catalogue
	name    string // in errors
	version string // its paths' first part
	project string // OpenStack's, as it is measured
	choice  Service
}

func (l *Lookup) glance() service { return service{"image", "image", "v2", "glance", l.config.Glance} }

func (l *Lookup) nova() service { return service{"compute", "compute", "v2.1", "nova", l.config.Nova} }

func (l *Lookup) neutron() service {
	return service{"network", "network", "v2.0", "neutron", l.config.Neutron}
}

// ask does something with a service within the time there is, and turns what
// went wrong into an error of ours. An answer of 404 is errNotFound and one
// of 403 errForbidden: what they mean depends on what was asked.
func (l *Lookup) ask(
	ctx context.Context, id *keystone.Identity, s service,
	do func(context.Context, *gophercloud.ServiceClient) error,
) error {
	limited, cancel := context.WithTimeout(obs.WithCall(ctx, s.project, "look-up"), l.config.Timeout)
	defer cancel()
	client, err := l.client(limited, id, s)
	if err == nil {
		err = do(limited, client)
	}
	return s.explain(ctx, err)
}

func (l *Lookup) client(ctx context.Context, id *keystone.Identity, s service) (*gophercloud.ServiceClient, error) {
	provider, err := l.config.Keystone.UserSession(ctx, id.Token)
	if err != nil {
		return nil, err
	}
	endpoint, err := provider.EndpointLocator(gophercloud.EndpointOpts{
		Type: s.kind, Region: s.choice.Region,
		Availability: gophercloud.Availability(keystone.Interface(s.choice.Interface)),
	})
	if err != nil {
		return nil, err
	}
	base := s.base(endpoint)
	return &gophercloud.ServiceClient{ProviderClient: provider, Endpoint: base, ResourceBase: base, Type: s.kind}, nil
}

var versioned = regexp.MustCompile(`/v[0-9][0-9.]*(/|$)`)

// base is the endpoint with its version, and a slash behind. Catalogues have
// it with or without one; Nova's may have a project behind the version.
func (s service) base(endpoint string) string {
	endpoint = strings.TrimRight(endpoint, "/")
	if address, err := url.Parse(endpoint); err != nil || !versioned.MatchString(address.Path) {
		endpoint += "/" + s.version
	}
	return endpoint + "/"
}

// What a service may answer that is no failure of it.
var (
	errNotFound  = errors.New("not found")
	errForbidden = errors.New("forbidden")
)

// explain sorts out what went wrong. Neither addresses nor answers of the
// service get into the error: they may hold what a user must not see.
func (s service) explain(ctx context.Context, err error) error {
	var ours *magnum.Error
	switch {
	case err == nil || errors.As(err, &ours):
		return err
	case ctx.Err() != nil: // the caller has given up
		return fmt.Errorf("ask the %s service: %w", s.name, ctx.Err())
	}
	var answered gophercloud.ErrUnexpectedResponseCode
	if errors.As(err, &answered) {
		switch answered.Actual {
		case http.StatusNotFound:
			return errNotFound
		case http.StatusForbidden:
			return errForbidden
		case http.StatusUnauthorized:
			return &magnum.Error{Kind: magnum.Unauthorized, Message: "The token has expired or was revoked."}
		}
		return s.unavailable(fmt.Errorf("it answered %d %s", answered.Actual, http.StatusText(answered.Actual)))
	}
	var missing *gophercloud.ErrEndpointNotFound
	if errors.As(err, &missing) {
		return s.unavailable(errors.New("the catalogue has no endpoint of it"))
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return s.unavailable(errors.New("it took too long"))
	}
	var network *url.Error
	if errors.As(err, &network) {
		return s.unavailable(network.Err)
	}
	if errors.Is(err, errEndless) {
		return s.unavailable(errEndless)
	}
	return s.unavailable(errors.New("its answer makes no sense"))
}

func (s service) unavailable(cause error) error {
	return &magnum.Error{
		Kind: magnum.Unavailable, Message: fmt.Sprintf("The %s service is unavailable. Try again later.", s.name), Cause: cause,
	}
}

// listed explains an error of a list: a list is always there, so where it is
// not found, something else answers at the service's address.
func (s service) listed(err error) error {
	if errors.Is(err, errNotFound) {
		return s.unavailable(errors.New("it has no such list"))
	}
	return err
}

// isID reports whether a text looks like an id. Names that do are rare, and
// upstream does not look for them either.
func isID(ident string) bool {
	return (len(ident) == 36 || len(ident) == 32) && uuid.Validate(ident) == nil
}

// pages reads a list until visit has enough.
func (l *Lookup) pages(ctx context.Context, pager pagination.Pager, visit func(pagination.Page) (more bool, err error)) error {
	read := 0
	return pager.EachPage(ctx, func(_ context.Context, page pagination.Page) (bool, error) {
		if read++; read > l.config.PageLimit {
			return false, errEndless
		}
		return visit(page)
	})
}

// one picks the only match. Where a service matches names more loosely than
// to the letter, the one that is right to the letter wins.
func one[T any](found []T, name func(T) string, ident string) (match T, missing, several bool) {
	if len(found) > 1 {
		var exact []T
		for _, item := range found {
			if name(item) == ident {
				exact = append(exact, item)
			}
		}
		if len(exact) > 0 {
			found = exact
		}
	}
	switch len(found) {
	case 0:
		return match, true, false
	case 1:
		return found[0], false, false
	}
	return match, false, true
}
