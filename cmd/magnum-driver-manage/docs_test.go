package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/plugins/store"
)

// TestDocumentedCommands runs the commands of docs/drivers/store.md, in their
// order, in a folder of their own, with the files that it shows.
func TestDocumentedCommands(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	page := read(t, "../../docs/drivers/store.md")
	w := newDocumentedWorld(t, page)
	t.Chdir(w.dir)
	// What the page takes for granted before a command.
	before := map[string]func(){
		"install ./my-driver":                 func() { w.must("package", "bin/my-driver", "my-driver") }, // without asks.yaml
		"install https://drivers.example.org": w.trusted,
		"install oci://registry.example.org": func() {
			_, w.digest, _ = strings.Cut(strings.TrimSpace(w.must("publish", "my-driver-1.2.0.tar.zst", w.registry+":1")), "@sha256:")
		},
		"pin CLUSTER": func() { w.cluster("CLUSTER", magnum.DriverRef{Name: "my_driver", Version: "1.2.0"}, nil) },
		"remove my_driver@1.2.0": func() {
			w.must("activate", "my_driver@1.3.0")
			w.must("unpin", "CLUSTER")
		},
		"upgrade plan":   func() { w.must("install", "--force", "my-driver-1.2.0.tar.zst") },
		"sync --dry-run": func() { w.desires(yamlBlock(t, page, "source: ")) },
	}
	count := 0
	for _, line := range regexp.MustCompile(`(?m)^magnum-driver-manage .*`).FindAllString(page, -1) {
		line, _, _ = strings.Cut(strings.TrimPrefix(line, "magnum-driver-manage "), " #")
		line = strings.TrimSpace(line)
		count++
		t.Run(strings.ReplaceAll(line, "/", "|"), func(t *testing.T) {
			w.host.t = t
			for prefix, prepare := range before {
				if strings.HasPrefix(line, prefix) {
					prepare()
					delete(before, prefix)
				}
			}
			code := 0
			if line == "sync --check" { // there is something to do
				code = exitDiffers
			}
			if out, got, err := w.run(strings.Fields(w.replace(line))...); got != code {
				t.Errorf("exit code %d, want %d: %v\n%s", got, code, err, out)
			}
		})
	}
	w.host.t = t
	for prefix := range before {
		t.Errorf("no command begins with %q", prefix)
	}
	if count < 30 {
		t.Errorf("only %d commands are there", count)
	}
	w.want("1.2.0 active, 1.3.0 installed")
	// The trust file that is shown is one.
	if trust, err := store.LoadTrust(w.write("shown.yaml", yamlBlock(t, page, "publishers:"))); err != nil || len(trust.Keys) != 2 {
		t.Errorf("%d keys, %v", len(trust.Keys), err)
	}
}

// yamlBlock is the page's block of YAML with some words in it.
func yamlBlock(t *testing.T, page, words string) string {
	t.Helper()
	for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(page, -1) {
		if strings.Contains(block[1], words) {
			return block[1]
		}
	}
	t.Fatalf("no block of YAML has %q", words)
	return ""
}

// documentedWorld is what the page speaks of: an author's folder, a host, a
// server and a registry.
type documentedWorld struct {
	*host
	server, registry string
	digest           string // that the page calls DIGEST
}

func newDocumentedWorld(t *testing.T, page string) *documentedWorld {
	t.Helper()
	w := &documentedWorld{host: newHost(t), registry: newRegistry(t, nil)}
	driver := map[string]string{}
	for _, version := range []string{"1.2.0", "1.3.0"} {
		built, err := packAs(t.TempDir(), "my_driver", version)
		if err != nil {
			t.Fatal(err)
		}
		driver[version] = filepath.Join(built, "driver")
	}
	if err := os.Chmod(w.write("bin/my-driver", read(t, driver["1.2.0"])), 0o755); err != nil {
		t.Fatal(err)
	}
	w.must("package", driver["1.3.0"], filepath.Join(w.dir, "my-driver-1.3.0.tar.zst"))
	w.write("asks.yaml", "resources: {files: 4096}\n")
	if !strings.Contains(page, "drivers.d/my_driver.yaml") {
		t.Fatal("the page names another file of drivers.d")
	}
	server := httptest.NewServer(http.FileServer(http.Dir(w.dir)))
	t.Cleanup(server.Close)
	w.server = server.URL
	w.database()
	w.write("magnum.conf", read(t, w.conf)+fmt.Sprintf("[drivers]\ntrust_file = %[1]s/driver-trust.yaml\nconfig_dir = %[1]s/drivers.d\n", w.dir))
	return w
}

// trusted has a publisher sign both packages, and the host trust it.
func (w *documentedWorld) trusted() {
	w.t.Helper()
	public := strings.TrimSpace(w.must("keys", "generate", "publisher"))
	for _, version := range []string{"1.2.0", "1.3.0"} {
		w.must("sign", "--key", "publisher.key", "my-driver-"+version+".tar.zst")
	}
	w.write("driver-trust.yaml", fmt.Sprintf("keys: [{name: publisher, public: %s}]\npublishers: [{drivers: [\"my_*\"], keys: [publisher]}]\n", public))
	w.digest = ""
}

// desires writes the file of drivers.d that the page shows.
func (w *documentedWorld) desires(text string) {
	w.t.Helper()
	w.digest = ""
	var lines []string
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "digest: ") { // the package's
			line = strings.Replace(line, "DIGEST", digestOf(read(w.t, "my-driver/files.sha256")), 1)
		}
		lines = append(lines, w.replace(line))
	}
	w.write("drivers.d/my_driver.yaml", strings.Join(lines, "\n"))
}

// replace puts what is there in the place of what the page calls it. DIGEST is
// the archive's unless somebody said otherwise.
func (w *documentedWorld) replace(line string) string {
	w.t.Helper()
	digest := w.digest
	if digest == "" && strings.Contains(line, "DIGEST") {
		digest = digestOf(read(w.t, "my-driver-1.2.0.tar.zst"))
	}
	return strings.NewReplacer(
		"/srv/drivers", w.dir,
		"https://drivers.example.org", w.server,
		"oci://registry.example.org/drivers/my-driver", w.registry,
		"DIGEST", digest,
	).Replace(line)
}
