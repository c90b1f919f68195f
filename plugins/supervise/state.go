package supervise

import (
	"errors"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/plugins/launch"
	"github.com/go-magnum/magnum/sdk/driver"
)

// State is where a driver is between installed and stopped.
type State string

// The states.
const (
	StateInstalled State = "Installed" // never started yet
	StateStarting  State = "Starting"
	StateReady     State = "Ready"
	StateDegraded  State = "Degraded" // let a deadline or a probe pass, or waits for something itself
	StateDraining  State = "Draining" // finishes what it has; takes nothing new
	StateStopped   State = "Stopped"
	StateCrashLoop State = "CrashLoop" // crashed too often; not started for a while
	StateRejected  State = "Rejected"  // is not what was installed, or not configured as it must be
	StateDisabled  State = "Disabled"  // installed, and taken out of service by the configuration
	StateAttached  State = "Attached"  // is a process that somebody else has started
	StateDetached  State = "Detached"  // is such a driver, and has no process that can be used
)

// Status is how a driver stands.
type Status struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	PID     int    `json:"pid"` // 0 where no process runs
	State   State  `json:"state"`
	// Since is when it got into this state.
	Since    time.Time `json:"since"`
	Restarts int       `json:"restarts"`
	// Confinement is what was applied to the process, where one runs.
	Confinement string `json:"confinement,omitempty"`
	// LastError is why the last start failed, or how the last process ended.
	LastError string `json:"last_error,omitempty"`
	// Fault is the last thing that went wrong and was not the user's doing: a
	// start, the end of a process, or a call. Nil where nothing did.
	Fault *Fault `json:"fault,omitempty"`
}

// Fault is an error of a driver, and who can mend it.
type Fault struct {
	Class   string    `json:"class"`
	Blame   string    `json:"blame"`
	Message string    `json:"message"`
	At      time.Time `json:"at"`
}

// messageLimit is how much of a fault's message is kept.
const messageLimit = 1 << 10

// faulted keeps a fault; i.mu is held. Calls that fail alike, one after the
// other, are told once.
func (i *instance) faulted(class, blame, message string) {
	alike := i.fault != nil && i.fault.Class == class && i.fault.Blame == blame
	message = redact(message)
	message = strings.ToValidUTF8(message[:min(len(message), messageLimit)], "")
	i.fault = &Fault{Class: class, Blame: blame, Message: message, At: i.cfg.Now()}
	if !alike {
		i.changed()
	}
}

// answeredWith keeps the error that a process gave a call, unless it is the user's.
func (i *instance) answeredWith(err error) {
	class, blame := verdict(err)
	if blame == blameNone || blame == string(driver.BlameUser) {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.faulted(class, blame, err.Error())
}

// enter changes the state, and logs that once; i.mu is held.
func (i *instance) enter(s State, pairs ...any) {
	if i.state == s {
		return
	}
	level := hclog.Info
	switch s {
	case StateDegraded:
		level = hclog.Warn
	case StateCrashLoop, StateRejected:
		level = hclog.Error
	case StateStopped:
		if len(pairs) > 0 {
			level = hclog.Error // there is a reason
		}
	}
	i.logger.Log(level, "driver is "+string(s), append([]any{"before", string(i.state)}, pairs...)...)
	i.state, i.since = s, i.cfg.Now()
	i.changed()
}

// rejection is why a driver is not let in that another start would not change.
type rejection struct{ error }

func (r rejection) Unwrap() error { return r.error }

// rejected reports whether an attempt failed for what the driver is.
func rejected(err error) bool {
	var r rejection
	return errors.As(err, &r) || errors.Is(err, launch.ErrChanged)
}

func (i *instance) status() Status {
	i.mu.Lock()
	defer i.mu.Unlock()
	s := Status{
		Name: i.pkg.Name, Version: i.pkg.Version, State: i.state, Since: i.since, Restarts: max(i.starts-1, 0),
	}
	if i.process != nil {
		s.PID = i.process.PID()
		s.Confinement = i.process.Confinement()
	}
	if i.fault != nil {
		fault := *i.fault
		s.Fault = &fault
	}
	if i.lastError != nil {
		s.LastError = redact(i.lastError.Error())
	}
	return s
}
