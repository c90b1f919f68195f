//go:build !race

package templatetest

const slowdown = 1
