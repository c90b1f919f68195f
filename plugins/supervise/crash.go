package supervise

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// crashesKept is how many records of one driver are kept.
	crashesKept = 20
	// crashLimit bounds the size of a record that is read; what is written is
	// far below it.
	crashLimit = 4 << 20
	// callsKept bounds the calls in a record.
	callsKept = 64
)

// Crash is the record of a driver's process that ended without being told to.
type Crash struct {
	ID        string    `json:"id"`
	Driver    string    `json:"driver"`
	Version   string    `json:"version"`
	Digest    string    `json:"digest"`
	PID       int       `json:"pid"`
	StartedAt time.Time `json:"started_at"`
	EndedAt   time.Time `json:"ended_at"`
	// Cause is exit, signal, panic or hang.
	Cause      string `json:"cause"`
	ExitStatus int    `json:"exit_status"`
	Signal     string `json:"signal,omitempty"`
	// LastWords are the end of its standard error, Trace its panic or the
	// goroutine dump it was asked for.
	LastWords string `json:"last_words,omitempty"`
	Trace     string `json:"trace,omitempty"`
	// Calls are those it did not answer, oldest first.
	Calls []CrashCall `json:"calls,omitempty"`
}

// CrashCall is a call that was in flight.
type CrashCall struct {
	Method  string  `json:"method"`
	Seconds float64 `json:"seconds"`
}

// cause is why a process ended; the instance's lock is held.
func (p *process) cause() string {
	trace := p.Trace()
	switch _, signal := p.Code(); {
	case p.hung:
		return "hang"
	case signal != "":
		return "signal"
	case strings.HasPrefix(trace, "panic: "), strings.HasPrefix(trace, "fatal error: "):
		return "panic"
	}
	return "exit"
}

// crashOf describes the end of a process.
func (i *instance) crashOf(p *process, calls []openCall, now time.Time) Crash {
	status, signal := p.Code()
	_, words := p.Exit()
	c := Crash{
		ID:     fmt.Sprintf("%s-%s-%d", i.pkg.Name, now.UTC().Format("20060102T150405.000000000"), p.PID()),
		Driver: i.pkg.Name, Version: i.pkg.Version, Digest: i.pkg.Digest, PID: p.PID(),
		StartedAt: p.started.UTC(), EndedAt: now.UTC(),
		Cause: p.cause(), ExitStatus: status, Signal: signal,
		LastWords: redact(words), Trace: redact(p.Trace()),
	}
	for _, call := range calls[:min(len(calls), callsKept)] {
		c.Calls = append(c.Calls, CrashCall{Method: call.method, Seconds: now.Sub(call.since).Seconds()})
	}
	return c
}

// write keeps the record in a directory, and of the driver's older ones those
// that there is room for.
func (c Crash) write(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("keep the record of a crash: %w", err)
	}
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("keep the record of a crash: %w", err)
	}
	if err := replaceFile(filepath.Join(dir, c.ID+".json"), append(text, '\n')); err != nil {
		return fmt.Errorf("keep the record of a crash: %w", err)
	}
	all, err := jsonFiles(dir)
	if err != nil {
		return fmt.Errorf("read the records of crashes: %w", err)
	}
	all = slices.DeleteFunc(all, func(name string) bool { return driverOf(name) != c.Driver })
	for _, old := range all[:max(len(all)-crashesKept, 0)] {
		if err := os.Remove(filepath.Join(dir, old)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove the record of an old crash: %w", err)
		}
	}
	return nil
}

// driverOf cuts time and process from the name of a record.
func driverOf(file string) string {
	parts := strings.Split(file, "-")
	return strings.Join(parts[:max(len(parts)-2, 0)], "-")
}

// Crashes reads the records in a directory, oldest first. A record that cannot
// be read is among the errors and hides no other.
func Crashes(dir string) ([]Crash, error) {
	names, err := jsonFiles(dir)
	if err != nil {
		return nil, fmt.Errorf("read the records of crashes: %w", err)
	}
	var (
		crashes []Crash
		bad     []error
	)
	for _, name := range names {
		var c Crash
		if err := readJSON(filepath.Join(dir, name), crashLimit, &c); err != nil {
			bad = append(bad, fmt.Errorf("read the record of a crash: %w", err))
			continue
		}
		crashes = append(crashes, c)
	}
	slices.SortStableFunc(crashes, func(a, b Crash) int { return a.EndedAt.Compare(b.EndedAt) })
	return crashes, errors.Join(bad...)
}
