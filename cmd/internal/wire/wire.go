// Package wire joins the installed drivers to the core: the one place where
// the modules plugins and core meet.
package wire

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/cmd/internal/command"
	"github.com/go-magnum/magnum/core/config"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/plugins/attach"
	"github.com/go-magnum/magnum/plugins/launch"
	"github.com/go-magnum/magnum/plugins/store"
	"github.com/go-magnum/magnum/plugins/supervise"
)

// stopWithin bounds how long drivers may take to finish their calls.
const stopWithin = 10 * time.Second

// Driver is the source of drivers that the core is given.
type Driver struct {
	*supervise.Drivers
	store *store.Store
}

// StoreDir is where the packages are, and all that there is about drivers.
func StoreDir(c *config.Config) string { return filepath.Join(c.Default.StatePath, "drivers") }

// Store opens the packages of [DEFAULT] state_path.
func Store(c *config.Config) (*store.Store, error) {
	s, err := store.Open(StoreDir(c))
	if err != nil {
		return nil, err
	}
	s.TrustFile = c.Drivers.TrustFile
	return s, nil
}

// CrashDir is where the crashes of drivers are recorded.
func CrashDir(c *config.Config) string {
	return filepath.Join(StoreDir(c), "crashes")
}

// RunDir is where a service tells how its drivers stand.
func RunDir(c *config.Config) string { return filepath.Join(StoreDir(c), "run") }

// Drivers opens the store and stands ready to start what is in it. Attached
// has the folders of drivers that somebody else starts.
func Drivers(env command.Env, attached ...string) (*Driver, error) {
	s, err := Store(env.Config)
	if err != nil {
		return nil, err
	}
	c, err := Supervision(env, s)
	if err != nil {
		return nil, err
	}
	if c.Attach, err = folders(s, attached); err != nil {
		return nil, fmt.Errorf("attach a driver: %w", err)
	}
	return &Driver{store: s, Drivers: supervise.New(c)}, nil
}

func folders(s *store.Store, paths []string) ([]*attach.Folder, error) {
	var all []*attach.Folder
	for _, path := range paths {
		if err := s.MayAttach(); err != nil {
			return nil, err
		}
		f, err := attach.Open(path)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

// Supervision is how the configuration wants drivers to be run.
func Supervision(env command.Env, s *store.Store) (supervise.Config, error) {
	user, err := account(env.Config.Drivers.User)
	if err != nil {
		return supervise.Config{}, fmt.Errorf("[drivers] user: %w", err)
	}
	return supervise.Config{
		Store: s, Logger: env.Logger.Named("drivers"), CoreVersion: command.Version(),
		Launch:     launch.Config{Confine: launch.Confine(env.Config.Drivers.Confine), User: user},
		Unconfined: env.Config.Drivers.UnconfinedDrivers,
		Granted:    env.Config.Drivers.GrantedDrivers,
		CrashDir:   CrashDir(env.Config),
		RunDir:     RunDir(env.Config),
		Configuration: func(name string) ([]byte, error) {
			return store.Configuration(env.Config.Drivers.ConfigDir, name)
		},
		LogLevel:    func(name string) hclog.Level { return store.LogLevel(env.Config.Drivers.ConfigDir, name) },
		IdleTimeout: time.Duration(env.Config.Drivers.IdleTimeout) * time.Second,
	}, nil
}

// account finds who drivers run as; nobody in particular where there is no name.
func account(name string) (*launch.User, error) {
	if name == "" {
		return nil, nil //nolint:nilnil // it is nobody
	}
	if os.Getuid() != 0 {
		return nil, errors.New("only root can start drivers as somebody else: start the service as root, or leave it out")
	}
	u, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &launch.User{UID: uint32(uid), GID: uint32(gid)}, nil
}

// packages are those of this host.
func (d *Driver) packages() ([]store.Package, error) {
	packages, err := d.store.Packages()
	if err != nil {
		return nil, fmt.Errorf("read the driver store: %w", err)
	}
	return with(packages, d.Attached()), nil
}

// with adds drivers that are attached to those that are installed: each is the
// active version of its name.
func with(installed, attached []store.Package) []store.Package {
	for _, a := range attached {
		installed = slices.DeleteFunc(installed, func(p store.Package) bool { return p.String() == a.String() })
		for i := range installed {
			installed[i].Active = installed[i].Active && installed[i].Name != a.Name
		}
		installed = append(installed, a)
	}
	return installed
}

// Installed lists the packages of this host as the database wants them.
func (d *Driver) Installed() ([]state.Driver, error) {
	packages, err := d.packages()
	if err != nil {
		return nil, err
	}
	all := make([]state.Driver, 0, len(packages))
	for _, p := range packages {
		if p.Damage != nil {
			continue // verify and list say so; the others go on
		}
		all = append(all, state.Driver{
			Name: p.Name, Version: p.Version, Digest: p.Digest, Active: p.Active, Description: p.Description,
		})
	}
	return all, nil
}

// Standing tells how all packages of this host stand: those that were never
// asked for too, since hosts are compared by what is active on them.
func (d *Driver) Standing() ([]state.HostDriver, error) {
	packages, err := d.packages()
	if err != nil {
		return nil, err
	}
	asked := map[string]supervise.Status{}
	for _, s := range d.Status() {
		asked[s.Name+" "+s.Version] = s
	}
	all := make([]state.HostDriver, 0, len(packages))
	for _, p := range packages {
		one := state.HostDriver{Name: p.Name, Version: p.Version, Digest: p.Digest, Active: p.Active, State: string(supervise.StateInstalled)}
		if p.Damage != nil {
			one.State = string(supervise.StateRejected)
			if active, err := d.store.Resolve(p.Name, ""); err == nil {
				one.Active = active == p.Digest
			}
		}
		if s, ok := asked[p.String()]; ok {
			one.State, one.PID, one.Since = string(s.State), s.PID, s.Since
		}
		generations, err := d.store.Generations(p.Name)
		if err != nil {
			return nil, err
		}
		if len(generations) > 0 {
			one.Generation = generations[len(generations)-1].Number
		}
		all = append(all, one)
	}
	return all, nil
}

// Close stops every driver that runs, within a bounded time.
func Close(d *Driver, logger hclog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	if err := d.Close(ctx); err != nil {
		logger.Warn("a driver had to be killed", "error", err)
	}
}
