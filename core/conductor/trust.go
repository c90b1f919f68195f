package conductor

import (
	"context"
	"fmt"
	"io"

	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/magnum"
)

// passwordLength gives more than 128 bits with 55 letters and digits.
const passwordLength = 24

// passwordLetters leaves out what people mistake for one another, as
// upstream's password_symbols do.
const passwordLetters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// trustPhase gives the cluster a user of its own that may act for its owner.
func (c *Conductor) trustPhase() phase {
	return phase{
		name:  "trust",
		doing: func(*task) string { return "Keystone to make the cluster's trust" },
		run:   c.makeTrust,
	}
}

func (c *Conductor) makeTrust(ctx context.Context, t *task) (change, error) {
	if t.cluster.TrustID != "" {
		return nil, nil
	}
	if t.cluster.TrusteePassword == "" {
		// Saved before the user exists, so that a repeat can take over the
		// user that an attempt whose outcome was lost has made.
		password, err := c.password()
		if err != nil {
			return nil, err
		}
		err = c.save(ctx, t, func(cluster *magnum.Cluster) error {
			cluster.TrusteeUsername = keystone.TrusteeName(cluster.UUID, cluster.ProjectID)
			cluster.TrusteePassword = password
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	user, err := c.Keystone.EnsureTrustee(ctx, t.cluster.TrusteeUsername, t.cluster.TrusteePassword)
	if err != nil {
		return nil, err
	}
	token, err := c.token(t)
	if err != nil {
		return nil, err
	}
	trust, err := c.Keystone.EnsureTrust(ctx, keystone.TrustRequest{
		Trustee:   keystone.Trustee{UserID: user, Password: t.cluster.TrusteePassword},
		Initiator: t.op.Initiator, Token: token,
	})
	if err != nil {
		return nil, err
	}
	t.op.SealedToken = nil // from here on the trust does what it was for
	return func(cluster *magnum.Cluster) error {
		cluster.TrusteeUserID, cluster.TrustID = user, trust
		return nil
	}, nil
}

// token is the one of who asked for the operation.
func (c *Conductor) token(t *task) (string, error) {
	if len(t.op.SealedToken) == 0 {
		return "", fatal("The trust of the cluster cannot be made: the request has no token.")
	}
	token, err := keystone.Open(c.sealKey, t.op.SealedToken)
	if err != nil {
		return "", &magnum.Error{Kind: magnum.Invalid, Message: "The token of the request cannot be read.", Cause: err}
	}
	return token, nil
}

func (c *Conductor) password() (string, error) {
	text := make([]byte, 0, passwordLength)
	// Bytes past the largest multiple are thrown away: all letters equally likely.
	const fair = 256 - 256%len(passwordLetters)
	for one := make([]byte, 1); len(text) < passwordLength; {
		if _, err := io.ReadFull(c.Rand, one); err != nil {
			return "", fmt.Errorf("make a password: %w", err)
		}
		if int(one[0]) < fair {
			text = append(text, passwordLetters[int(one[0])%len(passwordLetters)])
		}
	}
	return string(text), nil
}

// certificatesPhase makes the cluster's certificates.
func (c *Conductor) certificatesPhase() phase {
	return phase{
		name:  "certificates",
		doing: func(*task) string { return "the cluster's certificates" },
		run: func(ctx context.Context, t *task) (change, error) {
			if t.cluster.CACertRef != "" && t.cluster.MagnumCertRef != "" {
				return nil, nil
			}
			refs, err := c.Cert.Generate(ctx, t.cluster)
			if err != nil {
				return nil, err
			}
			return func(cluster *magnum.Cluster) error {
				cluster.CACertRef, cluster.MagnumCertRef = refs.CA, refs.Magnum
				cluster.EtcdCACertRef, cluster.FrontProxyCertRef = refs.EtcdCA, refs.FrontProxyCA
				return nil
			}, nil
		},
	}
}
