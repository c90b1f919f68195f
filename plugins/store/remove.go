package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Withdraw keeps clusters from getting a version from now on, and returns those
// that have it. Where there are some it changes nothing. It is called with the
// store locked: what it says holds until the version is removed.
type Withdraw func(ctx context.Context, name, version string) (clusters []string, err error)

// Remove takes a version out of the store. It stays while it is active, or
// while a cluster is pinned to it.
func (s *Store) Remove(ctx context.Context, name, version string, withdraw Withdraw) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
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
	clusters, err := withdraw(ctx, name, version)
	if err != nil {
		return fmt.Errorf("remove driver %s %s: %w", name, version, err)
	}
	if len(clusters) > 0 {
		return refuse(ErrPinned, "driver %s %s serves %d clusters, such as %s: upgrade or delete them before, or unpin them",
			name, version, len(clusters), strings.Join(clusters[:min(3, len(clusters))], ", "))
	}
	return s.remove(name, version, digest)
}

func (s *Store) remove(name, version, digest string) error {
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
	s.forget(digest)
	return nil
}

// GCRequest says what a collection keeps besides what is active or pinned.
type GCRequest struct {
	// Withdraw is asked about every version that nothing else needs. In a dry
	// run it should only look.
	Withdraw Withdraw
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
		needed, err := s.needed(p, r.Generations)
		if err != nil {
			return removed, err
		}
		if needed {
			continue
		}
		clusters, err := r.Withdraw(ctx, p.Name, p.Version)
		if err != nil {
			return removed, fmt.Errorf("remove driver %s: %w", p, err)
		}
		if len(clusters) > 0 {
			continue
		}
		if !r.DryRun {
			if err := s.remove(p.Name, p.Version, p.Digest); err != nil {
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

// needed reports whether the store itself has a use for a package: it is active,
// or was within so many of the last generations, or was never.
func (s *Store) needed(p Package, last int) (bool, error) {
	active, err := s.Resolve(p.Name, "")
	if err != nil && !errors.Is(err, ErrNotFound) {
		return true, err
	}
	if active == p.Digest {
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
	return slices.ContainsFunc(generations[max(0, len(generations)-max(last, 0)):], same), nil
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
