// Package supervise keeps driver processes: it starts one when it is first
// asked for, notices when it has died or hangs, and starts another.
//
// Whoever calls a driver sees none of that. What [Drivers.Get] returns works
// across processes: each call has a deadline, waits its turn where a driver is
// busy, goes to the process there is, and goes once more to a fresh one if the
// first was cut off. That is sound because a driver's answers are pure
// functions of its requests.
//
// An instance is one version. Its process is started by the first call, probed
// while it runs, stopped when nobody needs it, and after crashes started ever
// more rarely, until a breaker opens. Another version that becomes active is
// started beside it and takes its place when it is ready. Crashes are recorded
// in files, and so is how the drivers stand and which processes there are, for
// whoever comes after a service that was killed.
//
// All failures come out as *driver.Error.
package supervise
