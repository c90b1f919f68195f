package keystone

import (
	"context"
	"net/http"
	"net/url"

	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/projects"

	"github.com/go-magnum/magnum/core/magnum"
)

// ProjectExists asks with the service's own account whether there is a project
// of that id.
func (k *Client) ProjectExists(ctx context.Context, id string) (bool, error) {
	// The id becomes a segment of the path. These never are one, and would
	// lead the service's account elsewhere.
	if id == "" || id == "." || id == ".." {
		return false, nil
	}
	p, err := k.ServiceSession(ctx)
	if err != nil {
		return false, err
	}
	c, err := identity(p)
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, k.cfg.Timeout)
	defer cancel()
	found, err := projects.Get(ctx, c, url.PathEscape(id)).Extract()
	switch {
	case status(err) == http.StatusNotFound:
		return false, nil
	case err != nil:
		// A refusal means that the account lacks a role: for the operator
		// to mend, and no answer to the question.
		return false, mapped(err, magnum.Unavailable, "look a project up", "Keystone does not let this service look projects up.")
	}
	// Keystone's database may find an id in another case, under which no quota
	// would ever be found again.
	return found.ID == id, nil
}
