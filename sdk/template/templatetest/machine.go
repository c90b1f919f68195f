package templatetest

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Machine is a folder that plays the root of a node's file system. Programs that
// would change the real one only write down what they were asked; others than
// these and a few that change nothing are not there.
type Machine struct {
	t    *testing.T
	root string
	bin  string
}

// harmless are the real programs that a script may use.
var harmless = []string{
	"sh", "awk", "base64", "basename", "cat", "chmod", "cmp", "cp", "curl", "cut", "date", "dirname", "env", "expr", "false",
	"grep", "head", "ln", "ls", "mkdir", "mktemp", "mv", "openssl", "paste", "printf", "readlink", "rm", "sed", "seq", "sleep",
	"sort", "tail", "tee", "test", "touch", "tr", "true", "uname", "uniq", "wc", "xargs",
}

// recorded are those that only write down what they were asked, on every
// distribution; a driver adds its own with Program.
var recorded = []string{"systemctl", "modprobe", "sysctl", "iptables", "journalctl", "podman", "docker", "mount", "mkfs.xfs", "mkfs.ext4"}

// NewMachine is a machine that was started with the values of params. Those
// about the cloud it has from it, if one is given.
func NewMachine(t *testing.T, c *Cloud, params map[string]string) *Machine {
	t.Helper()
	m := &Machine{t: t, root: t.TempDir(), bin: t.TempDir()}
	own := map[string]string{}
	if c != nil {
		own = map[string]string{
			"cluster_uuid": ClusterUUID, "magnum_url": c.URL + "/v1", "auth_url": c.URL + "/v3", "trustee_user_id": "trustee",
			"trustee_password": password, "verify_ca": "True", "wait_endpoint": c.URL + "/signal", "wait_token": wait,
		}
	}
	maps.Copy(own, params)
	for name, value := range own {
		m.Write("etc/magnum/params/"+name, value)
	}
	for _, p := range harmless {
		path, err := exec.LookPath(p)
		if err != nil {
			continue // a script that needs it will say so
		}
		if err := os.Symlink(path, filepath.Join(m.bin, p)); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range recorded {
		m.Program(p, "cat >/dev/null")
	}
	m.Program("blkid", "exit 2")
	return m
}

// Volume attaches an empty Cinder volume, as the value of that name, and returns
// its device.
func (m *Machine) Volume(param, id string) string {
	m.t.Helper()
	m.Write("etc/magnum/params/"+param, id)
	dev := "dev/disk/by-id/virtio-" + id[:20]
	m.Write(dev, "")
	for _, p := range []string{"mkfs.xfs", "mkfs.ext4"} {
		m.Program(p, "touch $MAGNUM_ROOT/formatted")
	}
	m.Program("blkid", `[ -e $MAGNUM_ROOT/formatted ] && echo 1234-5678 || exit 2`)
	return m.Path(dev)
}

// Path is where a file of the machine is.
func (m *Machine) Path(path string) string { return filepath.Join(m.root, path) }

// Write writes a file of the machine, which any user may read and execute.
func (m *Machine) Write(path, text string) {
	m.t.Helper()
	write(m.t, m.Path(path), text)
}

// Program is one that logs its arguments and then does what the body says.
func (m *Machine) Program(name, body string) {
	m.t.Helper()
	path := filepath.Join(m.bin, name)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		m.t.Fatal(err) // a link to the real one must not be written through
	}
	write(m.t, path, "#!/bin/sh\necho "+name+` "$*" >>"$CALLS"`+"\n"+body+"\n")
}

// Remove takes a program away, as in an image that does not have it.
func (m *Machine) Remove(name string) {
	m.t.Helper()
	if err := os.Remove(filepath.Join(m.bin, name)); err != nil {
		m.t.Fatal(err)
	}
}

// Answer makes curl answer by itself what is not for the cloud: a case of sh
// each, on all its arguments.
func (m *Machine) Answer(cases ...string) {
	m.t.Helper()
	curl, err := exec.LookPath("curl")
	if err != nil {
		m.t.Fatal(err)
	}
	m.Program("curl", "case \"$*\" in\n"+strings.Join(cases, "\n")+"\n*) exec "+curl+" \"$@\" ;;\nesac")
}

// Calls are the programs that were called, and their arguments, a line each.
func (m *Machine) Calls() string { return m.text(m.bin + "/calls") }

// Read is a file of the machine.
func (m *Machine) Read(path string) string {
	m.t.Helper()
	return m.text(m.Path(path))
}

func (m *Machine) text(path string) string {
	m.t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		m.t.Fatal(err)
	}
	return string(b)
}

// Boot runs a script to its end and returns what it printed.
func (m *Machine) Boot(script string) (string, error) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh")
	cmd.Stdin = strings.NewReader(script)
	cmd.Env = []string{
		"PATH=" + m.bin, "CALLS=" + m.bin + "/calls", "no_proxy=127.0.0.1",
		"MAGNUM_ROOT=" + m.root, "MAGNUM_PAUSE=0", "TMPDIR=" + m.t.TempDir(),
		"MAGNUM_LIB=" + m.root + "/var/lib/magnum/lib.sh",
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Service starts a service of a node that has booted, as its unit would, and
// returns the arguments of the container that the engine, podman or docker,
// runs for it.
func (m *Machine) Service(engine, name string) []string {
	m.t.Helper()
	m.Program(engine, `if [ "$1" = run ]; then for a in "$@"; do printf '%s\n' "$a"; done >`+m.bin+`/arguments; fi`)
	if out, err := m.Boot(m.Read("var/lib/magnum/service/" + name + ".sh")); err != nil {
		m.t.Fatalf("service %s: %v\n%s", name, err, out)
	}
	return strings.Split(strings.TrimSuffix(m.text(m.bin+"/arguments"), "\n"), "\n")
}

// CheckSecrets sees that nothing secret is in any program's arguments, in what
// was printed, in a log, or in a file that others can read.
func (m *Machine) CheckSecrets(out string) {
	m.t.Helper()
	check := func(where, text string) {
		for _, canary := range []string{"word-canary", token, wait} {
			if strings.Contains(text, canary) {
				m.t.Errorf("%s holds %s", where, canary)
			}
		}
	}
	check("the output", out)
	check("the arguments of a program", m.Calls())
	err := filepath.WalkDir(m.root, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.Contains(path, "/etc/magnum/params/") {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		b, err := os.ReadFile(path)
		check(path, string(b))
		if strings.HasSuffix(path, ".key") && info.Mode().Perm() != 0o600 {
			m.t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		m.t.Error(err)
	}
}

// Certificate is one that lies on the machine.
func (m *Machine) Certificate(path string) *x509.Certificate {
	m.t.Helper()
	block, _ := pem.Decode([]byte(m.Read(path)))
	if block == nil {
		m.t.Fatalf("%s is no PEM", path)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		m.t.Fatal(err)
	}
	return cert
}
