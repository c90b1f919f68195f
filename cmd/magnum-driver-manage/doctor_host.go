package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/go-magnum/magnum/cmd/internal/wire"
	"github.com/go-magnum/magnum/plugins/launch"
	"github.com/go-magnum/magnum/plugins/supervise"
)

// landlockWhole is the version of Landlock that holds all that
// docs/drivers/processes.md promises.
const landlockWhole = 6

// kernel is about what drivers are started and confined with. Seccomp is not
// among it: nothing here needs it.
func kernel(_ context.Context, c *checkup) []finding {
	return append(landlock(launch.Confine(c.env.Config.Drivers.Confine)),
		able("no_new_privs", noNewPrivs()), able("execution by descriptor", executeByDescriptor()), able("process descriptors", pidfd()))
}

// landlock also tells whether confine = required can be had.
func landlock(confine launch.Confine) []finding {
	const about = "Landlock"
	version, err := launch.LandlockVersion()
	switch {
	case confine == launch.ConfineOff:
		return []finding{{warn, about, "[drivers] confine is off: drivers may do what the service's user may", "set it to available or required"}}
	case err != nil && confine == launch.ConfineRequired:
		return []finding{{fail, about, err.Error() + ", and [drivers] confine is required: no driver is started", "start a kernel with Landlock, or set it to available"}}
	case err != nil:
		return []finding{{warn, about, err.Error() + ": drivers may read what the service's user may", "start a kernel with Landlock, or set [drivers] user"}}
	case version < landlockWhole:
		return []finding{{warn, about, fmt.Sprintf("the kernel has version %d, and before %d it does not hold all: see Confinement in docs/drivers/processes.md", version, landlockWhole), "start a newer kernel"}}
	}
	return []finding{{ok, about, fmt.Sprintf("the kernel has version %d", version), ""}}
}

func able(about string, err error) finding {
	if err != nil {
		return finding{fail, about, err.Error() + ": no driver is started", "mend the kernel, or what keeps this process from it"}
	}
	return finding{ok, about, "the kernel has it", ""}
}

func noNewPrivs() error {
	if _, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("ask for no_new_privs: %w", err)
	}
	return nil
}

// executeByDescriptor asks what every start of a driver does, of this program.
func executeByDescriptor() error {
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		return err
	}
	defer func() { _ = self.Close() }()
	path := fmt.Sprintf("/proc/self/fd/%d", self.Fd())
	if err := unix.Access(path, unix.X_OK); err != nil {
		return fmt.Errorf("execute %s: %w", path, err)
	}
	return nil
}

func pidfd() error {
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		return fmt.Errorf("open a process: %w", err)
	}
	return unix.Close(fd)
}

// processes is about seeing those of drivers and services.
func processes(context.Context, *checkup) []finding {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return []finding{{fail, "/proc", err.Error(), "mount it"}}
	}
	return []finding{procMount(string(mounts), os.Geteuid())}
}

// procMount looks at the mount of /proc, of which the last counts.
func procMount(mounts string, uid int) finding {
	hidden := ""
	for line := range strings.Lines(mounts) {
		fields := strings.Fields(line)
		const pointField = 4
		if len(fields) <= pointField || fields[pointField] != "/proc" {
			continue
		}
		hidden = ""
		for _, option := range strings.Split(fields[len(fields)-1], ",") {
			if value, is := strings.CutPrefix(option, "hidepid="); is && value != "0" && value != "off" {
				hidden = option
			}
		}
	}
	if hidden != "" && uid != 0 {
		return finding{
			warn, "/proc", "it is mounted with " + hidden + ": of other users' processes nothing is seen",
			"run status and this as root or as the service's user; let the service's group see them with gid=",
		}
	}
	return finding{ok, "/proc", "processes are seen", ""}
}

func account(_ context.Context, c *checkup) []finding {
	name := c.env.Config.Drivers.User
	if c.store == nil {
		return nil
	}
	if _, err := wire.Supervision(c.env, c.store); err != nil {
		return []finding{{fail, name, err.Error(), "make the user, or correct [drivers] user"}}
	}
	if name == "" {
		name = "the service's"
	}
	return []finding{{ok, name, "drivers can run as this user", ""}}
}

// services is about those on this host, and how their drivers stand.
func services(_ context.Context, c *checkup) []finding {
	var found []finding
	hosts, err := supervise.Hosts(wire.RunDir(c.env.Config))
	if err != nil {
		found = append(found, finding{fail, wire.RunDir(c.env.Config), err.Error(), "remove the file once its service is stopped"})
	}
	for _, h := range hosts {
		for _, d := range h.Drivers {
			v, remedy := standing(d)
			if v != ok {
				about := fmt.Sprintf("%s %s of service %d", d.Name, d.Version, h.Host.PID)
				found = append(found, finding{v, about, strings.TrimSuffix(fmt.Sprintf("%s: %s", d.State, d.LastError), ": "), remedy})
			}
		}
	}
	return orOK(found, "", fmt.Sprintf("%d run here, with no driver in trouble", len(hosts)))
}

func standing(d supervise.Status) (v verdict, remedy string) {
	switch {
	case d.State == supervise.StateCrashLoop:
		return fail, "magnum-driver-manage crashes --driver " + d.Name + "; rollback, if it began with a version"
	case d.State == supervise.StateRejected:
		return fail, "magnum-driver-manage verify, and look at its file in drivers.d"
	case d.State == supervise.StateDegraded:
		return warn, "see what it waits for in the service's log"
	case d.State == supervise.StateStopped && d.LastError != "":
		return warn, "magnum-driver-manage crashes --driver " + d.Name
	}
	return ok, ""
}

// leftovers are of services that are no more.
func leftovers(_ context.Context, c *checkup) []finding {
	const remedy = "the next service that starts on this host takes it away"
	run := wire.RunDir(c.env.Config)
	gone, _ := supervise.Gone(run) // what cannot be read is told with the services
	var (
		found   []finding
		sockets []string
	)
	for _, h := range gone {
		found = append(found, finding{
			warn, run, fmt.Sprintf("service %d ended without taking its record away", h.Host.PID), remedy + "; see why it was killed",
		})
		for _, p := range h.Processes {
			sockets = append(sockets, p.SocketDir)
			if p.Alive() {
				found = append(found, finding{
					fail, fmt.Sprintf("process %d", p.PID), fmt.Sprintf("it is a driver of service %d, which is no more", h.Host.PID),
					fmt.Sprintf("kill -9 -%d, or start the service, which ends it", p.PID),
				})
			}
		}
	}
	var failures error
	for _, dir := range runtimeDirs(sockets) {
		abandoned, err := launch.Abandoned(dir)
		failures = errors.Join(failures, err)
		for _, path := range abandoned {
			found = append(found, finding{warn, path, "a driver's directory that no driver has a socket in", "rm -r " + path})
		}
	}
	if failures != nil {
		found = append(found, finding{fail, "/proc/net/unix", failures.Error(), "mount /proc"})
	}
	return orOK(found, "", "no process, directory or record of a former service")
}
