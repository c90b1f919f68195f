package main

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

func TestInstallFromAServer(t *testing.T) {
	h := newTrustingHost(t)
	content := []byte(read(t, h.archive("a", "b")))
	sum := sha256.Sum256(content)
	digest := hex.EncodeToString(sum[:])
	mux := http.NewServeMux()
	mux.HandleFunc("/package.tar.zst", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content) })
	mux.HandleFunc("/huge.tar.zst", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "1000000000") })
	server := httptest.NewServer(mux)
	defer server.Close()
	for _, tt := range []struct {
		name, source string
		code         int
		want         string
	}{
		{"no digest", server.URL + "/package.tar.zst", 22, "add @sha256:DIGEST"},
		{"another digest", server.URL + "/package.tar.zst@sha256:" + strings.Repeat("0", 64), 23, "its sha256 is " + digest + ", not 000"},
		{"no digest at all", server.URL + "/package.tar.zst@sha256:latest", 23, `"latest" is not a sha256 in hex`},
		{"not there", server.URL + "/other.tar.zst@sha256:" + digest, 24, "404"},
		{"too large", server.URL + "/huge.tar.zst@sha256:" + digest, 19, "more than the 536870912 allowed"},
		{"other scheme", "ftp://host/package.tar.zst@sha256:" + digest, 24, "ftp:// is not known"},
		{"file of another host", "file://host/package.tar.zst", 24, "does not name a file of this host"},
		{"folder of another digest", one + "@sha256:" + digest, 23, "the sha256 of its files.sha256 is"},
		{"not there on disk", filepath.Join(h.dir, "nothing.tar.zst"), 24, "no such file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h.t = t
			h.refused(tt.code, tt.want, "install", tt.source)
			if got := h.installed(); got != "0 in the store\n" {
				t.Errorf("something was installed: %s", got)
			}
		})
	}
	h.t = t
	h.must("install", server.URL+"/package.tar.zst@sha256:"+digest)
	h.must("install", "file://"+h.write("in/again.tar.zst", string(content)))
	if got := h.installed(); got != "1 in the store\nacme_k8s 1.0.0 active\n" {
		t.Error(got)
	}

	// Where nobody is trusted by name, a server is not either, but a file is.
	h = newHost(t)
	h.refused(30, "comes from a server", "install", server.URL+"/package.tar.zst@sha256:"+digest)
	if got := h.installed(); got != "0 in the store\n" {
		t.Errorf("something was installed: %s", got)
	}
	h.must("install", "file://"+h.write("in/package.tar.zst", string(content)))
	list := sha256.Sum256([]byte(read(t, filepath.Join(one, "files.sha256"))))
	h.must("install", one+"@sha256:"+hex.EncodeToString(list[:]))
	if got := h.installed(); got != "1 in the store\nacme_k8s 1.0.0 active\n" {
		t.Error(got)
	}
}
