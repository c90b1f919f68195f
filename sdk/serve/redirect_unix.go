//go:build unix && !linux

package serve

import "golang.org/x/sys/unix"

// redirect makes the descriptor to mean the same as from.
func redirect(from, to int) error { return unix.Dup2(from, to) }
