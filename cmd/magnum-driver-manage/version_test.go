package main

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	_ "github.com/mattn/go-sqlite3"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
)

// database gives the host one with the schema in place, and clusters that are
// pinned to versions of the driver.
func (h *host) database(pins ...string) {
	h.t.Helper()
	file := filepath.Join(h.dir, "magnum.sqlite")
	connection := "sqlite:///" + file
	db, err := state.Open(h.t.Context(), state.Config{Connection: connection})
	if err != nil {
		h.t.Fatal(err)
	}
	if _, _, err := db.Upgrade(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		h.t.Fatal(err)
	}
	raw, err := sql.Open("sqlite3", file)
	if err != nil {
		h.t.Fatal(err)
	}
	defer raw.Close()
	if _, err := raw.ExecContext(h.t.Context(), "DELETE FROM cluster_driver"); err != nil {
		h.t.Fatal(err)
	}
	for i, version := range pins {
		_, err := raw.ExecContext(h.t.Context(), "INSERT INTO cluster_driver (cluster_uuid, driver, version, revision) VALUES (?, 'acme_k8s', ?, 1)",
			fmt.Sprintf("cluster-%d", i+1), version)
		if err != nil {
			h.t.Fatal(err)
		}
	}
	h.write("magnum.conf", fmt.Sprintf("[DEFAULT]\nstate_path = %s\n[database]\nconnection = %s\n", h.dir, connection))
}

func (h *host) versions() string {
	h.t.Helper()
	return strings.ReplaceAll(strings.TrimSpace(h.must("list", "-f", "value", "-c", "Version", "-c", "State")), "\n", ", ")
}

func (h *host) want(versions string) {
	h.t.Helper()
	if got := h.versions(); got != versions {
		h.t.Errorf("there is %s, want %s", got, versions)
	}
}

func TestVersionsComeAndGo(t *testing.T) {
	t.Setenv("SUDO_USER", "alice")
	h := newHost(t)
	h.database("1.0.0", "1.0.0")
	h.refused(3, "not installed", "history", "acme_k8s")
	h.refused(3, "not installed", "rollback", "acme_k8s")
	h.must("install", one, "--reason", "CHG-1")
	h.refused(43, "driver acme_k8s has no earlier version that is installed", "rollback", "acme_k8s")
	h.refused(42, "driver acme_k8s 1.0.0 is active", "remove", "acme_k8s@1.0.0")
	h.must("install", "--no-activate", two)
	h.want("1.0.0 active, 1.1.0 installed")
	h.must("gc", "--keep", "0") // what was never active waits for its time
	h.want("1.0.0 active, 1.1.0 installed")
	h.must("activate", "acme_k8s@1.1.0")
	h.want("1.0.0 installed, 1.1.0 active")

	h.refused(40, "driver acme_k8s 1.0.0 is older than the active version 1.1.0", "activate", "acme_k8s@1.0.0")
	h.want("1.0.0 installed, 1.1.0 active")
	h.must("install", "--force", one)
	h.must("install", two)
	h.must("rollback", "acme_k8s", "--reason", "nodes stay away")
	h.want("1.0.0 active, 1.1.0 installed")
	h.refused(43, "has no generation 77", "rollback", "acme_k8s", "--to", "77")
	h.must("rollback", "acme_k8s", "--to", "2")
	h.want("1.0.0 installed, 1.1.0 active")
	want := `1 1.0.0 alice CHG-1
2 1.1.0 alice activate
3 1.0.0 alice install
4 1.1.0 alice install
5 1.0.0 alice nodes stay away
6 1.1.0 alice rollback to generation 2
`
	got := h.must("history", "acme_k8s", "-f", "value", "-c", "Generation", "-c", "Version", "-c", "Who", "-c", "Why")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}

	h.refused(41, "driver acme_k8s 1.0.0 serves 2 clusters, such as cluster-1, cluster-2", "remove", "acme_k8s@1.0.0")
	if out := h.must("gc", "--keep", "0"); out != "" {
		t.Errorf("gc removes what clusters need: %s", out)
	}
	h.want("1.0.0 installed, 1.1.0 active")
	h.database("1.1.0")
	if out := h.must("gc"); out != "" {
		t.Errorf("gc removes what a rollback needs: %s", out)
	}
	if out := h.must("gc", "--keep", "1", "--dry-run"); out != "acme_k8s 1.0.0\n" {
		t.Errorf("gc --dry-run: %s", out)
	}
	h.want("1.0.0 installed, 1.1.0 active")
	h.must("gc", "--keep", "1")
	h.want("1.1.0 active")
	h.refused(43, "version \"1.0.0\" is not installed any more", "rollback", "acme_k8s", "--to", "1")
	h.refused(3, "not installed", "remove", "acme_k8s@1.0.0")
	h.refused(2, "is not NAME@VERSION", "remove", "acme_k8s")
	if got := h.installed(); got != "1 in the store\nacme_k8s 1.1.0 active\n" {
		t.Error(got)
	}

	h.must("disable", "acme_k8s")
	h.want("1.1.0 installed")
	if out := h.must("enable", "acme_k8s"); out != "acme_k8s 1.1.0 is active\n" {
		t.Errorf("enable: %s", out)
	}
	h.must("disable", "acme_k8s")
	h.refused(3, "no version of it is active", "disable", "acme_k8s")
	h.refused(41, "serves 1 clusters", "remove", "acme_k8s@1.1.0")
	h.database()
	h.must("remove", "acme_k8s@1.1.0")
	if got := h.installed(); got != "0 in the store\n" {
		t.Error(got)
	}
}

// A rollback after a rollback goes further back, and never to what is active; what
// was disabled in between is no version to go back to.
func TestRollbackGoesFurtherBack(t *testing.T) {
	h := newHost(t)
	three, err := packAs(t.TempDir(), "acme_k8s", "1.2.0")
	must(t, err)
	h.must("install", one)
	h.must("disable", "acme_k8s")
	h.must("enable", "acme_k8s")
	h.refused(43, "has no earlier version that is installed", "rollback", "acme_k8s")
	h.refused(43, "cannot go back to generation 2: it was disabled then", "rollback", "acme_k8s", "--to", "2")
	h.must("install", two)
	h.must("install", three)
	h.must("rollback", "acme_k8s")
	h.want("1.0.0 installed, 1.1.0 active, 1.2.0 installed")
	h.must("rollback", "acme_k8s")
	h.want("1.0.0 active, 1.1.0 installed, 1.2.0 installed")
	h.refused(43, "has no earlier version that is installed", "rollback", "acme_k8s")
}

// damage cuts off a file of an installed package.
func (h *host) damage(dir, name string) {
	h.t.Helper()
	file := filepath.Join(h.dir, "drivers", "store", "sha256", digestOf(read(h.t, filepath.Join(dir, "files.sha256"))), name)
	chmod(h.t, file, 0o755)
	must(h.t, os.Truncate(file, 100))
}

// Nothing leads to a version that is not what was installed.
func TestDamagedVersionIsNotActivated(t *testing.T) {
	h := newHost(t)
	h.must("install", one)
	h.must("install", two)
	h.damage(one, "driver")
	for _, args := range [][]string{{"rollback", "acme_k8s"}, {"activate", "--force", "acme_k8s@1.0.0"}, {"enable", "--force", "acme_k8s@1.0.0"}} {
		h.refused(4, "acme_k8s 1.0.0: it is not what was installed", args...)
	}
	h.want("1.0.0 installed, 1.1.0 active")
}

// What a dry run names can still be had, by clusters too.
func TestCollection(t *testing.T) {
	h := newHost(t)
	h.database()
	h.must("install", one)
	h.must("install", two)
	h.cluster("c", magnum.DriverRef{Name: "acme_k8s", Version: "1.1.0"}, nil)
	left := h.write("drivers/store/sha256/.new-1/driver", "")
	if out := h.must("gc", "--keep", "1", "--dry-run"); out != "acme_k8s 1.0.0\n.new-1\n" {
		t.Errorf("gc --dry-run: %q", out)
	}
	if _, err := os.Stat(left); err != nil {
		t.Errorf("a dry run removes: %v", err)
	}
	h.must("pin", "c", "acme_k8s@1.0.0")
	if out := h.must("gc", "--keep", "1"); out != ".new-1\n" {
		t.Errorf("gc: %q", out)
	}
	if _, err := os.Stat(filepath.Dir(left)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what an installation left is there: %v", err)
	}
	h.want("1.0.0 installed, 1.1.0 active")
}

// Clusters that cannot be asked for may be there.
func TestNothingIsRemovedWithoutTheDatabase(t *testing.T) {
	h := newHost(t)
	h.must("install", one)
	h.must("install", two)
	h.write("magnum.conf", fmt.Sprintf("[DEFAULT]\nstate_path = %s\n[database]\nconnection = sqlite:///%s\n", h.dir, filepath.Join(h.dir, "empty.sqlite")))
	h.refused(1, "ask which clusters need which driver", "remove", "acme_k8s@1.0.0")
	h.refused(1, "ask which clusters need which driver", "gc", "--keep", "0")
	h.want("1.0.0 installed, 1.1.0 active")
}
