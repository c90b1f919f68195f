package supervise_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/plugins/launch"
	"github.com/go-magnum/magnum/plugins/supervise"
)

func TestHostTellsHowDriversStand(t *testing.T) {
	cfg := config(t)
	cfg.RunDir = filepath.Join(t.TempDir(), "run")
	d := supervise.New(cfg)
	get(t, d)
	var told supervise.Host
	until(t, "the driver is ready", func() bool {
		hosts, err := supervise.Hosts(cfg.RunDir)
		if err != nil {
			t.Fatal(err)
		}
		if len(hosts) == 1 {
			told = hosts[0]
		}
		return len(told.Drivers) == 1 && told.Drivers[0].State == supervise.StateReady
	})
	now := only(t, d)
	if diff := cmp.Diff(now.Since.UTC(), told.Drivers[0].Since.UTC()); diff != "" {
		t.Errorf("since (-want +got):\n%s", diff)
	}
	told.Drivers[0].Since = now.Since
	if diff := cmp.Diff([]supervise.Status{now}, told.Drivers); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if told.Host.PID != os.Getpid() || len(told.Processes) != 1 || told.Processes[0].PID != now.PID || !told.Processes[0].Alive() {
		t.Errorf("got %+v", told)
	}
	if err := d.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if files, _ := os.ReadDir(cfg.RunDir); len(files) > 0 {
		t.Errorf("left after Close: %v", files)
	}
}

// leftover is a process of a host that is no more, with the file that the host
// has left, and a directory for a socket.
func leftover(t *testing.T, run string, change func(*supervise.Host)) (pid int, gone <-chan struct{}, socketDir string) {
	t.Helper()
	p, err := testStore.Find("test-driver", "")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(p.Binary())
	cmd.Env = []string{"TESTDRIVER_MODE=silent"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-ended })
	pid = cmd.Process.Pid

	socketDir, err = os.MkdirTemp(t.TempDir(), "driver-")
	if err != nil {
		t.Fatal(err)
	}
	id, err := launch.Identify(pid)
	if err != nil {
		t.Fatal(err)
	}
	id.SHA256 = p.BinaryDigest
	until(t, "it is executed", id.Alive)
	host, err := launch.Identify(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	host.StartTime-- // another process, which had our number
	h := supervise.Host{Host: host, Processes: []supervise.HostProcess{{Identity: id, SocketDir: socketDir}}}
	change(&h)
	text, err := json.Marshal(h)
	if err == nil {
		err = os.WriteFile(filepath.Join(run, "1-1.json"), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return pid, ended, socketDir
}

func TestSweep(t *testing.T) {
	tests := []struct {
		name                  string
		change                func(*supervise.Host)
		ended, dirGone, filed bool
	}{
		{"a leftover", func(*supervise.Host) {}, true, true, false},
		{"its host lives", func(h *supervise.Host) { h.Host.StartTime++ }, false, false, true},
		{"the number is somebody else's", func(h *supervise.Host) { h.Processes[0].StartTime++ }, false, true, false},
		{"another boot", func(h *supervise.Host) { h.Processes[0].BootID = "another" }, false, true, false},
		{"another executable", func(h *supervise.Host) { h.Processes[0].SHA256 = strings.Repeat("0", 64) }, false, true, false},
		{"no executable named", func(h *supervise.Host) { h.Processes[0].SHA256 = "" }, false, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			run := t.TempDir()
			pid, gone, dir := leftover(t, run, tt.change)
			if err := supervise.Sweep(run, hclog.New(&hclog.LoggerOptions{Output: io.Discard})); err != nil {
				t.Error(err)
			}
			if tt.ended {
				<-gone
			} else if !exists(pid) {
				t.Error("the process was ended")
			}
			if _, err := os.Stat(dir); os.IsNotExist(err) != tt.dirGone {
				t.Errorf("the socket's directory: %v", err)
			}
			if _, err := os.Stat(filepath.Join(run, "1-1.json")); (err == nil) != tt.filed {
				t.Errorf("the host's file: %v", err)
			}
		})
	}
}

// What is not a socket's directory is not removed, whatever a file says.
func TestSweepRemovesSocketDirsOnly(t *testing.T) {
	run, home := t.TempDir(), t.TempDir()
	link := filepath.Join(home, "driver-link")
	if err := os.Symlink(home, link); err != nil {
		t.Fatal(err)
	}
	var processes []string
	for _, dir := range []string{home, link, filepath.Join(home, "nothing")} {
		processes = append(processes, fmt.Sprintf(`{"pid": 1, "boot_id": "x", "sha256": "y", "socket_dir": %q}`, dir))
	}
	text := `{"host": {"pid": 1, "boot_id": "x"}, "processes": [` + strings.Join(processes, ",") + `]}`
	if err := os.WriteFile(filepath.Join(run, "1-1.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := supervise.Sweep(run, hclog.NewNullLogger()); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(link); err != nil {
		t.Error(err)
	}
}
