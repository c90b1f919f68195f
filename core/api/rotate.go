package api

import (
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

// rotateCA starts giving a cluster new certificate authorities. The old ones
// stay until the new ones are in use: nothing but the status changes here.
func (a *api) rotateCA(rq *request) (*answer, error) {
	if _, err := rq.arguments(); err != nil {
		return nil, err
	}
	c, err := a.cluster(rq, "")
	if err != nil {
		return nil, err
	}
	if err := rq.enforce(clusterTarget{rq, c}); err != nil {
		return nil, err
	}
	t, err := a.templateOfCluster(rq.Context(), c)
	if err != nil {
		return nil, err
	}
	if t.TLSDisabled {
		return nil, badRequest("Rotating the CA certificate on a non-TLS cluster is not supported")
	}
	d, err := a.driverOf(rq.Context(), c)
	if err != nil {
		return nil, err
	}
	err = a.DB.Accept(rq.Context(), c.UUID, a.operation(rq, magnum.OpRotateCA), func(c *magnum.Cluster) error {
		if err := gate(c, magnum.OpRotateCA); err != nil {
			return err
		}
		if d != nil && !d.Has(driver.CapRotateCA) {
			return badRequest("'rotate_ca_certificate' is not supported by this driver.")
		}
		c.Status, c.StatusReason = magnum.UpdateInProgress, ""
		for i := range c.NodeGroups {
			if g := &c.NodeGroups[i]; g.IsDefault {
				g.Status, g.StatusReason = magnum.UpdateInProgress, ""
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	a.Notify()
	return accepted(c.UUID), nil
}

// rotateCredential starts giving a cluster new credentials of its own, for
// which the conductor needs the caller's token. A body says nothing.
func (a *api) rotateCredential(rq *request) (*answer, error) {
	if _, err := rq.query(); err != nil {
		return nil, err
	}
	c, err := a.cluster(rq, "")
	if err != nil {
		return nil, err
	}
	if err := rq.enforce(clusterTarget{rq, c}); err != nil {
		return nil, err
	}
	d, err := a.driverOf(rq.Context(), c)
	if err != nil {
		return nil, err
	}
	op := a.operation(rq, magnum.OpRotateCredential)
	if op.SealedToken, err = a.sealToken(rq.caller); err != nil {
		return nil, err
	}
	err = a.DB.Accept(rq.Context(), c.UUID, op, func(c *magnum.Cluster) error {
		if err := gate(c, magnum.OpRotateCredential); err != nil {
			return err
		}
		if d != nil && !d.Has(driver.CapRotateCredential) {
			return badRequest("Credential rotation is not supported by driver.")
		}
		c.Status, c.StatusReason = magnum.UpdateInProgress, ""
		return nil
	})
	if err != nil {
		return nil, err
	}
	a.Notify()
	return accepted(c.UUID), nil
}
