package launch

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// binaryFD is the lowest descriptor for an open binary. The files that a child
// inherits are numbered from 3 on, and must not land on it before the exec.
const binaryFD = 64

// ErrChanged is wrapped by the error for a binary that is not what was
// installed.
var ErrChanged = errors.New("the driver's binary")

// binary is an open executable whose content has been verified.
type binary struct{ file *os.File }

// openBinary opens path, and refuses it if its content is not of the digest.
// What is executed later is this descriptor: replacing the file in between
// changes nothing.
func openBinary(path, digest string) (*binary, error) {
	opened, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the driver's binary: %w", err)
	}
	defer func() { _ = opened.Close() }()
	info, err := opened.Stat()
	if err != nil {
		return nil, fmt.Errorf("look at the driver's binary: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("the driver's binary %s is not a regular file but %s", path, info.Mode())
	}
	// The system would give an interpreter the path of a descriptor that is
	// closed by then.
	start := make([]byte, 2)
	if _, err := opened.ReadAt(start, 0); err == nil && string(start) == "#!" {
		return nil, fmt.Errorf("the driver's binary %s is a script: a package needs a program that the system can execute by itself", path)
	}
	fd, err := unix.FcntlInt(opened.Fd(), unix.F_DUPFD_CLOEXEC, binaryFD)
	if err != nil {
		return nil, fmt.Errorf("keep the driver's binary open: %w", err)
	}
	b := &binary{file: os.NewFile(uintptr(fd), path)}
	sum := sha256.New()
	if _, err := io.CopyBuffer(onlyWriter{sum}, onlyReader{b.file}, make([]byte, 1<<20)); err != nil {
		b.close()
		return nil, fmt.Errorf("read the driver's binary %s: %w", path, err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != digest {
		b.close()
		return nil, fmt.Errorf("%w %s was changed after it was installed: its sha256 is %s, not %s; "+
			"it is not started. Install the package again", ErrChanged, path, got, digest)
	}
	return b, nil
}

// path is what to execute. It means the child's copy of the descriptor.
func (b *binary) path() string { return fmt.Sprintf("/proc/self/fd/%d", b.file.Fd()) }

func (b *binary) close() { _ = b.file.Close() }

// onlyReader and onlyWriter keep io.CopyBuffer to the buffer it is given.
type (
	onlyReader struct{ io.Reader }
	onlyWriter struct{ io.Writer }
)
