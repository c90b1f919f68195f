package store

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Holder tells who is changing the store at the moment, if anybody is. The pid
// is 0 where the system does not tell it: it is on another machine, or in
// another pid namespace.
func (s *Store) Holder() (pid int, held bool, err error) {
	f, err := os.Open(filepath.Join(s.dir, lockFile))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil // nothing was ever installed
	}
	if err != nil {
		return 0, false, fmt.Errorf("look at the driver store's lock: %w", err)
	}
	defer func() { _ = f.Close() }()
	// Shared and at once given back: who waits for the lock asks again soon.
	err = unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB)
	switch {
	case err == nil:
		return 0, false, nil
	case !errors.Is(err, unix.EWOULDBLOCK):
		return 0, false, fmt.Errorf("look at the driver store's lock: %w", err)
	}
	var file unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &file); err != nil {
		return 0, true, fmt.Errorf("look at the driver store's lock: %w", err)
	}
	locks, err := os.ReadFile("/proc/locks")
	if err != nil {
		return 0, true, fmt.Errorf("look at the driver store's lock: %w", err)
	}
	return lockHolder(locks, file.Ino), true, nil
}

// lockHolder finds an inode's lock in lines such as
//
//	1: FLOCK  ADVISORY  WRITE 4711 fd:00:1234 0 EOF
//
// The device is not compared: some file systems show another one here.
func lockHolder(locks []byte, inode uint64) int {
	lines := bufio.NewScanner(bytes.NewReader(locks))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		const pidField, inodeField = 4, 5
		if len(fields) <= inodeField || fields[1] != "FLOCK" || !strings.HasSuffix(fields[inodeField], ":"+strconv.FormatUint(inode, 10)) {
			continue
		}
		if pid, err := strconv.Atoi(fields[pidField]); err == nil && pid > 0 {
			return pid
		}
	}
	return 0
}
