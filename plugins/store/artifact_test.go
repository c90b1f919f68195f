package store_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/plugins/store"
)

func sumOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// layered is a manifest whose layer is said to be so.
func layered(layer string, size int) string {
	return fmt.Sprintf(`{"schemaVersion": 2, "artifactType": "application/vnd.magnum.driver.v1",
		"layers": [{"mediaType": "application/vnd.magnum.driver.v1.tar+zstd", "digest": "sha256:%s", "size": %d}]}`, sumOf(layer), size)
}

// asked answers no request, and keeps where they went to.
type asked []string

func (a *asked) RoundTrip(r *http.Request) (*http.Response, error) {
	*a = append(*a, r.URL.String())
	return nil, errors.New("no")
}

func TestRegistriesWithoutTLS(t *testing.T) {
	s := open(t)
	digest := strings.Repeat("0", 64)
	for source, want := range map[string]string{
		"oci://registry.example.org/drivers/one":      "https://registry.example.org/v2/drivers/one/manifests/sha256:" + digest,
		"oci://registry.example.org/one:1.0":          "https://registry.example.org/v2/one/manifests/sha256:" + digest,
		"oci://docker.io/acme/one":                    "https://registry-1.docker.io/v2/acme/one/manifests/sha256:" + digest,
		"oci://192.0.2.1:5000/one":                    "https://192.0.2.1:5000/v2/one/manifests/sha256:" + digest,
		"oci://localhost.example.org/one":             "https://localhost.example.org/v2/one/manifests/sha256:" + digest,
		"oci://127.example.org/one":                   "https://127.example.org/v2/one/manifests/sha256:" + digest,
		"oci://localhost/one":                         "http://localhost/v2/one/manifests/sha256:" + digest,
		"oci://127.0.0.2:5000/one":                    "http://127.0.0.2:5000/v2/one/manifests/sha256:" + digest,
		"oci://[::1]:5000/one":                        "http://[::1]:5000/v2/one/manifests/sha256:" + digest,
		"oci+http://registry.example.org:5000/one:v1": "http://registry.example.org:5000/v2/one/manifests/sha256:" + digest,
	} {
		got := &asked{}
		s.Transport = got
		if _, err := s.Install(t.Context(), store.InstallRequest{Source: source + "@sha256:" + digest}); !errors.Is(err, store.ErrFetch) {
			t.Errorf("%s: %v", source, err)
		}
		if diff := cmp.Diff(&asked{want}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", source, diff)
		}
	}
}

// A registry that is slow, or goes on, holds nobody up.
func TestRegistriesAreBounded(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	manifest := layered("x", 10)
	sent := 0
	hang := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
	endless := func(w http.ResponseWriter, _ *http.Request) {
		for {
			n, err := w.Write(make([]byte, 1<<16))
			sent += n
			if err != nil {
				return
			}
		}
	}
	for _, tt := range []struct {
		name  string
		serve map[string]http.HandlerFunc // what is asked for → who answers
		kind  error
		want  string
	}{
		{"a slow manifest", map[string]http.HandlerFunc{"manifests": hang}, store.ErrFetch, "not there within 100ms"},
		{"a slow layer", map[string]http.HandlerFunc{"blobs": hang}, store.ErrFetch, "not there within 100ms"},
		{"a slow token", map[string]http.HandlerFunc{
			"manifests": func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+r.Host+`/v2/one/token/x"`)
				w.WriteHeader(http.StatusUnauthorized)
			}, "token": hang,
		}, store.ErrFetch, "not there within 100ms"},
		{"a manifest without end", map[string]http.HandlerFunc{"manifests": endless}, store.ErrTooLarge, "larger than the 4194304 bytes allowed"},
		{"a layer without end", map[string]http.HandlerFunc{"blobs": endless}, store.ErrOtherDigest, "its sha256 is"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if answer := tt.serve[strings.Split(r.URL.Path, "/")[3]]; answer != nil {
					answer(w, r)
					return
				}
				_, _ = io.WriteString(w, manifest)
			}))
			defer server.Close()
			dir := filepath.Join(t.TempDir(), "drivers")
			s := openAt(t, dir)
			if errors.Is(tt.kind, store.ErrFetch) {
				s.FetchTimeout = 100 * time.Millisecond
			}
			source := strings.Replace(server.URL, "http", "oci", 1) + "/one@sha256:" + sumOf(manifest)
			if _, err := s.Install(t.Context(), store.InstallRequest{Source: source}); !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v", err)
			}
			if left, err := os.ReadDir(filepath.Join(dir, "store", "sha256")); err != nil || len(left) != 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
	// What sockets hold has gone out as well, but not what there is.
	if sent > 64<<20 {
		t.Errorf("it took %d bytes of what has no end", sent)
	}
}

// Where a registry sends its clients, credentials do not go along, and TLS is
// not given up.
func TestRegistryRedirections(t *testing.T) {
	docker := t.TempDir()
	t.Setenv("DOCKER_CONFIG", docker)
	write(t, filepath.Join(docker, "config.json"),
		`{"auths": {"example.com": {"auth": "`+base64.StdEncoding.EncodeToString([]byte("alice:sesame"))+`"}}}`)
	archive := filepath.Join(t.TempDir(), "one.tar.zst")
	if err := store.Pack(t.Context(), archive, filepath.Join(packages["one"], "driver"), store.Asks{}); err != nil {
		t.Fatal(err)
	}
	layer := read(t, archive)
	manifest := layered(layer, len(layer))
	elsewhere := func(content string, challenge bool) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if got := r.Header.Get("Authorization"); got != "" {
				t.Errorf("%s is told %q", r.Host, got)
			}
			if challenge {
				w.Header().Set("WWW-Authenticate", `Basic realm="elsewhere"`)
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			_, _ = io.WriteString(w, content)
		}
	}
	for _, tt := range []struct {
		name  string
		plain bool // elsewhere is without TLS
		serve http.HandlerFunc
		kind  error
		want  string
	}{
		{"to a server that has it", false, elsewhere(layer, false), store.ErrUnsigned, "comes from a server"},
		{"to one that has something else", false, elsewhere("something", false), store.ErrOtherDigest, "its sha256 is"},
		{"to one that wants credentials", false, elsewhere("", true), store.ErrFetch, "the registry wants to know who asks"},
		{"to one without TLS", true, elsewhere(layer, false), store.ErrFetch, "redirected from https to http"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			newServer := httptest.NewTLSServer
			if tt.plain {
				newServer = httptest.NewServer
			}
			there := newServer(tt.serve)
			defer there.Close()
			here := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch user, password, _ := r.BasicAuth(); {
				case user != "alice" || password != "sesame":
					w.Header().Set("WWW-Authenticate", `Basic realm="here"`)
					w.WriteHeader(http.StatusUnauthorized)
				case strings.Contains(r.URL.Path, "/manifests/"):
					_, _ = io.WriteString(w, manifest)
				default:
					http.Redirect(w, r, there.URL+"/layer", http.StatusTemporaryRedirect)
				}
			}))
			defer here.Close()
			s := open(t)
			transport := here.Client().Transport.(*http.Transport) // example.com is here
			defer transport.CloseIdleConnections()
			s.Transport = transport
			source := "oci://example.com/one@sha256:" + sumOf(manifest)
			if _, err := s.Install(t.Context(), store.InstallRequest{Source: source}); !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v", err)
			}
			if all, err := s.Packages(); err != nil || len(all) != 0 {
				t.Errorf("%v, %v", all, err)
			}
		})
	}
}
