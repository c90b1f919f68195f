package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"github.com/gophercloud/gophercloud/v2/openstack/containerinfra/v1/certificates"
	"github.com/gophercloud/gophercloud/v2/openstack/containerinfra/v1/clusters"
	"go.yaml.in/yaml/v3"
)

// kubeconfig has a fresh key signed by the cluster's CA and writes what
// kubectl needs, after checking that it would work.
func (t *tour) kubeconfig(ctx context.Context, c *clusters.Cluster, path string) error {
	key, csr, err := newKey()
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	ca, err := certificates.Get(ctx, t.magnum, c.UUID).Extract()
	if err != nil {
		return fmt.Errorf("get the cluster's CA: %w", err)
	}
	signed, err := certificates.Create(ctx, t.magnum, certificates.CreateOpts{ClusterUUID: c.UUID, CSR: string(csr)}).Extract()
	if err != nil {
		return fmt.Errorf("have the certificate signed: %w", err)
	}
	if err := verify(signed.PEM, ca.PEM); err != nil {
		return fmt.Errorf("verify the certificate: %w", err)
	}
	text, err := yaml.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Config", "current-context": "default",
		"clusters": []any{map[string]any{"name": c.Name, "cluster": map[string]any{
			"server": c.APIAddress, "certificate-authority-data": base64.StdEncoding.EncodeToString([]byte(ca.PEM))}}},
		"contexts": []any{map[string]any{"name": "default", "context": map[string]any{"cluster": c.Name, "user": "admin"}}},
		"users": []any{map[string]any{"name": "admin", "user": map[string]any{
			"client-certificate-data": base64.StdEncoding.EncodeToString([]byte(signed.PEM)), "client-key-data": base64.StdEncoding.EncodeToString(key)}}},
	})
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

func newKey() (key, csr []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, err
	}
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: "admin", Organization: []string{"system:masters"}},
	}, private)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: request}), nil
}

func verify(certificate, ca string) error {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(ca)) {
		return errors.New("the cluster's CA is not a certificate")
	}
	block, _ := pem.Decode([]byte(certificate))
	if block == nil {
		return errors.New("the answer is not a certificate")
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return err
	}
	_, err = leaf.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	return err
}
