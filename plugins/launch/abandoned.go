package launch

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// abandonedAfter is longer than a start takes from making the directory to the
// socket in it.
const abandonedAfter = time.Minute

// Abandoned lists the directories for sockets in a runtime directory that no
// process of this network namespace has a socket in.
func Abandoned(runtimeDir string) ([]string, error) {
	// The directories first: a driver that comes up meanwhile is not in the list.
	dirs, err := filepath.Glob(filepath.Join(runtimeDir, socketPrefix+"*"))
	if err != nil {
		return nil, fmt.Errorf("look for directories of sockets in %s: %w", runtimeDir, err)
	}
	sockets, err := os.ReadFile("/proc/net/unix")
	if err != nil {
		return nil, fmt.Errorf("look for directories of sockets in %s: %w", runtimeDir, err)
	}
	var abandoned []string
	for _, dir := range dirs {
		info, err := os.Lstat(dir)
		if err != nil || time.Since(info.ModTime()) < abandonedAfter || !IsSocketDir(dir) ||
			strings.Contains(string(sockets), " "+dir+"/") {
			continue
		}
		abandoned = append(abandoned, dir)
	}
	return abandoned, nil
}
