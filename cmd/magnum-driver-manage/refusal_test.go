package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// parcel is a package as an attacker would make it: entries in any order, of
// any type, with any name.
type parcel struct {
	entries []*tar.Header
	content []string
	cut     bool // the last entry says more than it has
}

// parcelOf holds the files of a folder, in a map's stead: the caller changes
// them by name.
func parcelOf(t *testing.T, dir string) *parcel {
	t.Helper()
	p := &parcel{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		p.add(e.Name(), read(t, filepath.Join(dir, e.Name())))
	}
	return p
}

func (p *parcel) add(name, content string) {
	p.special(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o755, Size: int64(len(content))}, content)
}

func (p *parcel) special(h *tar.Header, content string) {
	p.entries, p.content = append(p.entries, h), append(p.content, content)
}

// list adds a line to files.sha256.
func (p *parcel) list(name, content string) {
	sum := sha256.Sum256([]byte(content))
	p.set("files.sha256", p.get("files.sha256")+hex.EncodeToString(sum[:])+"  "+name+"\n")
}

func (p *parcel) find(name string) int {
	for i, h := range p.entries {
		if h.Name == name {
			return i
		}
	}
	panic(name)
}

func (p *parcel) get(name string) string { return p.content[p.find(name)] }

func (p *parcel) set(name, content string) {
	i := p.find(name)
	p.content[i], p.entries[i].Size = content, int64(len(content))
}

// relist makes files.sha256 fit a changed file.
func (p *parcel) relist(name, content string) {
	before, after := sha256.Sum256([]byte(p.get(name))), sha256.Sum256([]byte(content))
	p.set("files.sha256", strings.Replace(p.get("files.sha256"), hex.EncodeToString(before[:]), hex.EncodeToString(after[:]), 1))
	p.set(name, content)
}

func (p *parcel) drop(name string) {
	i := p.find(name)
	p.entries, p.content = append(p.entries[:i], p.entries[i+1:]...), append(p.content[:i], p.content[i+1:]...)
}

func (p *parcel) bytes(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for i, h := range p.entries {
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(p.content[i])); err != nil {
			t.Fatal(err)
		}
	}
	if !p.cut {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return zstdOf(out.Bytes())
}

// zstdOf is a zstd frame that compresses nothing: with the race detector,
// compressing would be most of what these tests do.
func zstdOf(plain []byte) []byte {
	const block, window = 128 << 10, 7 << 3 // 128 KiB
	out := []byte{0x28, 0xb5, 0x2f, 0xfd, 0, window}
	for more := true; more; {
		n := min(block, len(plain))
		more = n < len(plain)
		header := uint32(n) << 3 // a raw block
		if !more {
			header |= 1
		}
		out = append(out, byte(header), byte(header>>8), byte(header>>16))
		out = append(out, plain[:n]...)
		plain = plain[n:]
	}
	return out
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestHostilePackages(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(p *parcel)
		code  int
		want  string
	}{
		{"changed byte", func(p *parcel) {
			binary := []byte(p.get("driver"))
			binary[len(binary)/2] ^= 1
			p.set("driver", string(binary))
		}, 11, "driver is not what files.sha256 says: its sha256 is"},
		{"unlisted file", func(p *parcel) { p.add("doc/extra", "x") }, 12, "doc/extra is in the package but not in files.sha256"},
		{"missing file", func(p *parcel) { p.drop("describe.json") }, 13, "describe.json is in files.sha256 but not in the package"},
		{"path escapes", func(p *parcel) { p.add("../../escaped", "x") }, 14, `"../../escaped" is not the plain path of a file in the package`},
		{"path escapes later", func(p *parcel) { p.add("doc/../../escaped", "x") }, 14, `"doc/../../escaped" is not the plain path`},
		{"path escapes in the list", func(p *parcel) { p.list("../escaped", "x") }, 14, `"../escaped" is not the plain path`},
		{"absolute path", func(p *parcel) { p.add("/etc/escaped", "x") }, 15, `"/etc/escaped" is an absolute path`},
		{"absolute path in the list", func(p *parcel) { p.list("/etc/passwd", "x") }, 15, `"/etc/passwd" is an absolute path`},
		{"link leaving", func(p *parcel) {
			p.special(&tar.Header{Typeflag: tar.TypeSymlink, Name: "doc", Linkname: "/etc"}, "")
			p.add("doc/escaped", "x")
		}, 16, `doc in the archive is a link to "/etc"`},
		{"hard link leaving", func(p *parcel) {
			p.special(&tar.Header{Typeflag: tar.TypeLink, Name: "shadow", Linkname: "/etc/shadow"}, "")
		}, 16, `shadow in the archive is a link to "/etc/shadow"`},
		{"device", func(p *parcel) {
			p.special(&tar.Header{Typeflag: tar.TypeBlock, Name: "disk", Devmajor: 8}, "")
		}, 17, "disk in the archive is not a plain file"},
		{"pipe", func(p *parcel) { p.special(&tar.Header{Typeflag: tar.TypeFifo, Name: "pipe"}, "") }, 17, "pipe in the archive is not a plain file"},
		{"set-user-id", func(p *parcel) { p.entries[p.find("driver")].Mode = 0o4755 }, 17, "set-user-id and set-group-id are not allowed"},
		{"name twice", func(p *parcel) { p.add("driver", "another") }, 18, "driver is in the archive twice"},
		{"name twice, spelt otherwise", func(p *parcel) { p.add("./driver", "another") }, 18, "driver is in the archive twice"},
		{"listed twice", func(p *parcel) { p.list("driver", "another") }, 18, "driver is listed twice"},
		{"zip bomb", func(p *parcel) {
			p.cut = true
			p.special(&tar.Header{Typeflag: tar.TypeReg, Name: "zeros", Size: 8 << 30}, "")
		}, 19, "the archive unpacks to more than the 1073741824 bytes allowed"},
		{"too many files", func(p *parcel) {
			for i := range 10_001 {
				p.special(&tar.Header{Typeflag: tar.TypeDir, Name: fmt.Sprintf("d%d/", i%3)}, "")
			}
		}, 19, "the archive holds more than the 10000 files allowed"},
		{"unknown manifest version", func(p *parcel) {
			p.relist("driver.yaml", strings.Replace(p.get("driver.yaml"), "openstack.org/v1", "openstack.org/v9", 1))
		}, 20, `driver.yaml is of apiVersion "drivers.magnum.openstack.org/v9"`},
		{"another binary", func(p *parcel) {
			p.relist("describe.json", strings.Replace(p.get("describe.json"), "Test driver", "Best driver", 1))
		}, 21, "does not describe itself as describe.json does"},
		{"half an archive", func(p *parcel) {
			p.cut = true
			p.special(&tar.Header{Typeflag: tar.TypeReg, Name: "doc", Size: 100}, "only this")
		}, 10, "doc"},
		{"no package", func(p *parcel) { p.drop("files.sha256") }, 10, "it is not a driver package"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			p := parcelOf(t, one)
			tt.spoil(p)
			h.refused(tt.code, tt.want, "install", h.write("in/package.tar.zst", string(p.bytes(t))))
			if got := h.installed(); got != "0 in the store\n" {
				t.Errorf("something was installed: %s", got)
			}
			// The state's folder, and the one above it, hold what was there.
			for dir, want := range map[string]string{h.dir: "[drivers in magnum.conf]", filepath.Join(h.dir, "drivers"): "[active generations index signatures store]"} {
				var names []string
				entries, _ := os.ReadDir(dir)
				for _, e := range entries {
					if e.Name() != "lock" {
						names = append(names, e.Name())
					}
				}
				if got := fmt.Sprint(names); got != want {
					t.Errorf("%s holds %s, want %s", dir, got, want)
				}
			}
		})
	}
}

// What is not spoiled is installed: the refusals above are not for another reason.
func TestArchiveOfTheSameMaking(t *testing.T) {
	h := newHost(t)
	h.must("install", h.write("in/package.tar.zst", string(parcelOf(t, one).bytes(t))))
	if got := h.installed(); got != "1 in the store\nacme_k8s 1.0.0 active\n" {
		t.Error(got)
	}
}

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
