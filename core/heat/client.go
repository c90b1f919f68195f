package heat

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud/v2"

	"github.com/go-magnum/magnum/core/obs"
)

// Config says where Heat is. Zero values work.
type Config struct {
	// Interface and Region select Heat's endpoint; default public, any.
	Interface, Region string
	// Timeout bounds a question (default 30 s), WriteTimeout a create or an
	// update (default 60 s): Heat checks the whole template before it answers.
	Timeout, WriteTimeout time.Duration
}

// Client speaks to Heat with the sessions it is given. It is safe for
// concurrent use.
type Client struct{ cfg Config }

// New makes a client.
func New(c Config) *Client {
	if c.Interface == "" {
		c.Interface = "public"
	}
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	if c.WriteTimeout == 0 {
		c.WriteTimeout = 60 * time.Second
	}
	return &Client{cfg: c}
}

// Session is a login and the project whose stacks are meant: not always the
// login's own, as the service account acts where a cluster's trust is gone.
type Session struct {
	Provider  *gophercloud.ProviderClient
	ProjectID string
}

// Ref names a stack. Where the name is not known it is looked up by the id.
type Ref struct{ ID, Name string }

// base is Heat's address for the session's project.
func (c *Client) base(s Session) (string, error) {
	if s.Provider == nil || s.Provider.EndpointLocator == nil {
		return "", errors.New("heat: a session that is not logged in")
	}
	endpoint, err := s.Provider.EndpointLocator(gophercloud.EndpointOpts{
		Type: "orchestration", Region: c.cfg.Region, Availability: gophercloud.Availability(c.cfg.Interface),
	})
	if err != nil {
		return "", noEndpoint(err)
	}
	endpoint = strings.TrimRight(endpoint, "/")
	// The catalogue's address ends in the login's project.
	if cut := strings.LastIndex(endpoint, "/v1/"); cut >= 0 {
		endpoint = endpoint[:cut+len("/v1")]
	}
	return endpoint + "/" + url.PathEscape(s.ProjectID) + "/stacks", nil
}

// call sends a request and reads the answer into out, if it is not nil. name is
// what it is measured as.
func (c *Client) call(ctx context.Context, s Session, name, method, path string, body, out any) error {
	base, err := c.base(s)
	if err != nil {
		return err
	}
	timeout := c.cfg.Timeout
	if method == http.MethodPost || method == http.MethodPatch {
		timeout = c.cfg.WriteTimeout
	}
	ctx, cancel := context.WithTimeout(obs.WithCall(ctx, "heat", name), timeout)
	defer cancel()
	//nolint:bodyclose // read to its end and closed by gophercloud
	_, err = s.Provider.Request(ctx, method, base+path, &gophercloud.RequestOpts{
		JSONBody: body, JSONResponse: out, OkCodes: []int{200, 201, 202, 204},
	})
	return err
}

func (c *Client) get(ctx context.Context, s Session, name, what, path string, out any) error {
	if err := c.call(ctx, s, name, http.MethodGet, path, nil, out); err != nil {
		return mapped(what, err)
	}
	return nil
}

// path is a stack's own; Heat wants both name and id, and redirects otherwise.
func (r Ref) path() string { return "/" + url.PathEscape(r.Name) + "/" + url.PathEscape(r.ID) }

// locate completes a reference that has only an id or only a name.
func (c *Client) locate(ctx context.Context, s Session, r Ref) (Ref, error) {
	if r.ID != "" && r.Name != "" {
		return r, nil
	}
	var found *Stack
	var err error
	if r.ID != "" {
		var all map[string]Stack
		all, err = c.Statuses(ctx, s, []string{r.ID})
		if st, ok := all[r.ID]; ok {
			found = &st
		}
	} else {
		found, err = c.Find(ctx, s, r.Name)
	}
	if err != nil {
		return r, err
	}
	if found == nil {
		return r, notFound(r)
	}
	return found.Ref(), nil
}

func noEndpoint(err error) error {
	return unavailable("find Heat", fmt.Errorf("no orchestration endpoint in the catalogue: %w", err))
}
