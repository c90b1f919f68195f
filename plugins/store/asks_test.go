package store_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/plugins/launch"
	"github.com/go-magnum/magnum/plugins/store"
)

func TestAsks(t *testing.T) {
	tests := []struct {
		text, said, refused string
	}{
		{text: "sandbox: {network: none}", said: ""},
		{text: "resources: {memory_mib: 512, files: 100}", said: ""},
		{text: "resources: {memory_mib: 8192}\nsandbox: {network: listen, read: [/a], write: [/b/c], exec: [/usr/bin/helm, /d]}",
			said: "network to listen, read /a, write /b/c, exec /usr/bin/helm, exec /d, 8192 MiB of memory"},
		{text: "resources: {files: 5000}", said: "5000 open files"},
		{text: "sandbox: {reed: [/a]}", refused: "reed"},
		{text: "name: x", refused: "name"},
		{text: "sandbox: {network: maybe}", refused: `network "maybe"`},
		{text: "sandbox: {read: [a/b]}", refused: `"a/b" is not an absolute path`},
		{text: "sandbox: {write: [/a/../etc]}", refused: `"/a/../etc" is not`},
		{text: "sandbox: {exec: ['']}", refused: `"" is not`},
		{text: "resources: {memory_mib: 1}", refused: "memory_mib is 1"},
		{text: "resources: {files: 3}", refused: "files is 3"},
		{text: "resources: {files: 3000000}", refused: "files is 3000000"},
		{text: "resources: {files: -1}", refused: "-1"},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			asks, err := store.ParseAsks([]byte(tt.text))
			if tt.refused != "" {
				if err == nil || !strings.Contains(err.Error(), tt.refused) {
					t.Errorf("got %v, want something about %q", err, tt.refused)
				}
				return
			}
			if err != nil || asks.String() != tt.said {
				t.Errorf("got %q, %v; want %q", asks, err, tt.said)
			}
		})
	}
}

// What a package is made with is in its manifest, under its digest.
func TestPackageAsks(t *testing.T) {
	binary := filepath.Join(packages["one"], "driver")
	dir := filepath.Join(t.TempDir(), "package")
	want := store.Asks{Resources: launch.Limits{Files: 2000}, Sandbox: launch.Sandbox{Exec: []string{"/usr/bin/helm"}}}
	if err := store.Pack(t.Context(), dir, binary, want); err != nil {
		t.Fatal(err)
	}
	s := open(t)
	p, err := s.Install(t.Context(), store.InstallRequest{Source: dir})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, p.Manifest.Asks); diff != "" {
		t.Errorf("asks (-want +got):\n%s", diff)
	}
	plain, err := os.ReadFile(filepath.Join(packages["one"], "driver.yaml"))
	if err != nil || strings.Contains(string(plain), "sandbox") || strings.Contains(string(plain), "resources") {
		t.Errorf("a driver that asks for nothing: %s, %v", plain, err)
	}
	bad := store.Asks{Sandbox: launch.Sandbox{Read: []string{"etc"}}}
	if err := store.Pack(t.Context(), dir, binary, bad); err == nil || !strings.Contains(err.Error(), "not an absolute path") {
		t.Errorf("a relative path: %v", err)
	}
}
