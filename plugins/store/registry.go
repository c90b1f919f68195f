package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// The schemes of packages in a registry: with TLS but on this host, and in the
// clear because somebody says so.
const (
	registryScheme      = "oci"
	plainRegistryScheme = "oci+http"
)

// repository is where in a registry a package is.
type repository struct {
	registry.Reference // a tag, or none
	scheme             string
}

// inRegistry reports whether a URL is one of a registry.
func inRegistry(url string) bool {
	scheme, _, _ := strings.Cut(url, "://")
	return scheme == registryScheme || scheme == plainRegistryScheme
}

// parseRepository reads oci://HOST/REPOSITORY[:TAG].
func parseRepository(text string) (repository, error) {
	const wrong = "it does not name a place in a registry, as oci://HOST/REPOSITORY:TAG does"
	if !inRegistry(text) {
		return repository{}, errors.New(wrong)
	}
	scheme, rest, _ := strings.Cut(text, "://")
	if strings.Contains(rest, "@") { // before a digest that is none, or after a password, which is not to be seen
		return repository{}, errors.New(wrong + ": there is an @ in it")
	}
	ref, err := registry.ParseReference(rest)
	if err != nil {
		return repository{}, fmt.Errorf("%s: %w", wrong, err)
	}
	return repository{Reference: ref, scheme: scheme}, nil
}

// plain reports whether the registry is spoken to without TLS.
func (r repository) plain() bool {
	if r.scheme == plainRegistryScheme {
		return true
	}
	host := r.Host()
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// url is that of something in the repository: its kind, manifests or blobs,
// and its digest.
func (r repository) url(kind, digest string) string {
	u := url.URL{Scheme: "https", Host: r.Host(), Path: "/v2/" + r.Repository + "/" + kind + "/sha256:" + digest}
	if r.plain() {
		u.Scheme = "http"
	}
	return u.String()
}

// registryClient speaks to a registry: with credentials as docker has them,
// which are looked for only once the registry asks.
type registryClient struct {
	auth.Client
	host string
}

func newRegistryClient(repo repository, client *http.Client) *registryClient {
	return &registryClient{host: repo.Host(), Client: auth.Client{
		Client: client,
		Cache:  auth.NewCache(),
		Credential: func(ctx context.Context, host string) (auth.Credential, error) {
			docker, err := credentials.NewStoreFromDocker(credentials.StoreOptions{})
			if err != nil {
				return auth.EmptyCredential, fmt.Errorf("read docker's config.json: %w", err)
			}
			return credentials.Credential(docker)(ctx, host)
		},
	}}
}

// Do is of [remote.Client].
func (c *registryClient) Do(r *http.Request) (*http.Response, error) {
	answer, err := c.Client.Do(r)
	if err != nil {
		return nil, c.failed(err)
	}
	if answer.StatusCode == http.StatusUnauthorized {
		_ = answer.Body.Close()
		return nil, c.unauthorized()
	}
	return answer, nil
}

// registryCode is what a registry may call an error.
var registryCode = regexp.MustCompile(`^[A-Z_]{1,40}$`)

// failed is an error of a registry in words of our own. The registry's own
// could be anything, and the credentials that it was sent.
func (c *registryClient) failed(err error) error {
	var answer *errcode.ErrorResponse
	switch {
	case errors.Is(err, auth.ErrBasicCredentialNotFound):
		return c.unauthorized()
	case !errors.As(err, &answer):
		return err
	case answer.StatusCode == http.StatusUnauthorized:
		return c.unauthorized()
	}
	text := answered(answer.StatusCode)
	for _, e := range answer.Errors {
		if registryCode.MatchString(e.Code) {
			text += ", " + e.Code
		}
	}
	return fmt.Errorf("the registry %s", text)
}

func (c *registryClient) unauthorized() error {
	return fmt.Errorf("the registry wants to know who asks: give docker's config.json good credentials for %s, as docker login does", c.host)
}

// answered says what a server answers, in words that are not the server's.
func answered(status int) string {
	return strings.TrimSpace(fmt.Sprintf("answers %d %s", status, http.StatusText(status)))
}
