package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
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

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
