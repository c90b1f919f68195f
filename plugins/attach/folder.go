// Package attach is for drivers that somebody else has started, such as an
// author with a debugger: where such a process and a service find each other,
// and how the service connects.
//
// Both have a folder, which nobody but their user can look into, with the keys of
// either side and, while a driver serves, its socket. The folder outlives the
// processes, so that either side can be started again. Its path is all that has to
// be told, and is no secret.
package attach

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/go-magnum/magnum/plugins/launch"
	"github.com/go-magnum/magnum/sdk/serve"
)

// The files of a folder.
const (
	socketFile     = "socket"
	driverKeysFile = "driver.json"
	hostKeysFile   = "host.json"
)

const (
	folderMode = 0o700
	keysMode   = 0o600
	// pathLimit is Linux's for the path of a unix socket, in bytes.
	pathLimit = 107
)

// Folder is where a driver and a service meet.
type Folder struct {
	dir  string
	keys serve.Keys // the service's
}

// DefaultDir is the folder of this user for one driver at a time.
func DefaultDir() string {
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "magnum-driver")
	}
	return filepath.Join(os.TempDir(), fmt.Sprintf("magnum-driver-%d", os.Getuid()))
}

// Make opens a folder, and makes it, with new keys, where there is none.
func Make(dir string) (*Folder, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("make a folder to attach at: %w", err)
	}
	if length := len(dir) + len("/"+socketFile); length > pathLimit {
		return nil, fmt.Errorf("%s is too long for a socket's path by %d bytes: name another folder", dir, length-pathLimit)
	}
	if entries, err := os.ReadDir(dir); errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		if err := fill(dir); err != nil {
			return nil, fmt.Errorf("make a folder to attach at: %w", err)
		}
	}
	return Open(dir)
}

// fill makes the folder beside its place first: what is there is whole.
func fill(dir string) error {
	host, process, err := serve.NewKeys(time.Now())
	if err != nil {
		return err
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+"-") // with folderMode
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	for name, keys := range map[string]serve.Keys{driverKeysFile: process, hostKeysFile: host} {
		text, err := json.Marshal(keys)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(temp, name), text, keysMode); err != nil {
			return err
		}
	}
	_ = os.Remove(dir) // an empty one
	return os.Rename(temp, dir)
}

// Open opens a folder that was made before. One that others may look into, or
// could put another in the place of, is refused.
func Open(dir string) (*Folder, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open the folder to attach at: %w", err)
	}
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return nil, fmt.Errorf("open the folder to attach at, which magnum-driver-manage run makes: %w", err)
	case !info.IsDir() || info.Mode().Perm() != folderMode:
		return nil, fmt.Errorf("%s has mode %s, and must be a folder that only its owner may look into: "+
			"remove it, and magnum-driver-manage run makes it anew", dir, info.Mode())
	}
	if err := launch.CheckOwner(dir); err != nil {
		return nil, err
	}
	keys, err := serve.ReadKeys(filepath.Join(dir, hostKeysFile))
	if err != nil {
		return nil, err
	}
	return &Folder{dir: dir, keys: keys}, nil
}

// String is the folder's path: what a service has to be told.
func (f *Folder) String() string { return f.dir }

// Environment are the variables that a driver's process needs.
func (f *Folder) Environment() []string {
	return []string{
		serve.EnvSocket + "=" + f.socket(),
		serve.EnvKeysFile + "=" + filepath.Join(f.dir, driverKeysFile),
	}
}

func (f *Folder) socket() string { return filepath.Join(f.dir, socketFile) }
