package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ActivateRequest says which installed version new clusters shall get.
type ActivateRequest struct {
	Name, Version string
	Change
	// Force takes an older version than the active one.
	Force bool
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
	return s.activateInstalled(r.Name, r.Version, r.Force, Generation{By: r.By, Reason: cmp.Or(r.Reason, "activate")})
}

func (s *Store) activateInstalled(name, version string, force bool, g Generation) (Package, error) {
	p, err := s.Find(name, version)
	if err != nil {
		return Package{}, err
	}
	if err := s.Verify(p); err != nil {
		return Package{}, err
	}
	if err := s.mayActivate(p, force); err != nil {
		return Package{}, err
	}
	if err := s.activate(p, g); err != nil {
		return Package{}, err
	}
	p.Active = true
	return p, nil
}

// RollbackRequest says which driver goes back, and to which generation: by
// default the one before the active one that had another version.
type RollbackRequest struct {
	Name string
	To   int
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
	generations, err := s.Generations(r.Name)
	if err != nil {
		return Package{}, err
	}
	target, err := s.rollbackTarget(r, generations)
	if err != nil {
		return Package{}, err
	}
	return s.activateInstalled(r.Name, target.Version, true, Generation{
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
		installed := false
		if g.Version != "" { // as it is where the driver was disabled
			digest, err := s.Resolve(r.Name, g.Version)
			installed = err == nil && digest == g.Digest
		}
		switch {
		case installed && (r.To != 0 || g.Digest != last.Digest):
			return g, nil
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

// Pin is a cluster that needs a version of a driver, on whichever host.
type Pin struct{ Cluster, Name, Version string }

// Remove takes a version out of the store. It stays while it is active, or
// while a cluster is pinned to it.
func (s *Store) Remove(ctx context.Context, name, version string, pins []Pin) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	return s.remove(name, version, pins)
}

func (s *Store) remove(name, version string, pins []Pin) error {
	if version == "" {
		return fmt.Errorf("remove driver %s: which version?", name)
	}
	digest, err := s.Resolve(name, version)
	if err != nil {
		return err
	}
	if active, err := s.Resolve(name, ""); err == nil && active == digest {
		return refuse(ErrActive, "driver %s %s is active: activate another version, or disable the driver, before", name, version)
	}
	var clusters []string
	for _, p := range pins {
		if p.Name == name && p.Version == version {
			clusters = append(clusters, p.Cluster)
		}
	}
	if len(clusters) > 0 {
		return refuse(ErrPinned, "driver %s %s serves %d clusters, such as %s: upgrade or delete them before",
			name, version, len(clusters), strings.Join(clusters[:min(3, len(clusters))], ", "))
	}
	// Out of the index first: without its name the rest is only rubbish.
	link := s.indexLink(name, version)
	if err := os.Remove(link); err != nil {
		return fmt.Errorf("remove driver %s %s: %w", name, version, err)
	}
	if err := syncDir(filepath.Dir(link)); err != nil {
		return err
	}
	_ = os.Remove(filepath.Dir(link)) // if it was the last version
	removeTree(s.contentPath(digest))
	removeTree(filepath.Join(s.dir, signaturesDir, digest))
	return nil
}

// GCRequest says what a collection keeps besides what is active or pinned.
type GCRequest struct {
	Pins []Pin
	// Generations is how many of each driver's last ones can be rolled back
	// to afterwards.
	Generations int
	DryRun      bool
}

// GC removes the versions that nothing needs, and what interrupted
// installations left. It returns what it removed, or would.
func (s *Store) GC(ctx context.Context, r GCRequest) ([]string, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	packages, err := s.Packages()
	if err != nil {
		return nil, err
	}
	var removed []string
	known := map[string]bool{}
	for _, p := range packages {
		known[p.Digest] = true
		needed, err := s.needed(p, r)
		if err != nil {
			return removed, err
		}
		if needed {
			continue
		}
		if !r.DryRun {
			if err := s.remove(p.Name, p.Version, r.Pins); err != nil {
				return removed, err
			}
		}
		removed = append(removed, p.String())
	}
	rubbish, err := s.rubbish(known)
	if err != nil {
		return removed, err
	}
	for _, path := range rubbish {
		if !r.DryRun {
			removeTree(path)
		}
		removed = append(removed, filepath.Base(path))
	}
	return removed, nil
}

func (s *Store) needed(p Package, r GCRequest) (bool, error) {
	active, err := s.Resolve(p.Name, "")
	if err != nil && !errors.Is(err, ErrNotFound) {
		return true, err
	}
	if active == p.Digest || slices.ContainsFunc(r.Pins, func(pin Pin) bool { return pin.Name == p.Name && pin.Version == p.Version }) {
		return true, nil
	}
	generations, err := s.Generations(p.Name)
	if err != nil {
		return true, err
	}
	same := func(g Generation) bool { return g.Digest == p.Digest }
	if !slices.ContainsFunc(generations, same) {
		return true, nil // its time is still to come
	}
	return slices.ContainsFunc(generations[max(0, len(generations)-max(r.Generations, 0)):], same), nil
}

// rubbish are directories that no name leads to. What is being fetched, which
// takes no lock, is left alone as long as it may take.
func (s *Store) rubbish(known map[string]bool) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(s.dir, contentDir))
	if err != nil {
		return nil, fmt.Errorf("read the driver store: %w", err)
	}
	var all []string
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read the driver store: %w", err)
		}
		fetching := strings.HasPrefix(e.Name(), ".unpack-") && s.Now().Sub(info.ModTime()) < 2*s.FetchTimeout
		if !known[e.Name()] && !fetching {
			all = append(all, filepath.Join(s.dir, contentDir, e.Name()))
		}
	}
	return all, nil
}
