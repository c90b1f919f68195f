package supervise

import (
	"errors"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/plugins/launch"
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
	if i.lastError != nil {
		s.LastError = redact(i.lastError.Error())
	}
	return s
}
