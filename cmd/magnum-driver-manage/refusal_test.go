package main

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/plugins/store"
	"github.com/go-magnum/magnum/plugins/supervise"
)

// refusal is a row of TestRefusals.
type refusal struct {
	name string
	// make prepares the host, and returns the command that is to be refused.
	make func(h *host) []string
	code int
	want string
}

// refusals are the ways in which a package is not what somebody vouched for.
// Everything else about it is in order.
func refusals() []refusal {
	spoiled := func(spoil func(h *host, p *parcel)) func(h *host) []string {
		return func(h *host) []string {
			p := h.signed(one, "a", "b")
			spoil(h, p)
			return []string{"install", h.write("in/package.tar.zst", string(p.bytes(h.t)))}
		}
	}
	swapped := func(args ...string) func(h *host) []string {
		return func(h *host) []string {
			h.must("install", h.write("in/one.tar.zst", string(h.signed(one, "a", "b").bytes(h.t))))
			h.must("install", h.write("in/two.tar.zst", string(h.signed(two, "a", "b").bytes(h.t))))
			h.swapBinary("1.0.0")
			return args
		}
	}
	const swap = "it is not what was installed: driver is not what files.sha256 says"
	return []refusal{
		{"a changed byte", spoiled(func(_ *host, p *parcel) {
			binary := []byte(p.get("driver"))
			binary[len(binary)/2] ^= 1
			p.set("driver", string(binary))
		}), 11, "driver is not what files.sha256 says: its sha256 is"},
		{"an extra file", spoiled(func(_ *host, p *parcel) { p.add("doc/extra", "x") }),
			12, "doc/extra is in the package but not in files.sha256"},
		{"a binary swapped after installation: activate", swapped("activate", "--force", "acme_k8s@1.0.0"), 4, swap},
		{"a binary swapped after installation: rollback", swapped("rollback", "acme_k8s"), 4, swap},
		{"a binary swapped after installation: verify", swapped("verify"), 4, "1 of 2 packages are not what was installed"},
		{"a wrong signature", spoiled(func(h *host, p *parcel) {
			p.set("files.sha256.minisig", h.signed(two, "a").get("files.sha256.minisig"))
		}), 31, `the signature of driver acme_k8s by key "a" is wrong`},
		{"an expired key", func(h *host) []string { return []string{"install", h.archive("a", "old")} },
			33, "driver acme_k8s is signed by a key that has expired: old (2020-01-31)"},
		{"a path escaping the archive", spoiled(func(_ *host, p *parcel) { p.add("../../escaped", "x") }),
			14, `"../../escaped" is not the plain path of a file in the package`},
		{"a zip bomb", spoiled(func(_ *host, p *parcel) {
			p.cut = true
			p.special(&tar.Header{Typeflag: tar.TypeReg, Name: "zeros", Size: 8 << 30}, "")
		}), 19, "the archive unpacks to more than the 1073741824 bytes allowed"},
		{"a downgrade", func(h *host) []string {
			h.must("install", h.write("in/two.tar.zst", string(h.signed(two, "a", "b").bytes(h.t))))
			return []string{"install", h.archive("a", "b")}
		}, 40, "driver acme_k8s 1.0.0 is older than the active version 1.1.0"},
		{"a name it may not use", func(h *host) []string { return []string{"install", h.archive("other")} },
			35, "driver acme_k8s is signed by other, who may not publish a driver of this name"},
	}
}

// TestRefusals runs the command as a process of its own, and looks at what it
// says, what it ends with and what it leaves.
func TestRefusals(t *testing.T) {
	meant := map[int]string{} // exit code → what it is for
	for _, r := range refusals() {
		what, _, _ := strings.Cut(r.name, ":")
		if other, taken := meant[r.code]; taken && other != what {
			t.Errorf("exit code %d is for %s and for %s", r.code, other, what)
		}
		meant[r.code] = what
	}
	if len(meant) != 9 {
		t.Errorf("%d exit codes for nine refusals: %v", len(meant), meant)
	}
	for _, r := range refusals() {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			h := newTrustingHost(t)
			args := r.make(h)
			h.must("list") // the store's folders are there
			before := h.tree()
			said, code := h.process(args...)
			if code != r.code || !strings.Contains(said, r.want) {
				t.Errorf("exit code %d, want %d, and %q in: %s", code, r.code, r.want, said)
			}
			if install := args[0] == "install"; install != strings.Contains(said, "nothing was installed: ") {
				t.Errorf("it does not say what became of it: %s", said)
			}
			if diff := cmp.Diff(before, h.tree()); diff != "" {
				t.Errorf("it left something behind (-before +after):\n%s", diff)
			}
		})
	}
}

// A swapped binary is not started either: by no conductor, and by no test of
// what it says of itself.
func TestSwappedBinaryIsNotStarted(t *testing.T) {
	h := newHost(t)
	h.must("install", one)
	h.swapBinary("1.0.0")
	if out, code := h.process("verify", "--deep"); code != 4 {
		t.Errorf("verify --deep: exit code %d: %s", code, out)
	}
	s, err := store.Open(filepath.Join(h.dir, "drivers"))
	if err != nil {
		t.Fatal(err)
	}
	drivers := supervise.New(supervise.Config{Store: s})
	_, err = drivers.Get(t.Context(), "acme_k8s", "")
	if want := "it is not started. Install the package again"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a conductor's start: %v, want %q", err, want)
	}
	if got := drivers.Status(); len(got) != 1 || got[0].State != supervise.StateRejected {
		t.Errorf("it stands as %+v", got)
	}
	if err := drivers.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// swapBinary puts another driver in the place of an installed one, as the
// store's owner could.
func (h *host) swapBinary(version string) {
	h.t.Helper()
	digest, err := os.Readlink(filepath.Join(h.dir, "drivers", "index", "acme_k8s", version))
	if err != nil {
		h.t.Fatal(err)
	}
	folder := filepath.Join(h.dir, "drivers", "store", "sha256", filepath.Base(digest))
	other := h.write("in/other", read(h.t, filepath.Join(two, "driver")))
	for _, step := range []func() error{
		func() error { return os.Chmod(other, 0o555) },
		func() error { return os.Chmod(folder, 0o755) },
		func() error { return os.Rename(other, filepath.Join(folder, "driver")) },
		func() error { return os.Chmod(folder, 0o555) },
	} {
		if err := step(); err != nil {
			h.t.Fatal(err)
		}
	}
}

// tree is everything below the host's folder, with modes and contents, but the
// store's lock, which is only ever opened.
func (h *host) tree() map[string]string {
	h.t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(h.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Name() == "lock" {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		content := ""
		switch {
		case info.Mode().IsRegular():
			sum := sha256.Sum256([]byte(read(h.t, path)))
			content = hex.EncodeToString(sum[:])
		case info.Mode()&fs.ModeSymlink != 0:
			content, err = os.Readlink(path)
		}
		all[strings.TrimPrefix(path, h.dir)] = info.Mode().String() + " " + content
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return all
}

func TestHostilePackages(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(p *parcel)
		code  int
		want  string
	}{
		{"missing file", func(p *parcel) { p.drop("describe.json") }, 13, "describe.json is in files.sha256 but not in the package"},
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
			for dir, want := range map[string]string{h.dir: "[drivers in magnum.conf]", filepath.Join(h.dir, "drivers"): "[active generations index signatures sources store]"} {
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
