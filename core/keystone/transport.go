package keystone

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/go-magnum/magnum/core/obs"
)

func httpClient(c Config) (*http.Client, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 32
	t.TLSClientConfig = &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: c.Insecure, //nolint:gosec // the operator's [keystone_auth] insecure
	}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("keystone: read cafile: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("keystone: no certificate in cafile %s", c.CAFile)
		}
		t.TLSClientConfig.RootCAs = pool
	}
	// Sessions of this client also serve slower services: creating a stack
	// takes Heat longer than any of Keystone's own calls, which have Timeout.
	return &http.Client{Transport: t, Timeout: 4 * c.Timeout}, nil
}

// bounded is a client that reads no more than maxAnswer of an answer of
// Keystone's, and follows none of its redirects: net/http would hand tokens,
// and with 307 the service's password, on to any host.
func bounded(c *http.Client, authURL string, calls *obs.Calls) *http.Client {
	next := c.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	follow := c.CheckRedirect
	own := *c
	next = calls.Transport(next, func(r *http.Request) (service, name string, ok bool) { return callOf(r, authURL) })
	own.Transport = &boundedTransport{next: next, authURL: authURL}
	own.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		switch {
		case isBelow(via[0].URL.String(), authURL):
			return http.ErrUseLastResponse
		case follow != nil:
			return follow(r, via)
		case len(via) >= 10:
			return errors.New("stopped after 10 redirects")
		}
		return nil
	}
	return &own
}

type boundedTransport struct {
	next    http.RoundTripper
	authURL string
}

func (t *boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(r)
	if err == nil && isBelow(r.URL.String(), t.authURL) {
		resp.Body = http.MaxBytesReader(nil, resp.Body, maxAnswer)
	}
	return resp, err
}

// CloseIdleConnections is what http.Client's of that name looks for.
func (t *boundedTransport) CloseIdleConnections() {
	if c, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func isBelow(url, authURL string) bool {
	rest, ok := strings.CutPrefix(url, authURL)
	return ok && strings.HasPrefix(rest, "/")
}
