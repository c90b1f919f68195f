package policy

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
)

// Remote is how the checks http: and https: reach the operator's server.
type Remote struct {
	// Timeout of one question; 0 is [DefaultRemoteTimeout].
	Timeout time.Duration
	// JSON sends one JSON document instead of a form.
	JSON bool
	// CAFile is whom to believe; empty are the system's authorities.
	CAFile string
	// CertFile and KeyFile are what to show to the server.
	CertFile, KeyFile string
	// Insecure believes any server.
	Insecure bool
}

// DefaultRemoteTimeout bounds a question to another server: a client waits
// for the answer meanwhile.
const DefaultRemoteTimeout = 2 * time.Second

// maxAnswer is more than "True" needs, with its quotes and a line's end.
const maxAnswer = 64

// remote asks the operator's server. It is safe for concurrent use.
type remote struct {
	client  *http.Client
	timeout time.Duration
	json    bool
	logger  hclog.Logger
}

// connect reads the files; the server is asked later. Connections are not
// kept: rules come and go, and a check like this is the exception.
func (r Remote) connect(logger hclog.Logger) (*remote, error) {
	conf := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: r.Insecure, //nolint:gosec // the operator's remote_ssl_verify_server_crt
	}
	if r.CAFile != "" {
		text, err := os.ReadFile(r.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read [oslo_policy] remote_ssl_ca_crt_file: %w", err)
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("[oslo_policy] remote_ssl_ca_crt_file %s has no certificate", r.CAFile)
		}
	}
	if r.CertFile != "" {
		key := r.KeyFile
		if key == "" {
			key = r.CertFile // one file may have both
		}
		pair, err := tls.LoadX509KeyPair(r.CertFile, key)
		if err != nil {
			return nil, fmt.Errorf("read [oslo_policy] remote_ssl_client_crt_file: %w", err)
		}
		conf.Certificates = []tls.Certificate{pair}
	}
	timeout := r.Timeout
	if timeout <= 0 {
		timeout = DefaultRemoteTimeout
	}
	return &remote{
		client: &http.Client{
			Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: conf, DisableKeepAlives: true},
			// Whoever answers for another address is not the one who was asked.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		timeout: timeout, json: r.JSON, logger: logger,
	}, nil
}

// check makes the check of an address such as //policy.example/%(project_id)s.
func (r *remote) check(scheme, match string, with operand) (check, error) {
	address := remoteCheck{remote: r, scheme: scheme, rest: with}
	// Any values do, to see whether it is an address at all.
	sample, _ := with.escaped(anything{})
	u, err := url.Parse(scheme + ":" + sample)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%s:%s is not an address", scheme, match)
	}
	return address, nil
}

type anything struct{}

func (anything) Attribute(string) (string, bool) { return "x", true }

// remoteCheck asks a server of the operator's.
type remoteCheck struct {
	*remote
	scheme string
	rest   operand
}

func (k remoteCheck) answer(q *question) verdict {
	v, err := k.ask(q)
	if err != nil {
		k.logger.Error("a remote policy check failed, which denies", "rule", q.rule, "error", err)
		return unknown
	}
	return v
}

var errNoAttribute = errors.New("the address needs an attribute that the object does not have")

func (k remoteCheck) ask(q *question) (verdict, error) {
	rest, ok := k.rest.escaped(q.target)
	if !ok {
		return unknown, errNoAttribute
	}
	body, kind, err := k.body(q)
	if err != nil {
		return unknown, err
	}
	ctx, cancel := context.WithTimeout(q.ctx, k.timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, k.scheme+":"+rest, bytes.NewReader(body))
	if err != nil {
		return unknown, fmt.Errorf("ask for %s: %w", q.rule, err)
	}
	r.Header.Set("Content-Type", kind)
	answer, err := k.client.Do(r)
	if err != nil {
		return unknown, err // names method and address
	}
	defer answer.Body.Close()
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return unknown, fmt.Errorf("POST %s: %s", r.URL.Redacted(), answer.Status)
	}
	said, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	if err != nil {
		return unknown, fmt.Errorf("POST %s: read the answer: %w", r.URL.Redacted(), err)
	}
	return of(len(said) <= maxAnswer && strings.Trim(strings.TrimSpace(string(said)), `"`) == "True"), nil
}

// body is the question: the name of the rule, the object, the caller.
func (k remoteCheck) body(q *question) (body []byte, kind string, err error) {
	caller := map[string]any{"roles": q.creds.Roles}
	for _, name := range credentialNames {
		caller[name], _ = q.creds.attribute(name)
	}
	caller["is_admin"] = q.creds.IsAdmin
	if !q.creds.System {
		caller["system_scope"] = nil
	}
	if s := q.creds.Service; s != nil {
		caller["service_roles"], caller["service_user_id"], caller["service_project_id"] = s.Roles, s.UserID, s.ProjectID
	}
	parts := map[string]any{"rule": q.rule, "target": describe(q.target), "credentials": caller}
	if k.json {
		body, err = json.Marshal(parts)
		return body, "application/json", err
	}
	form := url.Values{}
	for name, part := range parts {
		text, err := json.Marshal(part)
		if err != nil {
			return nil, "", fmt.Errorf("tell of %s: %w", name, err)
		}
		form.Set(name, string(text))
	}
	return []byte(form.Encode()), "application/x-www-form-urlencoded", nil
}
