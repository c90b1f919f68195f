package launch

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Confine says how much a driver's confinement matters.
type Confine string

// ConfineAvailable, which the empty string means too, applies what the kernel
// has. ConfineRequired starts nothing without Landlock, ConfineOff applies
// nothing.
const (
	ConfineAvailable Confine = "available"
	ConfineRequired  Confine = "required"
	ConfineOff       Confine = "off"
)

// Network is which TCP sockets a driver may have.
type Network string

// The networks. NetworkConnect, which the empty string means too, is what a
// driver needs to ask a cluster how it is.
const (
	NetworkNone    Network = "none"
	NetworkConnect Network = "connect"
	NetworkListen  Network = "listen" // and connect
)

// Sandbox is what a driver may do beyond what every driver may. A path stands
// for all below it.
type Sandbox struct {
	Network Network  `yaml:"network,omitempty" json:"network,omitempty"`
	Read    []string `yaml:"read,omitempty" json:"read,omitempty"`
	// Write includes to read, to make and to remove.
	Write []string `yaml:"write,omitempty" json:"write,omitempty"`
	// Exec includes to read.
	Exec []string `yaml:"exec,omitempty" json:"exec,omitempty"`
}

// Check refuses what cannot be meant.
func (s Sandbox) Check() error {
	if !slices.Contains([]Network{"", NetworkNone, NetworkConnect, NetworkListen}, s.Network) {
		return fmt.Errorf("network %q is not one of none, connect and listen", s.Network)
	}
	for _, path := range slices.Concat(s.Read, s.Write, s.Exec) {
		if !filepath.IsAbs(path) || filepath.Clean(path) != path {
			return fmt.Errorf("%q is not an absolute path in its shortest form", path)
		}
	}
	return nil
}

// With is both together; the other's network wins if it names one.
func (s Sandbox) With(other Sandbox) Sandbox {
	if other.Network != "" {
		s.Network = other.Network
	}
	s.Read = slices.Concat(s.Read, other.Read)
	s.Write = slices.Concat(s.Write, other.Write)
	s.Exec = slices.Concat(s.Exec, other.Exec)
	return s
}

// String lists what is beyond what every driver may; empty for nothing.
func (s Sandbox) String() string {
	var all []string
	if s.Network == NetworkListen {
		all = append(all, "network to listen")
	}
	for _, right := range []struct {
		word  string
		paths []string
	}{{"read", s.Read}, {"write", s.Write}, {"exec", s.Exec}} {
		for _, path := range right.paths {
			all = append(all, right.word+" "+path)
		}
	}
	return strings.Join(all, ", ")
}

// silent is what is left of it for a driver that is only asked what it is: all
// that it may need to come up.
func (s Sandbox) silent() Sandbox {
	return Sandbox{Network: NetworkNone, Read: slices.Concat(s.Read, s.Write), Exec: s.Exec}
}

// Limits bound what one process of a driver may take by mistake. They are the
// system's limits of a process, which a driver that means harm gets around by
// starting more of them.
type Limits struct {
	// MemoryMiB is for what a process writes to and shares with nobody, used
	// or not, in MiB; 4096 by default. An idle driver in Go has 130 of them, one
	// with 64 calls of 15 MiB each at once 2000.
	MemoryMiB uint64 `yaml:"memory_mib,omitempty" json:"memory_mib,omitempty"`
	// Files is how many descriptors may be open; 1024 by default.
	Files uint64 `yaml:"files,omitempty" json:"files,omitempty"`
}

const (
	memoryMiB = 4096
	openFiles = 1024
	// The least that a driver comes up with.
	leastMemoryMiB = 256
	leastFiles     = 64
)

// Check refuses what no driver can live with.
func (l Limits) Check() error {
	if l.MemoryMiB != 0 && (l.MemoryMiB < leastMemoryMiB || l.MemoryMiB > 1<<20) {
		return fmt.Errorf("memory_mib is %d, not between %d and %d", l.MemoryMiB, leastMemoryMiB, 1<<20)
	}
	if l.Files != 0 && (l.Files < leastFiles || l.Files > 1<<20) {
		return fmt.Errorf("files is %d, not between %d and %d", l.Files, leastFiles, 1<<20)
	}
	return nil
}

// String lists what is beyond the defaults; empty for nothing.
func (l Limits) String() string {
	var all []string
	if l.MemoryMiB > memoryMiB {
		all = append(all, fmt.Sprintf("%d MiB of memory", l.MemoryMiB))
	}
	if l.Files > openFiles {
		all = append(all, fmt.Sprintf("%d open files", l.Files))
	}
	return strings.Join(all, ", ")
}

func (l Limits) withDefaults() Limits {
	if l.MemoryMiB == 0 {
		l.MemoryMiB = memoryMiB
	}
	if l.Files == 0 {
		l.Files = openFiles
	}
	return l
}

// User is who a driver runs as.
type User struct{ UID, GID uint32 }
