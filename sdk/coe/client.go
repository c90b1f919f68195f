package coe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-magnum/magnum/sdk/driver"
)

const (
	// timeout limits one request to a cluster's API.
	timeout = 10 * time.Second
	// maxBody limits one answer, in bytes.
	maxBody = 32 << 20
)

// Client speaks to one cluster's API for the time of one call.
type Client struct {
	base string
	http *http.Client
}

// New returns a client for an endpoint of HTTP or HTTPS, where it trusts the
// cluster's CA only. Close it, so that no connection outlives the call.
func New(a driver.COEAccess) (*Client, error) {
	base, err := url.Parse(a.Endpoint)
	if err != nil || base.Host == "" {
		return nil, driver.Errorf(driver.ClassUnavailable, "The cluster has no API address.")
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if base.Scheme == "https" {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM([]byte(a.CACert)) {
			return nil, driver.Errorf(driver.ClassAuth, "The cluster's CA certificate cannot be read.")
		}
		if a.ClientCert != "" {
			pair, err := tls.X509KeyPair([]byte(a.ClientCert), []byte(a.ClientKey))
			if err != nil {
				return nil, driver.Errorf(driver.ClassAuth, "The client certificate for the cluster cannot be read.")
			}
			config.Certificates = []tls.Certificate{pair}
		}
	}
	return &Client{
		base: strings.TrimSuffix(a.Endpoint, "/"),
		http: &http.Client{
			Timeout: timeout,
			// No proxy: the environment's is for the cloud, not for clusters.
			Transport: &http.Transport{TLSClientConfig: config},
			// A cluster is its users': it could send us to what only we reach.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Close ends the client's connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Get answers with a body of at most 32 MiB. Every error is of a class.
func (c *Client) Get(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return nil, driver.Errorf(driver.ClassUnavailable, "The cluster's API address is not valid.")
	}
	req.Header.Set("Accept", "application/json, */*;q=0.1") // Marathon has tables for people too
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, driver.Errorf(driver.ClassUnavailable, "%v", cause(err))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, driver.Errorf(driver.ClassUnavailable, "The cluster's API broke off: %v", cause(err))
	case len(body) > maxBody:
		return nil, driver.Errorf(driver.ClassUnavailable, "The cluster's API answered with more than %d bytes.", maxBody)
	case resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden:
		return nil, driver.Errorf(driver.ClassAuth, "The cluster's API refused our certificate: %s", resp.Status)
	case resp.StatusCode != http.StatusOK:
		return nil, driver.Errorf(driver.ClassUnavailable, "The cluster's API answered %s: %.200s", resp.Status, strings.TrimSpace(string(body)))
	}
	return body, nil
}

// cause takes the request's own words off an error, which hold the URL and
// nothing else that a user does not know.
func cause(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
