package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/containerinfra/v1/clusters"
)

// author is who has a driver run in a folder and a magnum-dev that attaches it.
type author struct {
	*lab
	folder string
}

func newAuthor(t *testing.T) *author {
	t.Helper()
	a := &author{lab: &lab{t: t, dir: t.TempDir(), logs: &logs{}}}
	a.folder, a.conf = filepath.Join(a.dir, "at"), filepath.Join(a.dir, "magnum.conf")
	t.Cleanup(a.makeWritable)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the processes said:\n%s", a.logs.tail(20000))
		}
	})
	return a
}

func (a *author) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(executable(a.t, name), args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + a.dir, "TMPDIR=" + os.TempDir()}
	return cmd
}

// serve has the driver run; the process that is returned is the driver's own.
func (a *author) serve(program ...string) *process {
	a.t.Helper()
	cmd := a.command("magnum-driver-manage", append([]string{"run", "--dir", a.folder}, program...)...)
	cmd.Env = append(cmd.Env, "MAGNUM_DRIVER_SOCKET=/of/another/folder") // left in the author's shell
	return a.run(cmd)
}

// dev starts the service and waits for it to answer.
func (a *author) dev(args ...string) {
	a.t.Helper()
	a.run(a.command("magnum-dev", append([]string{"--dir", a.dir, "--listen", "127.0.0.1:0", "--server-delay", "200ms"}, args...)...))
	poll(a.t, 30*time.Second, "magnum-dev to answer", func() (bool, error) {
		return strings.Contains(a.logs.String(), "# state is in "), nil
	})
	a.url = regexp.MustCompile(`the API takes requests: address=(\S+)`).FindStringSubmatch(a.logs.String())[1]
}

// standing is a row of magnum-driver-manage status.
type standing struct{ Name, State, PID, Confinement, LastError string }

func (a *author) standing(name string) standing {
	a.t.Helper()
	out, err := a.command("magnum-driver-manage", "status", "-f", "json", "--config-file", a.conf).Output()
	if err != nil {
		a.t.Fatal(err)
	}
	var rows []map[string]string
	if err := json.Unmarshal(out, &rows); err != nil {
		a.t.Fatalf("%v: %s", err, out)
	}
	for _, r := range rows {
		if r["Name"] == name {
			return standing{r["Name"], r["State"], r["PID"], r["Confinement"], r["Last Error"]}
		}
	}
	return standing{}
}

func (a *author) untilState(name, state string) standing {
	a.t.Helper()
	var s standing
	poll(a.t, 20*time.Second, "driver "+name+" to be "+state, func() (bool, error) {
		s = a.standing(name)
		return s.State == state, nil
	})
	return s
}

// TestAttach makes a cluster with a driver that its author has started, which is
// killed on the way and started again, and then stands still for longer than any
// driver of the service's own may.
func TestAttach(t *testing.T) {
	t.Parallel()
	const name = "k8s_fedora_coreos_v1"
	a := newAuthor(t)
	packages := filepath.Join(a.dir, "packages")
	// The driver is installed too, which makes no difference.
	if err := errors.Join(os.Mkdir(packages, 0o755), os.Symlink(packageDir, filepath.Join(packages, "atomic")),
		os.Symlink(testPackageDir, filepath.Join(packages, "test"))); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(testPackageDir, "driver")
	p := a.serve(binary)
	poll(t, 20*time.Second, "the driver to serve", func() (bool, error) { return strings.Contains(a.logs.String(), "serving, to be attached to"), nil })
	a.dev("--drivers", packages, "--attach", a.folder)
	for _, banner := range []string{"# ATTACHED: what serves in " + a.folder, "[WARN]  magnum-dev.drivers: DRIVER IS ATTACHED: ", "attach it with: magnum-dev --attach " + a.folder} {
		if !strings.Contains(a.logs.String(), banner) {
			t.Errorf("nobody said %q", banner)
		}
	}
	want := standing{Name: name, State: "Attached", PID: strconv.Itoa(p.cmd.Process.Pid), Confinement: "none: attached at " + a.folder}
	if got := a.standing(name); got != want {
		t.Errorf("status is %+v, want %+v", got, want)
	}

	user := a.clientWith(openRC(t, a.dir, "demo"))
	template := a.templateOf(user, "fedora-coreos-latest", "flannel")
	id := a.create(user, template, "debugged", 1, 1)
	_ = p.cmd.Process.Kill()
	p.died(t, 10*time.Second)
	a.untilState(name, "Detached")
	poll(t, time.Minute, "the cluster to wait for its driver", func() (bool, error) {
		return strings.HasSuffix(a.cluster(user, id).StatusReason, name+" 1.0.0 is attached, and has no process that can be used"), nil
	})
	p = a.serve(binary)
	if got := a.waitStatus(user, id, "CREATE_COMPLETE", time.Minute); len(got.NodeAddresses) != 1 || len(got.MasterAddresses) != 1 {
		t.Errorf("the cluster has masters %v and nodes %v, want one of each", got.MasterAddresses, got.NodeAddresses)
	}

	// Another driver, which is the service's own, shows when the time is up.
	own := a.create(user, a.template(user), "own", 1, 1)
	a.waitStatus(user, own, "CREATE_COMPLETE", time.Minute)
	ours, err := strconv.Atoi(a.untilState("k8s_fedora_atomic_v1", "Ready").PID)
	if err != nil {
		t.Fatal(err)
	}
	pids := []int{p.cmd.Process.Pid, ours}
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
	}
	nodes := 2
	if _, err := clusters.Resize(t.Context(), user, id, clusters.ResizeOpts{NodeCount: &nodes}).Extract(); err != nil {
		t.Fatal(err)
	}
	poll(t, 2*time.Minute, "the service to give its own driver up", func() (bool, error) {
		return strings.Contains(a.logs.String(), fmt.Sprintf("process %d did not answer 3 probes in a row", ours)), nil
	})
	if got := a.standing(name); got.State != "Attached" || got.PID != strconv.Itoa(p.cmd.Process.Pid) {
		t.Errorf("status is %+v", got)
	}
	if got := a.cluster(user, id); got.Status != "UPDATE_IN_PROGRESS" {
		t.Errorf("the cluster is %s: %s", got.Status, got.StatusReason)
	}
	if err := syscall.Kill(p.cmd.Process.Pid, syscall.SIGCONT); err != nil {
		t.Fatalf("it was ended: %v", err)
	}
	if got := a.waitStatus(user, id, "UPDATE_COMPLETE", time.Minute); len(got.NodeAddresses) != 2 {
		t.Errorf("the cluster has nodes %v, want two", got.NodeAddresses)
	}
	if n := strings.Count(a.logs.String(), "DRIVER IS ATTACHED"); n != 2 {
		t.Errorf("it was attached %d times, want twice", n)
	}
	p.stop(t)
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("the driver ends with %d", code)
	}
}

// TestAttachPython has a driver in another language attached, killed and attached
// again.
func TestAttachPython(t *testing.T) {
	t.Parallel()
	needsPython(t)
	a := newAuthor(t)
	sources := filepath.Join(a.dir, "driver")
	if err := os.CopyFS(sources, os.DirFS("../../../sdk/driverpb/python")); err != nil {
		t.Fatal(err)
	}
	messages, err := os.ReadFile("../../../sdk/driverpb/baseline.binpb")
	if err == nil {
		err = os.WriteFile(filepath.Join(sources, "contract.binpb"), messages, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	p := a.serve("/usr/bin/python3", sources)
	a.dev("--attach", a.folder)
	user := a.clientWith(openRC(t, a.dir, "demo"))
	template := a.templateOf(user, "fedora-latest", "")
	_ = p.cmd.Process.Kill()
	p.died(t, 10*time.Second)
	a.untilState("k8s_python_v1", "Detached")
	id := a.create(user, template, "python", 1, 1)
	p = a.serve("/usr/bin/python3", sources)
	a.waitStatus(user, id, "CREATE_COMPLETE", time.Minute)
	_ = p.cmd.Process.Signal(os.Interrupt)
	p.died(t, 10*time.Second)
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("the driver ends with %d", code)
	}
	// Keys that others may read are no keys.
	if err := os.Chmod(filepath.Join(a.folder, "driver.json"), 0o644); err != nil {
		t.Fatal(err)
	}
	p = a.serve("/usr/bin/python3", sources)
	p.died(t, 10*time.Second)
	if !strings.Contains(a.logs.String(), "PermissionError: others may use the keys of the connection") {
		t.Error("it does not mind who reads its keys")
	}
}

// TestAttachIsRefused looks at what is said where a driver is not attached.
func TestAttachIsRefused(t *testing.T) {
	t.Parallel()
	a := newAuthor(t)
	if out, err := a.command("magnum-driver-manage", "run", "--dir", a.folder).Output(); err != nil || string(out) !=
		"# attach it with: magnum-dev --attach "+a.folder+"\nMAGNUM_DRIVER_SOCKET="+a.folder+"/socket\nMAGNUM_DRIVER_KEYS_FILE="+a.folder+"/driver.json\n" {
		t.Fatalf("run prints %q, %v", out, err)
	}
	conf := filepath.Join(a.dir, "attach.conf")
	text := "[DEFAULT]\nstate_path = " + a.dir + "\n[database]\nconnection = sqlite:///" + filepath.Join(a.dir, "none") + "\n[drivers]\nattach = " + a.folder + "\n"
	public := strings.TrimSpace(string(output(t, a.command("magnum-driver-manage", "keys", "generate", filepath.Join(a.dir, "acme")))))
	trust := fmt.Sprintf("keys: [{name: acme, public: %s}]\npublishers: [{drivers: [acme], keys: [acme]}]\n", public)
	trusting := filepath.Join(a.dir, "trusting")
	if err := errors.Join(os.WriteFile(conf, []byte(text), 0o600), os.Mkdir(trusting, 0o700),
		os.WriteFile(filepath.Join(trusting, "driver-trust.yaml"), []byte(trust), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, args, want string }{
		{"magnum-api", "--config-file " + conf, "[drivers] attach is for magnum-dev only"},
		{"magnum-conductor", "--config-file " + conf, "[drivers] attach is for magnum-dev only"},
		{"magnum-conductor", "--attach " + a.folder, "unknown flag: --attach"},
		{"magnum-dev", "--dir " + trusting + " --attach " + a.folder, "a process that is attached is signed by nobody"},
		{"magnum-dev", "--attach " + a.dir + "/nowhere", "magnum-driver-manage run makes"},
		{"magnum-driver-manage", "run --dir " + a.folder + " no-such-program", "executable file not found"},
	} {
		args := strings.Fields(tt.args)
		if tt.name == "magnum-dev" {
			args = append(args, "--listen", "127.0.0.1:0")
		}
		out, err := a.command(tt.name, args...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), tt.want) {
			t.Errorf("%s %s: %v, want %q in\n%s", tt.name, tt.args, err, tt.want, out)
		}
	}

	// A process with the keys of another folder, in this one's place.
	other := filepath.Join(a.dir, "other")
	output(t, a.command("magnum-driver-manage", "run", "--dir", other))
	cmd := exec.Command(filepath.Join(testPackageDir, "driver"))
	cmd.Env = []string{"MAGNUM_DRIVER_SOCKET=" + a.folder + "/socket", "MAGNUM_DRIVER_KEYS_FILE=" + other + "/driver.json"}
	a.run(cmd)
	alone := filepath.Join(a.dir, "dev.conf") // the option, for magnum-dev alone
	if err := os.WriteFile(alone, []byte("[drivers]\nattach = "+a.folder+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	a.dev("--config-file", alone)
	s := a.untilState("", "Rejected")
	if !strings.Contains(s.LastError, "it must have been started with what magnum-driver-manage run prints") {
		t.Errorf("status says %q", s.LastError)
	}
}

func output(t *testing.T, cmd *exec.Cmd) []byte {
	t.Helper()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", cmd.Args, err)
	}
	return out
}
