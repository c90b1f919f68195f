package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// wants writes the driver's file of drivers.d.
func (h *host) wants(lines ...string) {
	h.t.Helper()
	h.write("drivers.d/acme_k8s.yaml", strings.Join(lines, "\n"))
}

// newDesiringHost is one with a folder for such files.
func newDesiringHost(t *testing.T) *host {
	t.Helper()
	h := newHost(t)
	h.write("magnum.conf", fmt.Sprintf("[DEFAULT]\nstate_path = %s\n[drivers]\nconfig_dir = %s\n", h.dir, filepath.Join(h.dir, "drivers.d")))
	return h
}

// synced runs sync, and then once more: the second time there is nothing to do.
func (h *host) synced(want string, args ...string) {
	h.t.Helper()
	columns := []string{"-f", "value", "-c", "Name", "-c", "Action", "-c", "From", "-c", "To"}
	dry := h.must(append(append([]string{"sync", "--dry-run"}, columns...), args...)...)
	got := h.must(append(append([]string{"sync"}, columns...), args...)...)
	if strings.TrimSpace(got) != want || dry != got {
		h.t.Errorf("sync: %q, and --dry-run: %q, want %q", got, dry, want)
	}
	before := h.tree()
	if out := h.must(append([]string{"sync", "-f", "value", "-c", "Action"}, args...)...); strings.ReplaceAll(out, "none\n", "") != "" {
		h.t.Errorf("the second time: %s", out)
	}
	h.must(append([]string{"sync", "--check"}, args...)...)
	if diff := cmp.Diff(before, h.tree()); diff != "" {
		h.t.Errorf("the second time (-before +after):\n%s", diff)
	}
}

func TestSync(t *testing.T) {
	h := newDesiringHost(t)
	h.must("sync") // nothing is wanted
	h.wants("source: " + one)
	h.refused(52, "1 of 1 drivers are not as they are wanted", "sync", "--check")
	if got := h.installed(); got != "0 in the store\n" {
		t.Errorf("--check installs: %s", got)
	}
	h.synced("acme_k8s install  1.0.0")
	h.want("1.0.0 active")
	h.must("install", "--no-activate", two)
	h.wants("") // whatever is active will do
	h.synced("acme_k8s none 1.0.0 1.0.0")
	h.wants(`version: ">=1.1 <2"`)
	h.synced("acme_k8s activate 1.0.0 1.1.0")
	h.want("1.0.0 installed, 1.1.0 active")
	// The file says what is meant: no --force for the way back.
	h.wants("version: 1.0.0")
	h.synced("acme_k8s activate 1.1.0 1.0.0")
	h.wants("enabled: false")
	h.synced("acme_k8s disable 1.0.0")
	h.want("1.0.0 installed, 1.1.0 installed")
	h.wants("version: ^1")
	h.synced("acme_k8s activate  1.1.0") // the newest that is there
	if got := h.must("history", "acme_k8s", "-f", "value", "-c", "Why"); !strings.HasPrefix(got, "sync with acme_k8s.yaml\n") {
		t.Errorf("history: %s", got)
	}
	// Without a file a driver is left alone.
	if err := os.Remove(filepath.Join(h.dir, "drivers.d", "acme_k8s.yaml")); err != nil {
		t.Fatal(err)
	}
	h.synced("")
	h.want("1.0.0 installed, 1.1.0 active")
}

// What a server has under a digest is fetched once.
func TestSyncFromAServer(t *testing.T) {
	h := newTrustingHost(t)
	conf := read(t, h.conf)
	h.write("magnum.conf", conf+"config_dir = "+filepath.Join(h.dir, "drivers.d")+"\n")
	file := h.archive("a", "b")
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		http.ServeFile(w, r, file)
	}))
	defer server.Close()
	h.wants("source: "+server.URL+"/acme.tar.zst@sha256:"+digestOf(read(t, file)), "version: ~1.0")
	h.must("sync")
	h.want("1.0.0 active")
	fetched := asked
	h.synced("acme_k8s none 1.0.0 1.0.0")
	if asked != fetched {
		t.Errorf("the server was asked %d times more", asked-fetched)
	}
	h.database()
	h.write("magnum.conf", conf+"config_dir = "+filepath.Join(h.dir, "drivers.d")+"\n[database]\nconnection = sqlite:///"+filepath.Join(h.dir, "magnum.sqlite")+"\n")
	h.must("disable", "acme_k8s")
	h.must("remove", "acme_k8s@1.0.0")
	for _, of := range []string{"signatures", "sources"} {
		if left, err := os.ReadDir(filepath.Join(h.dir, "drivers", of)); err != nil || len(left) != 0 {
			t.Errorf("a version that was removed leaves %s: %v, %v", of, left, err)
		}
	}
	h.must("sync") // what was removed is fetched again
	h.want("1.0.0 active")
	h.must("disable", "acme_k8s")
	must(t, os.Remove(filepath.Join(h.dir, "drivers", "index", "acme_k8s", "1.0.0")))
	h.must("sync") // and so is what somebody began to remove
	h.want("1.0.0 active")
	h.wants("source: " + two)
	h.refused(30, "is not signed", "sync", "--dry-run")
}

// Each file's failure is told with its code, nothing changes, and the other
// driver is as wanted.
func TestSyncFailures(t *testing.T) {
	rival := rivalPackage(t)
	rebuilt, err := packAs(t.TempDir(), "acme_k8s", "1.1.0", "-X main.priority=1")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, text string
		code       int
		want       string
	}{
		{"no yaml", "source: [", 50, "acme_k8s.yaml: yaml: "},
		{"misspelt", "sauce: x", 50, "field sauce not found"},
		{"no range", "version: newest", 50, `"newest" is neither a version nor a range`},
		{"no digest", "digest: abc", 50, `digest: "abc" is not a sha256 in hex`},
		{"relative source", "source: drivers/acme", 50, `"drivers/acme" is not an absolute path`},
		{"source without a digest", "source: https://127.0.0.1:1/acme.tar.zst", 22, "add @sha256:DIGEST"},
		{"configuration that is no mapping", "config: [sesame]", 50, "config, line 1: it is not a mapping"},
		{"configuration with a key twice", "config:\n  sesame: 1\n  sesame: 2", 50, "every key must be a text and stand once"},
		{"source that is not there", "source: /nowhere/acme.tar.zst", 24, "no such file"},
		{"other version", "source: ONE\nversion: \">=2\"", 27, `it is driver acme_k8s 1.0.0, but a version ">=2" is wanted`},
		{"other digest", "source: ONE\ndigest: " + strings.Repeat("0", 64), 23, "but 000"},
		{"no version that will do", "version: \">=2\"", 3, "not installed in a version that is wanted"},
		{"configuration that does not fit", "source: ONE\nconfig: {key: sesame-open}", 51, "config_schema at /key"},
		{"source with another digest", "source: ONE@sha256:" + strings.Repeat("0", 64), 23, "files.sha256 is " + digestOf(read(t, filepath.Join(one, "files.sha256")))},
		{"another driver", "source: RIVAL", 27, "it is driver rival_k8s 1.0.0, but acme_k8s is wanted"},
		{"another build of the active version", "source: REBUILT", 25, "driver acme_k8s 1.1.0 is installed already with other content"},
		{"older, and nothing says so", "source: ONE\nversion: \">=1\"", 40, "acme_k8s 1.0.0 is older than the active version 1.1.0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newDesiringHost(t)
			h.must("install", two)
			h.write("drivers.d/other.yaml", "enabled: false\n")
			h.wants(strings.NewReplacer("ONE", one, "RIVAL", rival, "REBUILT", rebuilt).Replace(tt.text))
			before := h.tree()
			for _, args := range [][]string{{"sync", "--dry-run"}, {"sync"}} {
				h.refused(tt.code, tt.want, args...)
				out, _, err := h.run(args...)
				if !strings.Contains(out, "other") || !strings.Contains(err.Error(), "acme_k8s.yaml") {
					t.Errorf("%v: %v\n%s", args, err, out)
				}
				if strings.Contains(out+err.Error(), "sesame") {
					t.Errorf("it tells what is configured: %v\n%s", err, out)
				}
			}
			if diff := cmp.Diff(before, h.tree()); diff != "" {
				t.Errorf("it left something behind (-before +after):\n%s", diff)
			}
		})
	}
}

// What is to be disabled makes room for a driver of the same clusters, whatever
// their names; of two that are wanted the second is refused.
func TestSyncMakesRoom(t *testing.T) {
	h := newDesiringHost(t)
	rival := rivalPackage(t)
	h.must("install", one)
	h.wants("enabled: false")
	h.write("drivers.d/rival_k8s.yaml", "source: "+rival)
	h.synced("acme_k8s disable 1.0.0 \nrival_k8s install  1.0.0")
	h.wants("source: " + one)
	for _, how := range []string{"--dry-run", "--check=false"} {
		h.refused(26, "drivers rival_k8s 1.0.0 and acme_k8s 1.0.0 both make clusters of type", "sync", how)
	}
	h.write("drivers.d/rival_k8s.yaml", "enabled: false")
	h.synced("rival_k8s disable 1.0.0 \nacme_k8s activate  1.0.0")
}

// Where something has to be chosen, a damaged version is no choice.
func TestSyncPassesOverDamage(t *testing.T) {
	h := newDesiringHost(t)
	h.must("install", one)
	h.must("install", two)
	h.must("lock", filepath.Join(h.dir, "lock.json"))
	h.damage(two, "files.sha256")
	h.refused(4, "files.sha256 was changed", "lock", filepath.Join(h.dir, "lock.json"))
	h.must("disable", "acme_k8s")
	h.wants("version: ^1")
	h.must("sync")
	if out := h.must("list", "-f", "value", "-c", "Version", "-c", "State"); !strings.Contains(out, "1.0.0 active\n") {
		t.Errorf("got %s", out)
	}
}

// A file that others may write to decides nothing, and one that cannot be read
// keeps nobody else from what they want.
func TestSyncGoesOn(t *testing.T) {
	h := newDesiringHost(t)
	h.wants("source: " + one)
	h.write("drivers.d/other.yml", "")
	h.refused(50, "other.yml is not read", "sync")
	h.want("1.0.0 active")
	if err := os.Remove(filepath.Join(h.dir, "drivers.d", "other.yml")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(h.dir, "drivers.d", "acme_k8s.yaml"), 0o666); err != nil {
		t.Fatal(err)
	}
	h.refused(36, "everybody may write to it", "sync")
	h.write("drivers.d/Acme.yaml", "version: \">=9\"")
	h.refused(1, `"Acme" is not a driver's name`, "sync") // two failures, two codes
}

func TestLock(t *testing.T) {
	h := newDesiringHost(t)
	h.must("install", one)
	file := filepath.Join(h.dir, "lock.json")
	h.must("lock", file)
	text := read(t, file)
	if !strings.Contains(text, `"name": "acme_k8s"`) || !strings.Contains(text, `"version": "1.0.0"`) {
		t.Errorf("got %s", text)
	}
	h.must("lock", file)
	if read(t, file) != text {
		t.Error("the same drivers give another file")
	}
	if out := h.must("lock", "--check", file); out != "" {
		t.Errorf("--check: %s", out)
	}
	h.must("install", two)
	out, _, _ := h.run("lock", "--check", file, "-f", "value", "-c", "Name", "-c", "Locked", "-c", "Active")
	h.refused(52, "1 drivers are not as in", "lock", "--check", file)
	if out != "acme_k8s 1.0.0 1.1.0\n" {
		t.Errorf("--check: %s", out)
	}
	// What is only in one of the two differs as well, and so does another build.
	differs := func(want string) {
		t.Helper()
		out, code, err := h.run("lock", "--check", file, "-f", "value", "-c", "Name", "-c", "Locked", "-c", "Active")
		if out != want || code != 52 {
			t.Errorf("--check: exit code %d, %v: %q, want %q", code, err, out, want)
		}
	}
	h.must("disable", "acme_k8s")
	differs("acme_k8s 1.0.0 \n")
	h.must("lock", file)
	h.must("enable", "acme_k8s")
	differs("acme_k8s  1.1.0\n")
	h.write("lock.json", strings.NewReplacer("1.0.0", "1.1.0", digestOf(read(t, filepath.Join(one, "files.sha256"))), strings.Repeat("0", 64)).Replace(text))
	differs("acme_k8s 1.1.0 1.1.0\n")
	h.wants("digest: " + strings.Repeat("1", 64))
	h.refused(23, "wants the digest 1111", "sync", "--locked", file)
	h.write("lock.json", text)
	// sync takes what is in the file, and nothing else.
	h.wants("version: ^1")
	h.synced("acme_k8s activate 1.1.0 1.0.0", "--locked", file)
	h.must("lock", "--check", file)
	h.wants("source: " + two)
	h.refused(23, "but "+digestOf(read(t, filepath.Join(one, "files.sha256")))+" is wanted", "sync", "--locked", file)
	h.write("drivers.d/other.yaml", "version: ^1")
	h.refused(23, "driver other is wanted by", "sync", "--locked", file)
	h.want("1.0.0 active, 1.1.0 installed")
	h.write("drivers.d/other.yaml", "enabled: false") // which needs no version
	h.wants("version: ^1")
	h.must("sync", "--locked", file)

	for name, text := range map[string]string{
		"no JSON":       "drivers: []",
		"other format":  `{"format": 9, "drivers": []}`,
		"unknown field": `{"format": 1, "drivers": [{"name": "a", "version": "1.0.0", "sha256": "x"}]}`,
		"no digest":     `{"format": 1, "drivers": [{"name": "a", "version": "1.0.0", "digest": "x"}]}`,
		"no name":       `{"format": 1, "drivers": [{"name": "../a", "version": "1.0.0", "digest": "` + strings.Repeat("0", 64) + `"}]}`,
		"no version":    `{"format": 1, "drivers": [{"name": "a", "version": "latest", "digest": "` + strings.Repeat("0", 64) + `"}]}`,
		"twice":         strings.Replace(text, `"drivers": [`, `"drivers": [{"name":"acme_k8s","version":"1.0.0","digest":"`+strings.Repeat("0", 64)+`"},`, 1),
		"more":          text + "{}",
	} {
		bad := h.write("bad.json", text)
		for _, args := range [][]string{{"lock", "--check", bad}, {"sync", "--locked", bad}} {
			if _, code, err := h.run(args...); code != 50 {
				t.Errorf("%s: %v: exit code %d, %v", name, args, code, err)
			}
		}
	}
}
