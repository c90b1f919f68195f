package api

import (
	"errors"
	"net/http"

	"github.com/go-magnum/magnum/core/magnum"
)

// certificate is an answer about a cluster's certificate.
type certificate struct {
	cluster, csr, pem, caType string
}

func (c certificate) answer(rq *request, status int) *answer {
	var e encoder
	e.open('{')
	e.str("cluster_uuid", c.cluster)
	e.str("bay_uuid", c.cluster) // the name of old; clients of old read it
	e.links(rq.base, "certificates", c.cluster)
	if c.csr != "" {
		e.str("csr", c.csr)
	}
	e.str("pem", c.pem)
	if c.caType != "" {
		e.str("ca_cert_type", c.caType)
	}
	e.close('}')
	return &answer{status: status, body: e.b}
}

func (a *api) showCertificate(rq *request) (*answer, error) {
	values, err := rq.arguments("ca_cert_type")
	if err != nil {
		return nil, err
	}
	c, err := a.cluster(rq, "")
	if err != nil {
		return nil, err
	}
	if err := rq.enforce(clusterTarget{rq, c}); err != nil {
		return nil, err
	}
	pem, err := a.Cert.CA(rq.Context(), c, values.Get("ca_cert_type"))
	if err != nil {
		return nil, err
	}
	return certificate{cluster: c.UUID, pem: pem}.answer(rq, http.StatusOK), nil
}

func (a *api) signCertificate(rq *request) (*answer, error) {
	if _, err := rq.query(); err != nil {
		return nil, err
	}
	body, err := rq.content()
	if err != nil {
		return nil, err
	}
	var ident, bay, csr, caType string
	keep := func(to *string) func(string) { return func(s string) { *to = s } }
	err = decode("certificate", body, []attribute{
		freeAttribute("bay_uuid", keep(&bay)),
		freeAttribute("cluster_uuid", keep(&ident)),
		readOnly("links"),
		textAttribute("csr", 1, maxBody, nil, keep(&csr)),
		ignored("pem"),
		freeAttribute("ca_cert_type", keep(&caType)),
		stampAttribute("created_at"),
		stampAttribute("updated_at"),
	})
	if err != nil {
		return nil, err
	}
	if ident == "" {
		ident = bay
	}
	if ident == "" {
		return nil, invalid("cluster_uuid", "None", "Mandatory field missing.")
	}
	if csr == "" {
		return nil, invalid("csr", "None", "Mandatory field missing.")
	}
	scope, err := rq.scope("")
	if err != nil {
		return nil, err
	}
	c, err := a.DB.Cluster(rq.Context(), scope, ident)
	if err != nil {
		return nil, notFoundIsInvalid(err)
	}
	if err := rq.enforce(clusterTarget{rq, c}); err != nil {
		return nil, err
	}
	pem, err := a.Cert.Sign(rq.Context(), c, caType, []byte(csr))
	if err != nil {
		return nil, err
	}
	return certificate{cluster: c.UUID, csr: csr, pem: pem, caType: caType}.answer(rq, http.StatusCreated), nil
}

// notFoundIsInvalid is upstream's rule for what a body, and not the path,
// names.
func notFoundIsInvalid(err error) error {
	var missing *magnum.Error
	if errors.As(err, &missing) && missing.Kind == magnum.NotFound {
		return &magnum.Error{Kind: magnum.Invalid, Message: missing.Message, Cause: missing.Cause}
	}
	return err
}
