//go:build !race

package atomic_test

const slowdown = 1
