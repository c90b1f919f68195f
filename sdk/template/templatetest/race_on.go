//go:build race

package templatetest

// slowdown is what the race detector may cost a test that measures time.
const slowdown = 20
