package store

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-magnum/magnum/sdk/driver"
)

// MayAttach refuses drivers that somebody else has started on a host that says
// whom it trusts: nobody vouches for such a process.
func (s *Store) MayAttach() error {
	trust, err := LoadTrust(s.TrustFile)
	if err != nil {
		return err
	}
	if !trust.Empty() {
		return refuse(ErrUnsigned, "%s says whose drivers this host takes, and a process that is attached is signed by nobody: "+
			"attach it to a service of its own, without that file", s.TrustFile)
	}
	return nil
}

// Attached is a driver that somebody else has started as the package that it would
// be, by what it says of itself. Nothing of it is in the store. It is refused
// where it could not be installed.
func (s *Store) Attached(d driver.Description) (Package, error) {
	if err := s.MayAttach(); err != nil {
		return Package{}, err
	}
	text, err := json.Marshal(d)
	if err != nil {
		return Package{}, fmt.Errorf("read what the driver says of itself: %w", err)
	}
	p := Package{Name: d.Name, Version: d.Version, Digest: digestOf(text), Manifest: manifestOf(d), Description: d, Active: true}
	if err := errors.Join(checkName(p.Name), checkVersion(p.Version)); err != nil {
		return Package{}, fmt.Errorf("what the driver says of itself: %w", err)
	}
	return p, s.mayActivate(p, true)
}
