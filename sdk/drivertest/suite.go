package drivertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"google.golang.org/grpc"
)

// Process is a driver's process with a connection to it. After Kill nothing is
// left of it.
type Process interface {
	Conn() *grpc.ClientConn
	// Done is closed when the process is gone; Exit says then how it ended, in
	// the words "exit status N" or "killed by SIGNAL", and what it wrote last
	// on standard error.
	Done() <-chan struct{}
	Exit() (status, words string)
	Signal(sig syscall.Signal)
	// HangUp closes the host's end of standard input, as a host that dies does.
	HangUp()
	Kill() error
}

// Config is what the suite needs. Start and Describe are required.
type Config struct {
	// Start starts the driver and waits until it has a connection. The suite
	// calls it again for each rule that ends the process.
	Start func(ctx context.Context) (Process, error)
	// Describe runs the describe subcommand and returns what it printed.
	Describe func(ctx context.Context) ([]byte, error)
	// Claim is what the driver's package says of it; nil for an executable
	// without one.
	Claim *Claim
	// Rules limits the run to these; empty is all.
	Rules []string
	// Patience is how long anything may take that is not to be hurried; 10 s by
	// default. A rule may take six times as long.
	Patience time.Duration
}

// Claim is what a manifest says.
type Claim struct {
	Name, Version string
	Services      []string
}

// Verdict is what the suite says of a rule.
type Verdict string

// The verdicts.
const (
	Pass Verdict = "pass"
	Fail Verdict = "fail"
	// Skipped is for a rule about something that the driver does not have, or
	// that cannot be looked at because another rule is broken.
	Skipped Verdict = "skipped"
)

// Result is the outcome of one rule.
type Result struct {
	Rule    string // DRV-nnn
	Name    string // what it is about, in a few words
	Verdict Verdict
	Reason  string // why it failed or was skipped, in short
	// Faults are all reasons of a failure, where a rule looks at many things.
	Faults []string
}

// Rule is one that the suite checks.
type Rule struct {
	ID, Name string
	check    func(context.Context, *session) error
}

// skip is why a rule was not looked at.
type skip string

func (s skip) Error() string { return string(s) }

// Run checks the rules in order. It fails only if it cannot run at all: what a
// driver does wrong is in the results.
func Run(ctx context.Context, cfg Config) ([]Result, error) {
	if cfg.Start == nil || cfg.Describe == nil {
		return nil, errors.New("drivertest.Config: Start and Describe are required")
	}
	if cfg.Patience <= 0 {
		cfg.Patience = 10 * time.Second
	}
	all := Rules()
	for _, id := range cfg.Rules {
		if !slices.ContainsFunc(all, func(r Rule) bool { return r.ID == id }) {
			return nil, fmt.Errorf("rule %q is not one that the suite checks", id)
		}
	}
	authority, err := newAuthority()
	if err != nil {
		return nil, err
	}
	s := &session{cfg: cfg, authority: authority}
	var results []Result
	for _, r := range all {
		if len(cfg.Rules) > 0 && !slices.Contains(cfg.Rules, r.ID) {
			continue
		}
		results = append(results, s.run(ctx, r))
		if ctx.Err() != nil {
			return nil, errors.Join(ctx.Err(), s.close())
		}
	}
	return results, s.close()
}

func (s *session) run(ctx context.Context, r Rule) Result {
	ctx, cancel := context.WithTimeout(ctx, 6*s.cfg.Patience)
	defer cancel()
	out := Result{Rule: r.ID, Name: r.Name, Verdict: Pass}
	err := r.check(ctx, s)
	var skipped skip
	switch {
	case errors.As(err, &skipped):
		out.Verdict, out.Reason = Skipped, string(skipped)
	case err != nil:
		out.Verdict, out.Reason = Fail, err.Error()
		all := faults{err}
		errors.As(err, &all)
		for _, fault := range all {
			out.Faults = append(out.Faults, fault.Error())
		}
	}
	return out
}
