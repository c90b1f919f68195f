package supervise

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/plugins/launch"
)

const (
	// runLimit bounds a host's file.
	runLimit = 4 << 20
	// sweepPatience is how long a process of a former host may take to go.
	sweepPatience = 5 * time.Second
)

// Host is what a service that keeps drivers tells others on its machine: how
// its drivers stand, and which processes it has.
type Host struct {
	Host      launch.Identity `json:"host"`
	UpdatedAt time.Time       `json:"updated_at"`
	Drivers   []Status        `json:"drivers"`
	Processes []HostProcess   `json:"processes"`
}

// HostProcess is a process of a driver, and what it leaves behind.
type HostProcess struct {
	launch.Identity
	SocketDir string `json:"socket_dir"`
}

// Hosts reads the files of a run directory whose hosts are alive. One that
// cannot be read is among the errors and hides no other.
func Hosts(dir string) ([]Host, error) {
	alive, _, err := readHosts(dir)
	return alive, err
}

// Gone is Hosts of those that are no more: what the next [Sweep] looks at.
func Gone(dir string) ([]Host, error) {
	_, gone, err := readHosts(dir)
	return gone, err
}

func readHosts(dir string) (alive, gone []Host, err error) {
	all, err := jsonFiles(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("read how drivers stand: %w", err)
	}
	var bad []error
	for _, name := range all {
		var h Host
		switch err := readJSON(filepath.Join(dir, name), runLimit, &h); {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			bad = append(bad, fmt.Errorf("read how drivers stand: %w", err))
		case h.Host.Alive():
			alive = append(alive, h)
		default:
			gone = append(gone, h)
		}
	}
	return alive, gone, errors.Join(bad...)
}

// Sweep ends what hosts that are no more have left: processes that are exactly
// those they had, and the directories of their sockets. A number that somebody
// else has by now is left alone.
func Sweep(dir string, logger hclog.Logger) error {
	names, err := jsonFiles(dir)
	if err != nil {
		return fmt.Errorf("sweep after a former host: %w", err)
	}
	var failures []error
	for _, name := range names {
		var h Host
		path := filepath.Join(dir, name)
		if err := readJSON(path, runLimit, &h); err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				failures = append(failures, fmt.Errorf("sweep after a former host: %w", err))
			}
			continue
		}
		if h.Host.Alive() {
			continue
		}
		whole := true
		for _, p := range h.Processes {
			ended, err := p.End(sweepPatience)
			if err != nil {
				failures, whole = append(failures, fmt.Errorf("sweep after a former host: %w", err)), false
				continue
			}
			if ended {
				logger.Warn("driver of a former host is ended", "pid", p.PID, "host", h.Host.PID)
			}
			if !p.Alive() && launch.IsSocketDir(p.SocketDir) {
				_ = os.RemoveAll(p.SocketDir)
			}
		}
		if whole {
			_ = os.Remove(path)
		}
	}
	return errors.Join(failures...)
}

// takeOver sweeps the run directory, and begins to report in it.
func (d *Drivers) takeOver() error {
	if err := os.MkdirAll(d.cfg.RunDir, 0o700); err != nil {
		return fmt.Errorf("make the directory for the state of drivers: %w", err)
	}
	if err := Sweep(d.cfg.RunDir, d.cfg.Logger); err != nil {
		d.cfg.Logger.Error("what a former host left is not all gone", "error", err)
	}
	self, err := launch.Identify(os.Getpid())
	if err != nil {
		return err
	}
	d.work.Go(func() { d.report(self) })
	d.work.Go(d.follow)
	return nil
}

// report keeps this host's file up to date until the drivers are closed.
func (d *Drivers) report(self launch.Identity) {
	path := filepath.Join(d.cfg.RunDir, fmt.Sprintf("%d-%d.json", self.PID, time.Now().UnixNano()))
	defer func() { _ = os.Remove(path) }()
	for {
		h := Host{Host: self, UpdatedAt: d.cfg.Now().UTC(), Drivers: d.Status(), Processes: d.processes()}
		text, err := json.MarshalIndent(h, "", "  ")
		if err == nil {
			err = replaceFile(path, append(text, '\n'))
		}
		if err != nil {
			d.cfg.Logger.Error("how drivers stand is not written", "error", err)
		}
		select {
		case <-d.dirty:
		case <-d.quit:
			return
		}
	}
}

// changed has the report written again, if there is one, and tells of it.
func (d *Drivers) changed() {
	for _, c := range []chan struct{}{d.dirty, d.news} {
		select {
		case c <- struct{}{}:
		default: // it is known already
		}
	}
}

// processes lists all there are, also those on their way out.
func (d *Drivers) processes() []HostProcess {
	all := []HostProcess{}
	for _, i := range d.all() {
		i.mu.Lock()
		for p := range i.live {
			all = append(all, HostProcess{Identity: p.Identity(), SocketDir: p.SocketDir()})
		}
		i.mu.Unlock()
	}
	return all
}
