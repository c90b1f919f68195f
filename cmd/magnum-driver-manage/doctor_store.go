package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-magnum/magnum/cmd/internal/wire"
	"github.com/go-magnum/magnum/plugins/launch"
	"github.com/go-magnum/magnum/plugins/store"
)

const (
	// littleSpace holds the largest archive that is taken, noSpace hardly a driver.
	littleSpace, noSpace = 512 << 20, 64 << 20
	// expiresSoon is time enough for a publisher to hand out another key.
	expiresSoon = 30 * 24 * time.Hour
	mayWrite    = "see Who may write in docs/drivers/store.md"
)

// statePath is about who may do what with the folder of the state and all that
// is below it.
func statePath(_ context.Context, c *checkup) []finding {
	path := c.env.Config.Default.StatePath
	info, err := os.Stat(path)
	if err != nil {
		return []finding{{fail, path, err.Error(), "make it for the service's user, or correct [DEFAULT] state_path"}}
	}
	if err := unix.Access(path, unix.R_OK|unix.W_OK|unix.X_OK); err != nil {
		return []finding{{fail, path, fmt.Sprintf("user %d cannot make files in it: %v", os.Geteuid(), err), "run this as root or as the service's user, or give it to them"}}
	}
	var found []finding
	if c.unread != nil {
		found = append(found, finding{fail, wire.StoreDir(c.env.Config), c.unread.Error(), "restore it; packages can be installed again"})
	}
	if c.store != nil {
		err = c.store.CheckFolder()
	} else {
		err = checkOwner(path, info)
	}
	if err != nil {
		found = append(found, finding{fail, path, err.Error(), mayWrite})
	}
	var mounted unix.Statfs_t
	if err := unix.Statfs(path, &mounted); err != nil {
		found = append(found, finding{fail, path, err.Error(), "mend its file system"})
	} else if mounted.Flags&unix.ST_NOEXEC != 0 {
		found = append(found, finding{fail, path, "it is mounted noexec: no driver can be executed", "mount it without noexec, or set [DEFAULT] state_path to another folder"})
	}
	for _, dir := range []string{wire.RunDir(c.env.Config), wire.CrashDir(c.env.Config)} {
		if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o077 != 0 {
			found = append(found, finding{warn, dir, fmt.Sprintf("it has mode %s: others may look into it", info.Mode()), "chmod 700 " + dir})
		}
	}
	return orOK(found, path, "it belongs to root or this user, and nobody else may write to it")
}

// checkOwner lets root look at what is the service's.
func checkOwner(path string, info fs.FileInfo) error {
	var owners []int
	if system, known := info.Sys().(*syscall.Stat_t); known && os.Geteuid() == 0 {
		owners = append(owners, int(system.Uid))
	}
	return launch.CheckOwner(path, owners...)
}

func disk(_ context.Context, c *checkup) []finding {
	path := c.env.Config.Default.StatePath
	var have unix.Statfs_t
	if err := unix.Statfs(path, &have); err != nil {
		return nil // told by the check of the state path
	}
	const remedy = "make room; magnum-driver-manage gc removes versions that nobody needs"
	free := have.Bavail * uint64(have.Bsize)
	what := fmt.Sprintf("%d MiB are free", free>>20)
	switch {
	case have.Files > 0 && have.Ffree == 0:
		return []finding{{fail, path, "no inode is free", remedy}}
	case free < noSpace:
		return []finding{{fail, path, what, remedy}}
	case free < littleSpace:
		return []finding{{warn, path, what + ", less than an installation may take", remedy}}
	}
	return []finding{{ok, path, what, ""}}
}

func storeLock(_ context.Context, c *checkup) []finding {
	if c.store == nil {
		return nil
	}
	pid, held, err := c.store.Holder()
	who := "a process of another machine or container"
	if pid != 0 {
		name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		who = fmt.Sprintf("process %d (%s)", pid, strings.TrimSpace(string(name)))
	}
	switch {
	case err != nil:
		return []finding{{fail, "", err.Error(), mayWrite}}
	case held:
		return []finding{{warn, "", who + " is changing the store", "if that takes longer than an installation, end it: the lock goes with it"}}
	}
	return []finding{{ok, "", "nobody holds it", ""}}
}

// packages is verify --deep of all.
func packages(ctx context.Context, c *checkup) []finding {
	var found []finding
	if !slices.ContainsFunc(c.packages, func(p store.Package) bool { return p.Active }) {
		found = append(found, finding{warn, "", "no driver is active: no cluster can be made", "magnum-driver-manage install, or enable"})
	}
	for _, p := range c.packages {
		err := p.Damage
		if err == nil {
			_, err = judge(ctx, c.store, p, true)
		}
		if err != nil {
			found = append(found, finding{fail, p.String(), err.Error(), "install it again, or remove it if nobody needs it"})
		}
	}
	return orOK(found, "", fmt.Sprintf("%d are what was installed, and say what their packages say", len(c.packages)))
}

func trust(_ context.Context, c *checkup) []finding {
	file := c.env.Config.Drivers.TrustFile
	t, err := store.LoadTrust(file)
	switch {
	case errors.Is(err, launch.ErrOwner):
		return []finding{{fail, file, err.Error(), mayWrite}}
	case err != nil:
		return []finding{{fail, file, err.Error(), "correct it: nothing can be installed"}}
	case t.Empty():
		return []finding{{warn, file, "nobody is trusted by name: unsigned packages are taken from files of this host", "see Trust in docs/drivers/store.md"}}
	}
	now := time.Now()
	var found []finding
	for _, k := range t.Keys {
		switch {
		case k.Expired(now):
			found = append(found, finding{warn, "key " + k.Name, "it expired after " + k.Expires, "ask its publisher for another, or take it out of " + file})
		case k.Expired(now.Add(expiresSoon)):
			found = append(found, finding{warn, "key " + k.Name, "it expires after " + k.Expires, "ask its publisher for another"})
		}
	}
	for _, p := range t.Publishers {
		good := 0
		for _, k := range t.Keys {
			if slices.Contains(p.Keys, k.Name) && !k.Expired(now) {
				good++
			}
		}
		if good < p.Threshold {
			found = append(found, finding{
				fail, strings.Join(p.Drivers, " "),
				fmt.Sprintf("%d keys have to sign, and %d of %s are not expired: nothing can be installed", p.Threshold, good, strings.Join(p.Keys, ", ")),
				"add keys to " + file,
			})
		}
	}
	return orOK(found, file, fmt.Sprintf("%d keys of %d publishers are good for more than 30 days", len(t.Keys), len(t.Publishers)))
}

// desired is sync --check.
func desired(ctx context.Context, c *checkup) []finding {
	dir := c.env.Config.Drivers.ConfigDir
	all, bad := store.LoadDesired(dir)
	var found []finding
	for _, err := range bad {
		found = append(found, finding{fail, dir, err.Error(), "correct the file"})
	}
	if c.store == nil {
		if len(all) > 0 {
			found = append(found, finding{warn, dir, fmt.Sprintf("%d drivers are wanted, and none is installed", len(all)), "magnum-driver-manage sync"})
		}
		return orOK(found, dir, "nothing is wanted")
	}
	for _, step := range c.store.Plan(ctx, all) {
		switch {
		case step.Err != nil:
			found = append(found, finding{fail, step.Desired.File, step.Err.Error(), "correct the file, or install what it wants"})
		case step.Action != store.ActionNone:
			found = append(found, finding{
				warn, step.Desired.File, fmt.Sprintf("%s is due: there is %s, wanted is %s", step.Action, orNone(step.From), orNone(step.To)),
				"magnum-driver-manage sync",
			})
		}
	}
	return orOK(found, dir, fmt.Sprintf("%d drivers are as they are wanted", len(all)))
}

func orNone(version string) string {
	if version == "" {
		return "none"
	}
	return version
}

// gates is about options that name drivers.
func gates(_ context.Context, c *checkup) []finding {
	conf := c.env.Config.Drivers
	var found []finding
	for _, option := range []struct {
		name    string
		drivers []string
	}{
		{"disabled_drivers", conf.DisabledDrivers}, {"enabled_beta_drivers", conf.EnabledBetaDrivers},
		{"unconfined_drivers", conf.UnconfinedDrivers}, {"granted_drivers", conf.GrantedDrivers},
		{"default_driver", []string{conf.DefaultDriver}},
	} {
		for _, name := range option.drivers {
			if name == "" || name == "*" || slices.ContainsFunc(c.packages, func(p store.Package) bool { return p.Name == name }) {
				continue
			}
			found = append(found, finding{
				warn, "[drivers] " + option.name, fmt.Sprintf("it names %q, which is not installed", name),
				"correct the name, or take it out; magnum-driver-manage list has the names",
			})
		}
	}
	return orOK(found, "[drivers]", "all drivers that options name are installed")
}

// runtimeDirs are where directories of sockets may be: here, and where services
// have, or had, theirs.
func runtimeDirs(sockets []string) []string {
	all := []string{filepath.Clean(os.TempDir())}
	for _, dir := range sockets {
		all = append(all, filepath.Dir(dir))
	}
	slices.Sort(all)
	return slices.Compact(all)
}
