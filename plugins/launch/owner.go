package launch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// ErrOwner is wrapped by the error for a file that others may change or
// replace.
var ErrOwner = errors.New("others may change it")

// CheckOwner refuses a file that anybody but root and this user could change,
// or replace by renaming a folder above it. Digests prove what a file is now;
// this is about who decides what it is next. Other owners that are trusted too
// may be named.
func CheckOwner(path string, owners ...int) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("look at %s: %w", path, err)
	}
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("look at %s: %w", path, err)
	}
	for _, path := range []string{path, target} { // links on the way, and what they lead to
		for {
			info, err := os.Lstat(path)
			if err != nil {
				return fmt.Errorf("look at %s: %w", path, err)
			}
			if err := CheckOwnerOf(path, info, owners...); err != nil {
				return err
			}
			up := filepath.Dir(path)
			if up == path {
				break
			}
			path = up
		}
	}
	return nil
}

// CheckOwnerOf is CheckOwner of one file or folder, without those above it.
func CheckOwnerOf(path string, info fs.FileInfo, owners ...int) error {
	system, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("%s: its owner is not known", path)
	}
	if uid := int(system.Uid); uid != 0 && uid != os.Geteuid() && !slices.Contains(owners, uid) {
		return fmt.Errorf("%s belongs to user %d, who may change it: %w; give it to root", path, uid, ErrOwner)
	}
	mode := info.Mode()
	if mode&fs.ModeSymlink != 0 || (mode.IsDir() && mode&fs.ModeSticky != 0) {
		return nil // a link has no mode; in a sticky folder only owners rename
	}
	if mode&0o002 != 0 {
		return fmt.Errorf("%s has mode %s and everybody may write to it: %w; chmod o-w it", path, mode, ErrOwner)
	}
	if gid := int(system.Gid); mode&0o020 != 0 && gid != 0 && gid != os.Getegid() {
		return fmt.Errorf("%s has mode %s and all of group %d may write to it: %w; chmod g-w it", path, mode, gid, ErrOwner)
	}
	return nil
}
