package store

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// ActivateRequest says which installed version new clusters shall get.
type ActivateRequest struct {
	Name, Version string
	Change
	// Force takes an older version than the active one.
	Force bool
	// Prove, if not nil, has the last word on a version that may be activated.
	Prove func(context.Context, Package) error
}

// Activate makes an installed version the active one, after it was verified.
// On an error the one before stays active.
func (s *Store) Activate(ctx context.Context, r ActivateRequest) (Package, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return Package{}, err
	}
	defer unlock()
	if r.Version == "" {
		return Package{}, fmt.Errorf("activate driver %s: which version?", r.Name)
	}
	return s.activateInstalled(ctx, r, Generation{By: r.By, Reason: cmp.Or(r.Reason, "activate")})
}

// Enable gives a driver an active version: the one that is named, or else the
// one that was active last, or else the newest. A driver that has one keeps it
// unless another is named.
func (s *Store) Enable(ctx context.Context, r ActivateRequest) (Package, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return Package{}, err
	}
	defer unlock()
	if r.Version == "" {
		if r.Version, err = s.lastActive(r.Name); err != nil {
			return Package{}, err
		}
	}
	return s.activateInstalled(ctx, r, Generation{By: r.By, Reason: cmp.Or(r.Reason, "enable")})
}

// lastActive is the installed version that was active last, or the newest.
func (s *Store) lastActive(name string) (string, error) {
	generations, err := s.Generations(name)
	if err != nil {
		return "", err
	}
	for _, g := range slices.Backward(generations) {
		if s.has(g) {
			return g.Version, nil
		}
	}
	p, err := s.Newest(name)
	return p.Version, err
}

// Newest returns the highest installed version of a driver.
func (s *Store) Newest(name string) (Package, error) {
	packages, err := s.Packages()
	if err != nil {
		return Package{}, err
	}
	newest := Package{}
	for _, p := range packages {
		if p.Name == name && (newest.Name == "" || older(newest.Version, p.Version)) {
			newest = p
		}
	}
	if newest.Name == "" {
		return newest, fmt.Errorf("driver %s is %w", name, ErrNotFound)
	}
	return newest, nil
}

// has reports whether what a generation activated is installed. One that
// disabled the driver activated nothing.
func (s *Store) has(g Generation) bool {
	if g.Version == "" {
		return false
	}
	digest, err := s.Resolve(g.Name, g.Version)
	return err == nil && digest == g.Digest
}

func (s *Store) activateInstalled(ctx context.Context, r ActivateRequest, g Generation) (Package, error) {
	p, err := s.Find(r.Name, r.Version)
	if err != nil {
		return Package{}, err
	}
	if err := s.Verify(p); err != nil {
		return Package{}, err
	}
	if err := s.mayActivate(p, r.Force); err != nil {
		return Package{}, err
	}
	if r.Prove != nil {
		if err := r.Prove(ctx, p); err != nil {
			return Package{}, err
		}
	}
	if err := s.activate(p, g); err != nil {
		return Package{}, err
	}
	p.Active = true
	return p, nil
}

// Use calls a function that relies on an installed version, which cannot be
// removed meanwhile.
func (s *Store) Use(ctx context.Context, name, version string, use func(Package) error) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	p, err := s.Find(name, version)
	if err != nil {
		return err
	}
	return use(p)
}

// RollbackRequest says which driver goes back, and to which generation: by
// default the one before the active one that had another version.
type RollbackRequest struct {
	Name string
	To   int
	// From, if set, is the digest that must be active still: who takes back a
	// change of their own must not take back somebody else's.
	From string
	Change
}

// Rollback activates what was active before. A rollback after a rollback goes
// further back, not forth again.
func (s *Store) Rollback(ctx context.Context, r RollbackRequest) (Package, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return Package{}, err
	}
	defer unlock()
	if active, err := s.Resolve(r.Name, ""); r.From != "" && (err != nil || active != r.From) {
		return Package{}, fmt.Errorf("driver %s was given another active version meanwhile: see magnum-driver-manage history %s", r.Name, r.Name)
	}
	generations, err := s.Generations(r.Name)
	if err != nil {
		return Package{}, err
	}
	target, err := s.rollbackTarget(r, generations)
	if err != nil {
		return Package{}, err
	}
	return s.activateInstalled(ctx, ActivateRequest{Name: r.Name, Version: target.Version, Force: true}, Generation{
		By: r.By, Reason: cmp.Or(r.Reason, fmt.Sprintf("rollback to generation %d", target.Number)), RolledBackTo: target.Number,
	})
}

func (s *Store) rollbackTarget(r RollbackRequest, generations []Generation) (Generation, error) {
	if len(generations) == 0 {
		return Generation{}, fmt.Errorf("driver %s is %w", r.Name, ErrNotFound)
	}
	last := generations[len(generations)-1]
	from := cmp.Or(last.RolledBackTo, last.Number)
	for _, g := range slices.Backward(generations) {
		if (r.To != 0 && g.Number != r.To) || (r.To == 0 && g.Number >= from) {
			continue
		}
		installed := s.has(g)
		switch {
		case installed && (r.To != 0 || g.Digest != last.Digest):
			return g, nil
		case r.To != 0 && g.Version == "":
			return g, refuse(ErrNoGeneration, "driver %s cannot go back to generation %d: it was disabled then, as magnum-driver-manage disable %s does",
				r.Name, r.To, r.Name)
		case r.To != 0:
			return g, refuse(ErrNoGeneration, "driver %s cannot go back to generation %d: version %q is not installed any more",
				r.Name, r.To, g.Version)
		}
	}
	if r.To != 0 {
		return last, refuse(ErrNoGeneration, "driver %s has no generation %d: see magnum-driver-manage history %s", r.Name, r.To, r.Name)
	}
	return last, refuse(ErrNoGeneration, "driver %s has no earlier version that is installed: see magnum-driver-manage history %s",
		r.Name, r.Name)
}

// Disable leaves a driver without an active version: no new cluster gets it,
// and those there are keep theirs.
func (s *Store) Disable(ctx context.Context, name string, c Change) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := s.Resolve(name, ""); err != nil {
		return err
	}
	if err := s.record(Generation{Name: name, By: c.By, Reason: cmp.Or(c.Reason, "disable")}); err != nil {
		return fmt.Errorf("disable driver %s: %w", name, err)
	}
	if err := os.Remove(s.activeLink(name)); err != nil {
		return fmt.Errorf("disable driver %s: %w", name, err)
	}
	return syncDir(filepath.Dir(s.activeLink(name)))
}
