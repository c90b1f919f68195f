// Package launch starts driver processes, and ends them.
//
// It stands in for go-plugin's own launcher, whose faults an operator would
// feel: a stopped or hung driver blocks its Kill for ever, a line on stdout
// before the handshake fails the start, a grandchild that holds stderr blocks
// the stop, a driver outlives its host, and the host's whole environment is
// inherited. What is started here
//
//   - is the file that was hashed: the binary is opened once, its descriptor is
//     hashed, compared and executed;
//   - is the leader of its own process group, all of which goes with it;
//   - sees an environment of a few named variables and nothing of the host's;
//   - may use files, network and other processes only as far as it is allowed
//     to, where the kernel has Landlock;
//   - ends when the host ends, however that was, because the host holds the
//     other end of its stdin;
//   - talks TLS 1.3 with keys made for this one process, over a socket in a
//     directory of its own.
//
// Linux only: it needs /proc and process groups.
package launch
