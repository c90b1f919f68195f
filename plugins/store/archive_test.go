package store_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/go-magnum/magnum/plugins/store"
)

func TestPackArchive(t *testing.T) {
	file := filepath.Join(t.TempDir(), "new", "one.tar.zst")
	var made []string
	for range 2 { // the second replaces the first
		if err := store.Pack(t.Context(), file, filepath.Join(packages["one"], "driver"), store.Asks{}); err != nil {
			t.Fatal(err)
		}
		made = append(made, read(t, file))
	}
	if made[0] != made[1] {
		t.Error("the same binary gives another archive")
	}
	if left, _ := os.ReadDir(filepath.Dir(file)); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
	s := open(t)
	fromArchive, err := s.Install(t.Context(), store.InstallRequest{Source: file})
	if err != nil {
		t.Fatal(err)
	}
	if fromFolder := install(t, s, packages["one"]); fromArchive.Digest != fromFolder.Digest {
		t.Errorf("archive %s and folder %s are two packages", fromArchive.Digest, fromFolder.Digest)
	}
	if err := s.Verify(fromArchive); err != nil {
		t.Error(err)
	}
	folder := filepath.Join(t.TempDir(), "folder.tar.zst")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := store.Pack(t.Context(), folder, filepath.Join(packages["one"], "driver"), store.Asks{}); err == nil || !strings.Contains(err.Error(), "is not a file") {
		t.Errorf("over a folder: %v", err)
	}
}

func TestBombsAreBounded(t *testing.T) {
	const limit = 1 << 20
	var bomb bytes.Buffer
	z, _ := zstd.NewWriter(&bomb)
	w := tar.NewWriter(z)
	for _, name := range []string{"a", "b", "c"} { // each of them is small enough
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: limit / 2}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, limit/2)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "bomb.tar.zst")
	write(t, file, bomb.String())
	s := open(t)
	s.MaxBytes = limit
	if _, err := s.Install(t.Context(), store.InstallRequest{Source: file}); !errors.Is(err, store.ErrTooLarge) || !strings.Contains(err.Error(), "more than the 1048576 bytes") {
		t.Errorf("unpacked: %v", err)
	}
	if _, err := s.Install(t.Context(), store.InstallRequest{Source: packages["one"]}); !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("a folder: %v", err)
	}
	s.MaxArchive = int64(bomb.Len()) - 1
	if _, err := s.Install(t.Context(), store.InstallRequest{Source: file}); !errors.Is(err, store.ErrTooLarge) || !strings.Contains(err.Error(), "the archive is larger") {
		t.Errorf("packed: %v", err)
	}
}

func TestFetchIsBounded(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("0", 64)
	endless := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/endless", endless)
	mux.HandleFunc("/growing", func(w http.ResponseWriter, _ *http.Request) { // of a length that it does not tell
		for range 64 {
			if _, err := w.Write(make([]byte, 1024)); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
		}
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	tls := httptest.NewTLSServer(http.RedirectHandler(server.URL+"/growing", http.StatusFound))
	defer tls.Close()
	transport := tls.Client().Transport.(*http.Transport)
	defer transport.CloseIdleConnections()

	s := open(t)
	s.Transport = transport
	s.MaxArchive = 32 * 1024
	if _, err := s.Install(t.Context(), store.InstallRequest{Source: server.URL + "/growing" + digest}); !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("growing: %v", err)
	}
	if _, err := s.Install(t.Context(), store.InstallRequest{Source: tls.URL + digest}); !errors.Is(err, store.ErrFetch) || !strings.Contains(err.Error(), "redirected from https to http") {
		t.Errorf("redirected: %v", err)
	}
	s.FetchTimeout = 50 * time.Millisecond
	if _, err := s.Install(t.Context(), store.InstallRequest{Source: server.URL + "/endless" + digest}); !errors.Is(err, store.ErrFetch) || !strings.Contains(err.Error(), "not there within 50ms") {
		t.Errorf("endless: %v", err)
	}
	if all, err := s.Packages(); err != nil || len(all) != 0 {
		t.Errorf("%v, %v", all, err)
	}
	sum := sha256.Sum256(nil)
	if _, err := s.Install(t.Context(), store.InstallRequest{Source: os.DevNull + "@sha256:" + hex.EncodeToString(sum[:])}); !errors.Is(err, store.ErrNotPackage) {
		t.Errorf("a device: %v", err)
	}
}
