package launch

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// binaryFD is the lowest descriptor for an open binary. The files that a child
// inherits are numbered from 3 on, and must not land on it before the exec.
const binaryFD = 64

// firstInherited is the descriptor of the first file that a child inherits.
const firstInherited = 3

// scriptLine is how much of a script's first line the system looks at.
const scriptLine = 256

// ErrChanged is wrapped by the error for a binary that is not what was
// installed.
var ErrChanged = errors.New("the driver's binary")

// binary is an open executable whose content has been verified.
type binary struct {
	file *os.File
	// interpreter is the program that executes it; empty where the system does.
	interpreter string
}

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
	b.interpreter, err = interpreterOf(b.file)
	if err != nil {
		b.close()
		return nil, fmt.Errorf("read the driver's binary %s: %w", path, err)
	}
	return b, nil
}

// interpreterOf is what the first line of a script names.
func interpreterOf(file io.ReaderAt) (string, error) {
	start := make([]byte, scriptLine)
	n, err := file.ReadAt(start, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	line, script := strings.CutPrefix(string(start[:n]), "#!")
	if !script {
		return "", nil
	}
	line, _, _ = strings.Cut(line, "\n")
	words := strings.Fields(line)
	if len(words) == 0 {
		return "", errors.New("it is a script whose first line names no interpreter")
	}
	return words[0], nil
}

// command is the path to execute in a child that inherits some files, and what
// it inherits then. The path means the child's copy of the descriptor. It
// is closed by the time the program runs; an interpreter has to open it, and so
// inherits it.
func (b *binary) command(inherited []*os.File) (path string, all []*os.File) {
	if b.interpreter == "" {
		return fmt.Sprintf("/proc/self/fd/%d", b.file.Fd()), inherited
	}
	all = append(slices.Clone(inherited), b.file)
	return fmt.Sprintf("/proc/self/fd/%d", firstInherited+len(all)-1), all
}

func (b *binary) close() { _ = b.file.Close() }

// onlyReader and onlyWriter keep io.CopyBuffer to the buffer it is given.
type (
	onlyReader struct{ io.Reader }
	onlyWriter struct{ io.Writer }
)
