package conductor

import (
	"context"

	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

// rotateCredentialFlow makes who asked for it the cluster's owner: a new trust,
// and another password for the trustee. What can be refused comes first; once
// the nodes' password is changed they need the update of their stack, and a
// rotation that fails after that is to be asked for again. The former trust
// goes last: until then the stack is one that was made with it.
func (c *Conductor) rotateCredentialFlow(t *task) (flow, error) {
	j := job{intent: driver.IntentRotateCredential}
	update := c.updatePhase(j)
	send := update.run
	update.run = func(ctx context.Context, t *task) (change, error) {
		if err := c.settled(t); err != nil {
			return nil, err
		}
		return send(ctx, t)
	}
	phases := append([]phase{
		{
			name:  "trust",
			doing: func(*task) string { return "Keystone to make the cluster's new trust" },
			run:   c.renewTrust,
		},
		c.renderPhase(j),
		{
			name:  "password",
			doing: func(*task) string { return "Keystone to change the password of the cluster's trustee" },
			run:   c.renewPassword,
		},
		update,
		c.followPhase(c.judgeUpdate),
		c.outputsPhase(),
	}, c.restPhases(t, j)...)
	return flow{
		phases: append(phases, phase{
			name:  "former-trust",
			doing: func(*task) string { return "Keystone to remove the cluster's former trust" },
			run: func(ctx context.Context, t *task) (change, error) {
				return nil, c.Keystone.PruneTrusts(ctx, t.trustee(), t.cluster.TrustID)
			},
		}),
		cluster: "UPDATE", group: "UPDATE", about: nobody,
	}, nil
}

// settled puts off what logs in with a new password: a token of the same second
// as the change is revoked with the old ones.
func (c *Conductor) settled(t *task) error {
	if wait := t.data.PasswordSet.Add(tick).Sub(c.Now()); wait > 0 && wait <= tick {
		return &laterError{text: "Keystone has only just changed the password", after: wait}
	}
	return nil
}

// renewTrust needs nothing of the cluster's present credentials: they may be
// what is broken.
func (c *Conductor) renewTrust(ctx context.Context, t *task) (change, error) {
	if t.op.Initiator.ProjectID != t.cluster.ProjectID {
		return nil, fatal("The credentials of a cluster can be rotated only by a user of its own project.")
	}
	own := func(cluster *magnum.Cluster) { cluster.UserID = t.op.Initiator.UserID }
	if t.cluster.TrustID == "" {
		made, err := c.makeTrust(ctx, t)
		if err != nil {
			return nil, err
		}
		return func(cluster *magnum.Cluster) error {
			own(cluster)
			return made(cluster)
		}, nil
	}
	token, err := c.token(t)
	if err != nil {
		return nil, err
	}
	trust, err := c.Keystone.RenewTrust(ctx, keystone.TrustRequest{
		Trustee: t.trustee(), Initiator: t.op.Initiator, Token: token,
	}, t.cluster.TrustID)
	if err != nil {
		return nil, err
	}
	t.op.SealedToken = nil // from here on the trust does what it was for
	return func(cluster *magnum.Cluster) error {
		own(cluster)
		cluster.TrustID = trust
		return nil
	}, nil
}

// renewPassword is saved after it is set. A repeat sets another one: nobody
// can tell whether the first took effect.
func (c *Conductor) renewPassword(ctx context.Context, t *task) (change, error) {
	password, err := c.password()
	if err != nil {
		return nil, err
	}
	if err := c.Keystone.SetPassword(ctx, t.cluster.TrusteeUserID, password); err != nil {
		return nil, err
	}
	c.Keystone.ForgetTrust(t.cluster.TrustID) // its session has the former one
	t.data.PasswordSet = c.Now().UTC()
	return func(cluster *magnum.Cluster) error {
		cluster.TrusteePassword = password
		return nil
	}, nil
}
