package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/registry"
)

// newRegistry is an empty registry, and how it is named. The guard, if there is
// one, sees every request first and says whether it may go on.
func newRegistry(t *testing.T, guard func(w http.ResponseWriter, r *http.Request) bool) (repository string) {
	t.Helper()
	content := registry.New(registry.Logger(slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if guard == nil || guard(w, r) {
			content.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return "oci://" + strings.TrimPrefix(server.URL, "http://") + "/drivers/acme"
}

func TestPublish(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	h := newTrustingHost(t)
	h.write("magnum.conf", read(t, h.conf)+"config_dir = "+filepath.Join(h.dir, "drivers.d")+"\n")
	repository := newRegistry(t, nil)
	folder := filepath.Join(h.dir, "in", "folder")
	if err := os.CopyFS(folder, os.DirFS(one)); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"a", "b"} {
		h.must("sign", "--key", filepath.Join(h.dir, key+".key"), folder)
	}
	source := strings.TrimSpace(h.must("publish", folder, repository+":1.0.0"))
	tagged, digest, found := strings.Cut(source, "@sha256:")
	if !found || tagged != repository+":1.0.0" || len(digest) != 64 {
		t.Fatalf("publish prints %q", source)
	}
	want := map[string]string{
		"org.opencontainers.image.created": "1970-01-01T00:00:00Z", "org.opencontainers.image.title": "acme_k8s", "org.opencontainers.image.version": "1.0.0",
	}
	if diff := cmp.Diff(want, annotations(t, repository, digest)); diff != "" {
		t.Errorf("annotations (-want +got):\n%s", diff)
	}
	// The same package is the same artifact, whenever and wherever.
	for _, other := range []string{repository, newRegistry(t, nil)} {
		if again := h.must("publish", folder, other+":latest"); again != other+":latest@sha256:"+digest+"\n" {
			t.Errorf("and once more: %q", again)
		}
	}
	h.refused(22, "add @sha256:DIGEST", "install", repository)
	h.refused(22, "add @sha256:DIGEST", "install", tagged)
	h.refused(24, "there is an @ in it", "install", strings.Replace(source, "oci://", "oci://user:sesame@", 1))
	h.refused(24, "404 Not Found", "install", repository+"@sha256:"+strings.Repeat("0", 64))
	h.refused(24, "invalid repository", "install", strings.Replace(source, "/acme", "/Acme", 1))
	h.must("upgrade", "plan", source)
	if got := h.installed(); got != "0 in the store\n" {
		t.Errorf("something was installed: %s", got)
	}
	h.must("install", source)
	h.must("install", repository+"@sha256:"+digest)
	h.must("install", strings.Replace(source, "oci://", "oci+http://", 1))
	if got := h.installed(); got != "1 in the store\nacme_k8s 1.0.0 active\n" {
		t.Error(got)
	}

	// And an archive is one as well, with a place in a file of drivers.d.
	two := h.write("in/two.tar.zst", string(h.signed(two, "a", "b").bytes(t)))
	source = strings.TrimSpace(h.must("publish", two, repository+":1.1.0"))
	h.wants("source: "+source, "version: ~1.1")
	h.synced("acme_k8s install 1.0.0 1.1.0")
	h.want("1.0.0 installed, 1.1.0 active")
	h.wants("source: " + repository + ":1.1.0")
	h.refused(22, "add @sha256:DIGEST", "sync")

	// What the hostile registry below has is installed if nothing is spoiled.
	h = newTrustingHost(t)
	h.must("install", artifactOf(read(t, h.archive("a", "b"))).serve(t))

	// Where nobody is trusted by name, a registry is not either.
	h = newHost(t)
	h.refused(30, "comes from a server", "install", source)
}

// annotations are those of a manifest that a registry of newRegistry has.
func annotations(t *testing.T, repository, digest string) map[string]string {
	t.Helper()
	host, path, _ := strings.Cut(strings.TrimPrefix(repository, "oci://"), "/")
	answer, err := http.Get("http://" + host + "/v2/" + path + "/manifests/sha256:" + digest)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var manifest struct{ Annotations map[string]string }
	if err := json.NewDecoder(answer.Body).Decode(&manifest); err != nil {
		t.Fatal(err)
	}
	return manifest.Annotations
}

func TestPublishRefuses(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	h := newHost(t)
	pushed := false
	repository := newRegistry(t, func(_ http.ResponseWriter, r *http.Request) bool {
		pushed = pushed || r.Method != http.MethodGet && r.Method != http.MethodHead
		return true
	})
	spoiled := parcelOf(t, one)
	spoiled.set("driver", "x")
	down := httptest.NewServer(nil)
	down.Close()
	for _, tt := range []struct {
		name, pkg, to string
		code          int
		want          string
	}{
		{"a changed file", h.write("in/spoiled.tar.zst", string(spoiled.bytes(t))), repository + ":1", 11, "driver is not what files.sha256 says"},
		{"no package", h.dir, repository + ":1", 10, "it is not a driver package"},
		{"no archive", h.write("in/text", "hello"), repository + ":1", 10, "archive"},
		{"nothing", filepath.Join(h.dir, "nothing"), repository + ":1", 1, "no such file"},
		{"no tag", one, repository, 1, "it names no tag"},
		{"no registry", one, "https://127.0.0.1/drivers/acme:1", 1, "it does not name a place in a registry"},
		{"no repository", one, "oci://127.0.0.1", 1, "it does not name a place in a registry"},
		{"a registry that is down", one, strings.Replace(down.URL, "http", "oci", 1) + "/drivers/acme:1", 1, "connection refused"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h.t = t
			h.refused(tt.code, tt.want, "publish", tt.pkg, tt.to)
			if pushed {
				t.Error("something was pushed")
			}
		})
	}
}

// artifact is what a hostile registry hands out.
type artifact struct {
	manifest map[string]any
	layer    string
	// answer, if set, answers a request for a manifest or a blob in the
	// registry's stead, if it returns true.
	answer func(w http.ResponseWriter, kind string) bool
}

// digest is that of the manifest, however it was changed.
func (a *artifact) digest(t *testing.T) (digest string, text []byte) {
	t.Helper()
	text, err := json.Marshal(a.manifest)
	if err != nil {
		t.Fatal(err)
	}
	return digestOf(string(text)), text
}

// serve returns the source that it is served as.
func (a *artifact) serve(t *testing.T) string {
	t.Helper()
	digest, manifest := a.digest(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind := strings.Split(r.URL.Path, "/")[4]
		// What a registry says of itself proves nothing.
		w.Header().Set("Docker-Content-Digest", "sha256:"+digest)
		w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
		switch {
		case a.answer != nil && a.answer(w, kind):
		case kind == "manifests":
			_, _ = w.Write(manifest)
		default:
			_, _ = io.WriteString(w, a.layer)
		}
	}))
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "http", "oci", 1) + "/drivers/acme:1@sha256:" + digest
}

func (a *artifact) layers() []map[string]any { return a.manifest["layers"].([]map[string]any) }

func artifactOf(archive string) *artifact {
	return &artifact{layer: archive, manifest: map[string]any{
		"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
		"artifactType": "application/vnd.magnum.driver.v1",
		"config":       map[string]any{"mediaType": "application/vnd.oci.empty.v1+json", "digest": "sha256:" + digestOf("{}"), "size": 2},
		"layers": []map[string]any{{
			"mediaType": "application/vnd.magnum.driver.v1.tar+zstd", "digest": "sha256:" + digestOf(archive), "size": len(archive),
		}},
	}}
}

// Whatever a registry does, nothing is installed but what was asked for.
func TestHostileRegistry(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	h := newTrustingHost(t)
	archive := read(t, h.archive("a", "b"))
	unsigned := string(parcelOf(t, one).bytes(t))
	status := func(code int) func(a *artifact) {
		return func(a *artifact) {
			a.answer = func(w http.ResponseWriter, _ string) bool { w.WriteHeader(code); return true }
		}
	}
	blob := func(do func(w http.ResponseWriter)) func(a *artifact) {
		return func(a *artifact) {
			a.answer = func(w http.ResponseWriter, kind string) bool {
				if kind == "blobs" {
					do(w)
				}
				return kind == "blobs"
			}
		}
	}
	for _, tt := range []struct {
		name  string
		spoil func(a *artifact)
		code  int
		want  string
	}{
		{"another manifest", func(a *artifact) {
			a.answer = func(w http.ResponseWriter, kind string) bool {
				if kind == "manifests" {
					_, text := artifactOf(archive + "x").digest(t)
					_, _ = w.Write(text)
				}
				return kind == "manifests"
			}
		}, 23, "the sha256 of its manifest is"},
		{"a manifest with blanks", func(a *artifact) {
			a.answer = func(w http.ResponseWriter, kind string) bool {
				if kind == "manifests" {
					_, text := a.digest(t)
					_, _ = w.Write(append(text, ' '))
				}
				return kind == "manifests"
			}
		}, 23, "the sha256 of its manifest is"},
		{"a manifest that is too large", func(a *artifact) { a.manifest["annotations"] = map[string]string{"a": strings.Repeat("x", 5<<20)} },
			19, "4194304"},
		{"another layer", blob(func(w http.ResponseWriter) { _, _ = io.WriteString(w, strings.Repeat("x", len(archive))) }), 23, "its sha256 is"},
		{"a shorter layer", blob(func(w http.ResponseWriter) { _, _ = io.WriteString(w, archive[:len(archive)-1]) }), 23, "its sha256 is"},
		{"a layer that is cut off", blob(func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", fmt.Sprint(len(archive)))
			_, _ = io.WriteString(w, archive[:len(archive)-1])
		}), 24, "unexpected EOF"},
		{"a layer that is too large", func(a *artifact) { a.layers()[0]["size"] = 1 << 30 }, 19, "the archive has 1073741824 bytes, more than the 536870912 allowed"},
		{"a layer that says so only now", blob(func(w http.ResponseWriter) { w.Header().Set("Content-Length", "1073741824") }),
			19, "it has 1073741824 bytes, more than the 536870912 allowed"},
		{"a layer that goes on", blob(func(w http.ResponseWriter) { _, _ = io.WriteString(w, archive+strings.Repeat("x", 1<<20)) }), 23, "its sha256 is"},
		{"a layer of another size", func(a *artifact) { a.layers()[0]["size"] = len(archive) - 2 }, 23, "its sha256 is"},
		{"another artifact", func(a *artifact) { a.manifest["artifactType"] = "application/vnd.cncf.helm.config.v1+json" },
			10, `its artifact type is "application/vnd.cncf.helm.config.v1+json"`},
		{"an image", func(a *artifact) { delete(a.manifest, "artifactType") }, 10, `its artifact type is ""`},
		{"no manifest", func(a *artifact) { a.manifest["layers"] = "none" }, 10, "its manifest cannot be read"},
		{"two layers", func(a *artifact) { a.manifest["layers"] = append(a.layers(), a.layers()[0]) }, 10, "its manifest has 2 layers"},
		{"no layer", func(a *artifact) { delete(a.manifest, "layers") }, 10, "its manifest has 0 layers"},
		{"a layer of another type", func(a *artifact) { a.layers()[0]["mediaType"] = "application/vnd.oci.image.layer.v1.tar" }, 10, "its layer is of type"},
		{"a layer of another digest's kind", func(a *artifact) { a.layers()[0]["digest"] = "sha512:" + strings.Repeat("0", 128) }, 10, "is not a sha256"},
		{"a layer that leads elsewhere", func(a *artifact) { a.layers()[0]["digest"] = "sha256:../../../other" }, 10, "is not a sha256"},
		{"a layer of no size", func(a *artifact) { a.layers()[0]["size"] = -1 }, 10, "its layer's size is -1"},
		{"a package that nobody signed", func(a *artifact) { *a = *artifactOf(unsigned) }, 30, "driver acme_k8s is not signed"},
		{"401", status(http.StatusUnauthorized), 24, "the registry wants to know who asks"},
		{"403", status(http.StatusForbidden), 24, "the server answers 403 Forbidden"},
		{"404", status(http.StatusNotFound), 24, "the server answers 404 Not Found"},
		{"500", status(http.StatusInternalServerError), 24, "the server answers 500 Internal Server Error"},
		{"a layer that is not there", blob(func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) }), 24, "404 Not Found"},
		{"a redirection without end", func(a *artifact) {
			a.answer = func(w http.ResponseWriter, _ string) bool {
				w.Header().Set("Location", "?again")
				w.WriteHeader(http.StatusTemporaryRedirect)
				return true
			}
		}, 24, "more than 5 redirections"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := artifactOf(archive)
			tt.spoil(a)
			h.t = t
			args := []string{"install", a.serve(t)}
			h.must("list") // the store's folders are there
			before := h.tree()
			h.refused(tt.code, tt.want, args...)
			if diff := cmp.Diff(before, h.tree()); diff != "" {
				t.Errorf("it left something behind (-before +after):\n%s", diff)
			}
		})
	}
}

// Credentials are docker's, for the registry that they are for. Nobody gets to
// see them, whatever a registry does with them.
func TestRegistryCredentials(t *testing.T) {
	const user, password, token = "alice", "sesame-open", "token-barley"
	secrets := []string{password, token, base64.StdEncoding.EncodeToString([]byte(user + ":" + password)), url.QueryEscape(password)}
	docker := t.TempDir()
	t.Setenv("DOCKER_CONFIG", docker)
	h := newTrustingHost(t)
	file := h.archive("a", "b")
	login := func(repository, password string) {
		t.Helper()
		host := strings.Split(repository, "/")[2]
		text := fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, host, base64.StdEncoding.EncodeToString([]byte(user+":"+password)))
		if err := os.WriteFile(filepath.Join(docker, "config.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	basic := func(w http.ResponseWriter, r *http.Request) bool {
		name, secret, _ := r.BasicAuth()
		if name == user && secret == password {
			return true
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="here"`)
		w.WriteHeader(http.StatusUnauthorized)
		return false
	}
	bearer := func(w http.ResponseWriter, r *http.Request) bool {
		name, secret, ok := r.BasicAuth()
		switch {
		case r.URL.Path == "/token" && (!ok || name != user || secret != password):
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = fmt.Fprintf(w, `{"errors": [{"code": "DENIED", "message": "wrong: %s %s"}]}`, secret, r.Header.Get("Authorization"))
		case r.URL.Path == "/token":
			if scope := r.URL.Query().Get("scope"); !strings.HasPrefix(scope, "repository:drivers/acme:pull") {
				t.Errorf("the token is asked for %q", scope)
			}
			_, _ = fmt.Fprintf(w, `{"token": %q}`, token)
		case r.Header.Get("Authorization") == "Bearer "+token:
			return true
		default:
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="test"`, r.Host))
			w.WriteHeader(http.StatusUnauthorized)
		}
		return false
	}
	for name, guard := range map[string]func(http.ResponseWriter, *http.Request) bool{"basic": basic, "bearer": bearer} {
		t.Run(name, func(t *testing.T) {
			h.t = t
			repository := newRegistry(t, guard)
			_ = os.Remove(filepath.Join(docker, "config.json"))
			h.refused(1, "give docker's config.json good credentials for 127.0.0.1:", "publish", file, repository+":1")
			login(repository, "wrong-"+password)
			h.refused(1, "give docker's config.json good credentials for 127.0.0.1:", "publish", file, repository+":1")
			login(repository, password)
			source := strings.TrimSpace(h.must("publish", file, repository+":1"))
			h.must("install", source)
			login(repository, "wrong-"+password)
			said, code := h.process("install", source)
			if code != 24 || !strings.Contains(said, "give docker's config.json good credentials for 127.0.0.1:") {
				t.Errorf("exit code %d: %s", code, said)
			}
		})
	}

	h.t = t
	// One that throws them back.
	var seen atomic.Int64
	hostile := newRegistry(t, func(w http.ResponseWriter, r *http.Request) bool {
		// Only what has a body can throw something back.
		if authorization := r.Header.Get("Authorization"); authorization != "" && r.Method != http.MethodHead {
			seen.Add(1)
			w.WriteHeader(http.StatusForbidden)
			_, secret, _ := r.BasicAuth()
			_, _ = fmt.Fprintf(w, `{"errors": [{"code": %q, "message": %q, "detail": %q}]}`, secret, authorization, secret)
			return false
		}
		return basic(w, r)
	})
	login(hostile, password)
	for _, args := range [][]string{
		{"install", hostile + ":1@sha256:" + strings.Repeat("0", 64)},
		{"publish", file, hostile + ":1"},
	} {
		seen.Store(0)
		said, code := h.process(args...)
		if code == 0 || seen.Load() == 0 || !strings.Contains(said, "403 Forbidden") {
			t.Errorf("%v: exit code %d, %d requests: %s", args, code, seen.Load(), said)
		}
		for _, secret := range secrets {
			if strings.Contains(said, secret) {
				t.Errorf("%v tells %q: %s", args, secret, said)
			}
		}
	}
}
