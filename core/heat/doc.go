// Package heat is the core's way to Heat: stacks are ensured rather than
// created, so that repeating a call after a crash finds the first one's stack;
// secrets are filled into parameters here and nowhere else.
//
// Errors are [magnum.Error]: Invalid and Forbidden carry Heat's own words,
// NotFound and Conflict are what they say, Unauthorized means that the session
// no longer works, and Unavailable that asking again later may help.
package heat
