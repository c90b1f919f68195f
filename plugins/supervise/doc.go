// Package supervise keeps driver processes: it starts one when it is first
// asked for, notices when it has died or hangs, and starts another.
//
// Whoever calls a driver sees none of that. What [Drivers.Get] returns works
// across processes: each call has a deadline, waits its turn where a driver is
// busy, goes to the process there is, and goes once more to a fresh one if the
// first was cut off. That is sound because a driver's answers are pure
// functions of its requests. All failures come out as *driver.Error.
package supervise
