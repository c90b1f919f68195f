package service

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"time"
)

// api is where users reach a cluster: over TLS, with a certificate that Magnum
// signs, and as somebody whose certificate Magnum has signed. Its key is made
// here and goes nowhere.
type api struct {
	ca      string
	key     *ecdsa.PrivateKey
	request string
	server  *http.Server
	address string
}

var loopback = net.IPv4(127, 0, 0, 1)

func newAPI(ca string) (*api, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: "api"}, IPAddresses: []net.IP{loopback},
	}, key)
	if err != nil {
		return nil, fmt.Errorf("ask for a certificate: %w", err)
	}
	return &api{ca: ca, key: key, request: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))}, nil
}

// open takes users once it has its certificate, which may come again.
func (a *api) open(certificate string) error {
	if a.server != nil {
		return nil
	}
	users := x509.NewCertPool()
	block, _ := pem.Decode([]byte(certificate))
	if block == nil || !users.AppendCertsFromPEM([]byte(a.ca)) {
		return fmt.Errorf("that is no certificate")
	}
	l, err := tls.Listen("tcp", net.JoinHostPort(loopback.String(), "0"), &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{{Certificate: [][]byte{block.Bytes}, PrivateKey: a.key}},
		ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: users,
	})
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	a.address = "https://" + l.Addr().String()
	a.server = &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{"user": r.TLS.PeerCertificates[0].Subject.CommonName})
	})}
	go func() { _ = a.server.Serve(l) }() // until it is closed
	return nil
}

func (a *api) close() {
	if a != nil && a.server != nil {
		_ = a.server.Close()
	}
}
