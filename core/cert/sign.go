package cert

import (
	"context"
	"crypto/x509"
	"fmt"

	"github.com/go-magnum/magnum/core/magnum"
)

// Sign signs a certificate request with a cluster's authority. Subject and key
// are the request's, validity is ours, and of the extensions only what the
// operator allows gets through. Errors for users are Invalid.
func (a *Authority) Sign(ctx context.Context, c *magnum.Cluster, caType string, csr []byte) (string, error) {
	request, err := parseRequest(csr)
	if err != nil {
		return "", err
	}
	extensions, err := a.filter(request.Extensions)
	if err != nil {
		return "", err
	}
	// Before the CA is loaded: a bad request costs nothing.
	template, err := a.template(request.PublicKey, a.config.Validity)
	if err != nil {
		return "", invalidRequest(csr)
	}
	template.RawSubject = request.RawSubject
	// A key identifier among them takes the place of ours.
	template.ExtraExtensions = extensions
	ca, err := a.issuer(ctx, c, caType)
	if err != nil {
		return "", err
	}
	signed, err := a.issue(ca, template, request.PublicKey)
	if err != nil {
		return "", fmt.Errorf("sign a request with the CA of cluster %s: %w", c.UUID, err)
	}
	// What was copied as it is may be malformed.
	if der, _ := oneBlock([]byte(signed), "CERTIFICATE"); !readable(der) {
		return "", invalidRequest(csr)
	}
	return signed, nil
}

func readable(certificate []byte) bool {
	_, err := x509.ParseCertificate(certificate)
	return err == nil
}

func parseRequest(csr []byte) (*x509.CertificateRequest, error) {
	der, ok := oneBlock(csr, "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST")
	if !ok {
		return nil, invalidRequest(csr)
	}
	request, err := x509.ParseCertificateRequest(der)
	if err != nil || request.PublicKey == nil {
		return nil, invalidRequest(csr)
	}
	// Who asks must have the key.
	if err := request.CheckSignature(); err != nil {
		return nil, invalidRequest(csr)
	}
	seen := map[string]bool{}
	for _, e := range request.Extensions {
		if id := e.Id.String(); seen[id] {
			return nil, invalidRequest(csr)
		} else {
			seen[id] = true
		}
	}
	return request, nil
}

// invalidRequest quotes the request as Python prints bytes, which is what
// upstream answers.
func invalidRequest(csr []byte) error {
	return magnum.Errorf(magnum.Invalid, "Received invalid csr %s.", pythonBytes(csr))
}
