package conductor

import (
	"context"

	"github.com/gophercloud/gophercloud/v2"

	"github.com/go-magnum/magnum/core/heat"
	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/magnum"
)

func (t *task) trustee() keystone.Trustee {
	return keystone.Trustee{UserID: t.cluster.TrusteeUserID, Password: t.cluster.TrusteePassword}
}

// provider acts as the cluster's owner: by the cluster's trust, or with the
// token of the request where there is no trust yet. Only a delete may go on
// with the service's own account, since its owner may be gone.
func (c *Conductor) provider(ctx context.Context, t *task) (*gophercloud.ProviderClient, error) {
	if t.cluster.TrustID != "" {
		p, err := c.Keystone.TrustSession(ctx, t.trustee(), t.cluster.TrustID)
		if err == nil || magnum.KindOf(err) != magnum.Unauthorized || t.op.Kind != magnum.OpDelete {
			return p, err
		}
		t.log.Info("the cluster's trust no longer works; deleting with the service's account")
	}
	if t.op.Kind == magnum.OpDelete {
		return c.Keystone.ServiceSession(ctx)
	}
	if len(t.op.SealedToken) == 0 {
		return nil, fatal("The cluster has no trust, and the request no token, to act with.")
	}
	token, err := c.token(t)
	if err != nil {
		return nil, err
	}
	return c.Keystone.UserSession(ctx, token)
}

func (c *Conductor) session(ctx context.Context, t *task) (heat.Session, error) {
	p, err := c.provider(ctx, t)
	if err != nil {
		return heat.Session{}, err
	}
	return heat.Session{Provider: p, ProjectID: t.cluster.ProjectID}, nil
}
