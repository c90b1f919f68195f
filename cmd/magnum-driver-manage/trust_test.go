package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// newTrustingHost is a host that trusts three keys: two of acme's, both of
// which must have signed, and one of another publisher; a fourth has expired.
func newTrustingHost(t *testing.T) *host {
	t.Helper()
	h := newHost(t)
	public := map[string]string{}
	for _, name := range []string{"a", "b", "other", "old", "stranger"} {
		public[name] = strings.TrimSpace(h.must("keys", "generate", filepath.Join(h.dir, name)))
	}
	h.trust(fmt.Sprintf(`
keys:
  - {name: a, public: %s}
  - {name: b, public: %s, expires: 2999-12-31}
  - {name: old, public: %s, expires: 2020-01-31}
  - {name: other, public: %s}
publishers:
  - {drivers: ["acme_*"], keys: [a, b, old], threshold: 2}
  - {drivers: ["other_*", "else"], keys: [other]}
`, public["a"], public["b"], public["old"], public["other"]))
	return h
}

func (h *host) trust(text string) {
	h.t.Helper()
	file := h.write("driver-trust.yaml", text)
	h.write("magnum.conf", fmt.Sprintf("[DEFAULT]\nstate_path = %s\n[drivers]\ntrust_file = %s\n", h.dir, file))
}

// archive is a copy of the package in one file, signed by keys.
func (h *host) archive(signers ...string) string {
	h.t.Helper()
	return h.write("in/package.tar.zst", string(h.signed(one, signers...).bytes(h.t)))
}

// signed is a copy of a package for tests to change, signed by keys.
func (h *host) signed(dir string, signers ...string) *parcel {
	h.t.Helper()
	folder := h.t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(dir)); err != nil {
		h.t.Fatal(err)
	}
	for _, s := range signers {
		h.must("sign", "--key", filepath.Join(h.dir, s+".key"), folder)
	}
	return parcelOf(h.t, folder)
}

func TestSignatures(t *testing.T) {
	h := newTrustingHost(t)
	signedBy := func(names ...string) func(h *host) string { return func(h *host) string { return h.archive(names...) } }
	for _, tt := range []struct {
		name string
		make func(h *host) string
		code int
		want string
	}{
		{"unsigned", signedBy(), 30, "driver acme_k8s is not signed"},
		{"with a forged comment", func(h *host) string {
			p := h.signed(one, "a")
			p.set("files.sha256.minisig", strings.Replace(p.get("files.sha256.minisig"), "acme_k8s 1.0.0", "acme_k8s 9.0.0", 1))
			return h.write("in/package.tar.zst", string(p.bytes(t)))
		}, 31, `the signature of driver acme_k8s by key "a" is wrong`},
		{"no signature", func(h *host) string {
			p := parcelOf(t, one)
			p.add("files.sha256.minisig", "hello")
			return h.write("in/package.tar.zst", string(p.bytes(t)))
		}, 31, "files.sha256.minisig is not a minisign signature"},
		{"by a stranger", signedBy("stranger"), 32, "which is not in the trust file"},
		{"by one of two", signedBy("a"), 34, "driver acme_k8s has 1 of the 2 signatures it needs: a signed, of a, b, old"},
		{"by one of two and a stranger", signedBy("b", "stranger"), 34, "driver acme_k8s has 1 of the 2 signatures"},
		{"by one key twice", signedBy("a", "a"), 34, "driver acme_k8s has 1 of the 2 signatures"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h.t = t
			h.refused(tt.code, tt.want, "install", tt.make(h))
			if got := h.installed(); got != "0 in the store\n" {
				t.Errorf("something was installed: %s", got)
			}
		})
	}
	h.t = t
	out := h.must("install", h.archive("a", "b", "stranger"))
	if strings.Contains(out, "warning") {
		t.Errorf("a signed package: %s", out)
	}
	if got := h.must("verify", "--deep"); got != "acme_k8s 1.0.0: good, signed by a, b\n" {
		t.Errorf("verify --deep: %s", got)
	}
	// A key that expires later takes nothing away; one that is not trusted any more is seen.
	file := filepath.Join(h.dir, "driver-trust.yaml")
	h.trust(strings.Replace(read(t, file), "2999-12-31", "2020-12-31", 1))
	h.must("verify", "--deep")
	h.trust(strings.Replace(read(t, file), "keys: [a, b, old]", "keys: [a, old]", 1))
	if got, code, _ := h.run("verify", "--deep"); code != 4 || !strings.Contains(got, "1 of the 2 signatures") {
		t.Errorf("verify --deep: exit code %d, %s", code, got)
	}
	h.must("verify")
}

func TestUnsignedWithoutTrust(t *testing.T) {
	h := newHost(t)
	for _, text := range []string{"", "# nobody yet\n", "keys: []\n"} {
		h.trust(text)
		if out := h.must("install", h.archive()); !strings.Contains(out, "warning: acme_k8s 1.0.0 is not signed by anybody this host trusts") {
			t.Errorf("trust file %q: %s", text, out)
		}
	}
}

func TestTrustFileIsChecked(t *testing.T) {
	h := newTrustingHost(t)
	good := read(t, filepath.Join(h.dir, "driver-trust.yaml"))
	signed := h.archive("a", "b")
	first, _, _ := strings.Cut(good[strings.Index(good, "public: ")+len("public: "):], "}")
	for _, tt := range []struct{ name, text, want string }{
		{"misspelt", strings.Replace(good, "threshold: 2", "treshold: 2", 1), "treshold"},
		{"not yaml", "keys: [", "yaml"},
		{"no key", strings.Replace(good, first, "abc", 1), `"abc" is not a minisign public key`},
		{"one key under two names", strings.Replace(good, "publishers:", "  - {name: c, public: "+first+"}\npublishers:", 1), `keys "a" and "c" are the same`},
		{"name twice", strings.Replace(good, "name: b,", "name: a,", 1), `the name "a" is empty or given twice`},
		{"no day", strings.Replace(good, "2999-12-31", "soon", 1), `expires "soon" is not a day`},
		{"unknown key", strings.Replace(good, "keys: [other]", "keys: [nobody]", 1), `there is no key "nobody"`},
		{"key listed twice", strings.Replace(good, "[a, b, old]", "[a, a]", 1), "needs as many different keys"},
		{"too high", strings.Replace(good, "threshold: 2", "threshold: 4", 1), "threshold 4 needs as many different keys"},
		{"bad pattern", strings.Replace(good, "acme_*", "acme_[", 1), "is not a pattern"},
		{"keys for nothing", good[:strings.Index(good, "publishers:")], "no publishers"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h.t = t
			if tt.text == good {
				t.Fatal("nothing was spoiled")
			}
			h.trust(tt.text)
			h.refused(37, tt.want, "install", signed)
			h.refused(37, tt.want, "keys", "list")
			if got := h.installed(); got != "0 in the store\n" {
				t.Errorf("something was installed: %s", got)
			}
		})
	}
}

func TestWhoMayWrite(t *testing.T) {
	h := newHost(t)
	file := h.archive()
	chmod := func(path string, mode os.FileMode) {
		t.Helper()
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	chmod(file, 0o646)
	h.refused(36, "everybody may write to it", "install", file)
	chmod(file, 0o644)
	folder := filepath.Join(h.dir, "folder")
	if err := os.CopyFS(folder, os.DirFS(one)); err != nil {
		t.Fatal(err)
	}
	chmod(filepath.Join(folder, "driver.yaml"), 0o666)
	h.refused(36, "driver.yaml has mode -rw-rw-rw- and everybody may write to it", "install", folder)
	h.must("list")
	chmod(filepath.Join(h.dir, "drivers"), 0o777)
	h.refused(36, "drivers has mode drwxrwxrwx and everybody may write to it", "install", file)
	chmod(filepath.Join(h.dir, "drivers"), 0o755)
	if got := h.installed(); got != "0 in the store\n" {
		t.Errorf("something was installed: %s", got)
	}
	h.must("install", file)
	chmod(filepath.Join(h.dir, "drivers"), 0o777)
	if got, code, _ := h.run("verify"); code != 4 || !strings.Contains(got, "everybody may write to it") {
		t.Errorf("verify: exit code %d, %s", code, got)
	}
	chmod(filepath.Join(h.dir, "drivers"), 0o755)
	h.trust("keys: []\n")
	chmod(filepath.Join(h.dir, "driver-trust.yaml"), 0o666)
	h.refused(36, "driver-trust.yaml has mode", "install", file)
	if os.Geteuid() != 0 {
		t.Skip("files of another owner: only root can make them")
	}
	chmod(filepath.Join(h.dir, "driver-trust.yaml"), 0o644)
	if err := os.Chown(file, 12345, 0); err != nil {
		t.Fatal(err)
	}
	h.refused(36, "belongs to user 12345", "install", file)
}

func TestKeys(t *testing.T) {
	h := newTrustingHost(t)
	got := h.must("keys", "list", "-f", "value", "-c", "Name", "-c", "Expires", "-c", "State", "-c", "Drivers")
	want := `a never good acme_* (2 of 3)
b 2999-12-31 good acme_* (2 of 3)
old 2020-01-31 expired acme_* (2 of 3)
other never good other_* else (1 of 1)
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	info, err := os.Stat(filepath.Join(h.dir, "a.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	h.refused(1, "file exists", "keys", "generate", filepath.Join(h.dir, "a"))
	h.refused(1, "no such file", "sign", "--key", filepath.Join(h.dir, "none.key"), one)
	h.refused(1, "required flag(s) \"key\" not set", "sign", one)
	broken := parcelOf(t, one)
	broken.set("driver", "x")
	h.refused(11, "driver is not what files.sha256 says", "sign", "--key", filepath.Join(h.dir, "a.key"), h.write("in/broken.tar.zst", string(broken.bytes(t))))
	file := h.archive("a")
	h.must("sign", "--key", filepath.Join(h.dir, "b.key"), file)
	signed := read(t, file)
	h.must("sign", "--key", filepath.Join(h.dir, "a.key"), file)
	if read(t, file) != signed {
		t.Error("the same signature again changes the package")
	}
	h.must("install", file)
}
