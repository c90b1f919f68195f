package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// Locked is one line of a lock file: exactly what is active of a driver.
type Locked struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Digest  string `json:"digest"`
}

// lockFormat is the version of a lock file's format.
const lockFormat = 1

type lockFileText struct {
	Format  int      `json:"format"`
	Drivers []Locked `json:"drivers"`
}

// Locked is what is active now, by name. A damaged package is nothing to go by
// and gives an error.
func (s *Store) Locked() ([]Locked, error) {
	packages, err := s.Active()
	if err != nil {
		return nil, err
	}
	all := make([]Locked, 0, len(packages))
	for _, p := range packages {
		if p.Damage != nil {
			return nil, p.Damage
		}
		all = append(all, Locked{Name: p.Name, Version: p.Version, Digest: p.Digest})
	}
	return all, nil
}

// WriteLock writes a lock file, which is whole or as before. The same drivers
// give the same bytes.
func WriteLock(file string, all []Locked) error {
	text, err := json.MarshalIndent(lockFileText{lockFormat, all}, "", "  ")
	if err != nil {
		return fmt.Errorf("write the lock file %s: %w", file, err)
	}
	temp, err := os.MkdirTemp(filepath.Dir(file), "."+filepath.Base(file)+"-")
	if err != nil {
		return fmt.Errorf("write the lock file: %w", err)
	}
	defer func() { _ = os.RemoveAll(temp) }()
	whole := filepath.Join(temp, "lock")
	err = writeFile(whole, 0o644, func(f *os.File) error {
		_, err := f.Write(append(text, '\n'))
		return err
	})
	if err == nil {
		err = os.Rename(whole, file)
	}
	if err != nil {
		return fmt.Errorf("write the lock file: %w", err)
	}
	return nil
}

// ReadLock reads a lock file. What it says is believed, so it is looked at
// closely; a file that cannot be used is an ErrDesired.
func ReadLock(file string) ([]Locked, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, refuse(ErrDesired, "read the lock file: %w", err)
	}
	all, err := parseLock(text)
	if err != nil {
		return nil, refuse(ErrDesired, "the lock file %s: %w", file, err)
	}
	return all, nil
}

func parseLock(text []byte) ([]Locked, error) {
	var in lockFileText
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&in); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more after its end")
	}
	if in.Format != lockFormat {
		return nil, fmt.Errorf("it has the format %d, not %d", in.Format, lockFormat)
	}
	for i, l := range in.Drivers {
		if err := errors.Join(checkName(l.Name), checkVersion(l.Version)); err != nil {
			return nil, err
		}
		if !digestPattern.MatchString(l.Digest) {
			return nil, fmt.Errorf("driver %s: %q is not a sha256 in hex", l.Name, l.Digest)
		}
		if slices.ContainsFunc(in.Drivers[:i], func(other Locked) bool { return other.Name == l.Name }) {
			return nil, fmt.Errorf("driver %s is there twice", l.Name)
		}
	}
	return in.Drivers, nil
}

// LockedTo narrows what is wanted down to a lock file. A driver that is wanted
// and not in it can be had in no version.
func (d Desired) LockedTo(all []Locked) (Desired, error) {
	if d.Disabled {
		return d, nil
	}
	i := slices.IndexFunc(all, func(l Locked) bool { return l.Name == d.Name })
	switch {
	case i < 0:
		return d, refuse(ErrOtherDigest, "driver %s is wanted by %s, but is not in the lock file", d.Name, d.File)
	case d.Digest != "" && d.Digest != all[i].Digest:
		return d, refuse(ErrOtherDigest, "driver %s: %s wants the digest %s, the lock file %s", d.Name, d.File, d.Digest, all[i].Digest)
	}
	d.Digest = all[i].Digest
	return d, nil
}
