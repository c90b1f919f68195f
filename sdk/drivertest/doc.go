// Package drivertest is the conformance suite of the driver contract. It asks a
// running driver, over the same connection as a conductor, for all that
// docs/contract/driver.md says can be seen from outside, so it holds for a
// driver in any language. How a process is started is the caller's: see
// [Config]. The command magnum-driver-manage conform runs it with the launcher
// that conductors have.
package drivertest
