package launch

import "syscall"

// Signal sends a signal to the process and its group, if they are there.
func (p *Process) Signal(sig syscall.Signal) { p.child.signal(sig) }

// HangUp closes the host's end of the driver's standard input, as the host's
// own end would: the driver is to end by itself.
func (p *Process) HangUp() { _ = p.stdin.Close() }
