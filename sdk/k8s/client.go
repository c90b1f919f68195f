package k8s

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
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
	// maxBody limits one page of an answer, in bytes.
	maxBody = 32 << 20
	// pageSize is how many objects a page may have.
	pageSize = "500"
)

// client speaks to one cluster's API for the time of one call.
type client struct {
	base string
	http *http.Client
}

// newClient returns a client that trusts the cluster's CA only. Close it, so
// that no connection outlives the call.
func newClient(a driver.COEAccess) (*client, error) {
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
	return &client{
		base: strings.TrimSuffix(a.Endpoint, "/"),
		// No proxy: the environment's is for the cloud, not for clusters.
		http: &http.Client{Timeout: timeout, Transport: &http.Transport{TLSClientConfig: config}},
	}, nil
}

func (c *client) close() { c.http.CloseIdleConnections() }

// get answers with a body of at most maxBody bytes.
func (c *client) get(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return nil, driver.Errorf(driver.ClassUnavailable, "The cluster's API address is not valid.")
	}
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

// list reads all pages of a list of T.
func list[T any](ctx context.Context, c *client, path string, query url.Values) ([]T, error) {
	var all []T
	query.Set("limit", pageSize)
	for {
		body, err := c.get(ctx, path+"?"+query.Encode())
		if err != nil {
			return nil, err
		}
		var page struct {
			Metadata struct {
				Continue string `json:"continue"`
			} `json:"metadata"`
			Items []T `json:"items"`
		}
		if err := json.Unmarshal(body, &page); err != nil {
			return nil, driver.Errorf(driver.ClassUnavailable, "%v", fmt.Errorf("read the cluster's %s: %w", path, err))
		}
		all = append(all, page.Items...)
		if page.Metadata.Continue == "" {
			return all, nil
		}
		query.Set("continue", page.Metadata.Continue)
	}
}

// node is what is read of a Kubernetes node.
type node struct {
	Metadata struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Status struct {
		Addresses []struct {
			Type    string `json:"type"`
			Address string `json:"address"`
		} `json:"addresses"`
		Conditions []struct {
			Type   string `json:"type"`
			Status string `json:"status"`
		} `json:"conditions"`
	} `json:"status"`
}

func (c *client) nodes(ctx context.Context) ([]node, error) {
	return list[node](ctx, c, "/api/v1/nodes", url.Values{})
}

// pod is what is read of a pod.
type pod struct {
	Metadata struct {
		Annotations map[string]string `json:"annotations"`
		Owners      []struct {
			Kind string `json:"kind"`
		} `json:"ownerReferences"`
	} `json:"metadata"`
	Spec struct {
		NodeName string `json:"nodeName"`
	} `json:"spec"`
}

// movable reports whether the pod would have to go elsewhere if its node went:
// a daemon set's pods and those of the kubelet's own files belong to the node.
func (p pod) movable() bool {
	if _, mirror := p.Metadata.Annotations["kubernetes.io/config.mirror"]; mirror {
		return false
	}
	for _, o := range p.Metadata.Owners {
		if o.Kind == "DaemonSet" || o.Kind == "Node" {
			return false
		}
	}
	return true
}

// pods are those that run or wait to.
func (c *client) pods(ctx context.Context) ([]pod, error) {
	return list[pod](ctx, c, "/api/v1/pods", url.Values{"fieldSelector": {"status.phase!=Succeeded,status.phase!=Failed"}})
}
