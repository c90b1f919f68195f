package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// Action is what makes a driver as it is wanted.
type Action string

// The actions.
const (
	ActionNone     Action = "none"
	ActionInstall  Action = "install"
	ActionActivate Action = "activate"
	ActionDisable  Action = "disable"
)

// Step is one driver's way to what is wanted.
type Step struct {
	Desired Desired
	Action  Action
	// From is the active version before, To the one after; empty for none.
	From, To string
	// Err says why it is not, or will not be, as wanted; the driver stays as
	// it is.
	Err error

	force bool
}

// Plan says what [Store.Sync] would do. It fetches what it does not know yet,
// and proves all of it but what the binary says of itself.
func (s *Store) Plan(ctx context.Context, all []Desired) []Step {
	steps := make([]Step, 0, len(all))
	for _, d := range inOrder(all) {
		steps = append(steps, s.plan(ctx, d, all))
	}
	return steps
}

// Sync makes drivers as they are wanted. One that cannot be made so is left as
// it is and keeps none of the others. Where all are as wanted nothing changes.
func (s *Store) Sync(ctx context.Context, all []Desired, by string) []Step {
	steps := make([]Step, 0, len(all))
	for _, d := range inOrder(all) {
		step := s.plan(ctx, d, all)
		if step.Err == nil {
			step.Err = s.take(ctx, step, Change{By: by, Reason: "sync with " + filepath.Base(d.File)})
		}
		steps = append(steps, step)
	}
	return steps
}

// inOrder has what is to be disabled first: it makes room for another driver of
// the same cluster type.
func inOrder(all []Desired) []Desired {
	return slices.SortedStableFunc(slices.Values(all), func(a, b Desired) int {
		switch {
		case a.Disabled == b.Disabled:
			return cmp.Compare(a.Name, b.Name)
		case a.Disabled:
			return -1
		}
		return 1
	})
}

func (s *Store) plan(ctx context.Context, d Desired, all []Desired) Step {
	step := Step{Desired: d, Action: ActionNone}
	active, err := s.Resolve(d.Name, "")
	if err != nil && !errors.Is(err, ErrNotFound) {
		step.Err = err
		return step
	}
	if active != "" {
		p, err := s.load(active)
		step.From, step.To = p.Version, p.Version
		// The file says better than a comparison of versions what is meant.
		step.force = err == nil && !d.admits(p.Version, p.Digest)
	}
	if d.Disabled {
		step.To = ""
		if active != "" {
			step.Action = ActionDisable
		}
		return step
	}
	p, installed, err := s.choose(ctx, d, active)
	if err == nil {
		err = d.Check(p)
	}
	if err == nil && p.Digest != active {
		err = s.admit(p)
	}
	if err != nil {
		step.Err = err
		return step
	}
	switch {
	case !installed:
		step.Action = ActionInstall
	case p.Digest != active:
		step.Action = ActionActivate
	default:
		return step
	}
	step.To = p.Version
	others, err := s.Active()
	if err == nil {
		others = slices.DeleteFunc(others, func(p Package) bool {
			return slices.ContainsFunc(all, func(d Desired) bool { return d.Name == p.Name && d.Disabled })
		})
		err = mayReplace(others, p, step.force)
	}
	step.Err = err
	return step
}

// choose finds the package that is wanted: what the source has; without one
// the active version if it will do, else the newest that will.
func (s *Store) choose(ctx context.Context, d Desired, active string) (p Package, installed bool, err error) {
	if d.Source == "" {
		packages, err := s.Packages()
		if err != nil {
			return Package{}, false, err
		}
		for _, p := range packages {
			if p.Name == d.Name && p.Digest == active && p.Damage == nil && d.admits(p.Version, p.Digest) {
				return p, true, nil
			}
		}
		p, ok := d.newest(packages)
		if !ok {
			return Package{}, false, fmt.Errorf("driver %s is %w in a version that is wanted: name a source, or install one", d.Name, ErrNotFound)
		}
		return p, true, nil
	}
	src, err := parseSource(d.Source)
	if err != nil {
		return Package{}, false, err
	}
	if p, ok := s.remembered(src); ok {
		return p, true, nil
	}
	if p, err = s.peek(ctx, src); err != nil {
		return Package{}, false, fmt.Errorf("look at %s: %w", d.Source, err)
	}
	have, err := s.Find(p.Name, p.Version)
	return p, err == nil && have.Digest == p.Digest, nil
}

func (s *Store) take(ctx context.Context, step Step, c Change) (err error) {
	d := step.Desired
	switch step.Action {
	case ActionInstall:
		_, err = s.Install(ctx, InstallRequest{Source: d.Source, Change: c, Force: step.force, Desired: &d})
	case ActionActivate:
		_, err = s.Activate(ctx, ActivateRequest{Name: d.Name, Version: step.To, Change: c, Force: step.force})
	case ActionDisable:
		err = s.Disable(ctx, d.Name, c)
	case ActionNone:
	}
	return err
}

// peek fetches a package and proves what can be proven without running it.
func (s *Store) peek(ctx context.Context, src source) (Package, error) {
	dir, clean, err := s.fetch(ctx, src)
	if err != nil {
		return Package{}, err
	}
	defer clean()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Package{}, fmt.Errorf("open the package: %w", err)
	}
	defer func() { _ = root.Close() }()
	p, list, err := readWhole(root)
	if err != nil {
		return Package{}, err
	}
	if err := src.holds(dir, p.Digest); err != nil {
		return Package{}, err
	}
	signatures, err := readSignatures(root)
	if err != nil {
		return Package{}, err
	}
	p.Signers, err = s.vouch(p, src, list, signatures)
	return p, err
}

// remember keeps which package a source has that is named with a digest: it
// will never have another.
func (s *Store) remember(src source, digest string) error {
	if src.digest == "" {
		return nil
	}
	link := s.sourceLink(src)
	temp := filepath.Join(filepath.Dir(link), ".new-"+filepath.Base(link))
	_ = os.Remove(temp)
	if err := os.Symlink(filepath.Join("..", contentDir, digest), temp); err != nil {
		return fmt.Errorf("remember the source: %w", err)
	}
	if err := os.Rename(temp, link); err != nil {
		return fmt.Errorf("remember the source: %w", err)
	}
	return nil
}

func (s *Store) remembered(src source) (Package, bool) {
	if src.digest == "" {
		return Package{}, false
	}
	digest, err := s.readLink(s.sourceLink(src))
	if err != nil {
		return Package{}, false
	}
	p, err := s.load(digest)
	if err != nil {
		return Package{}, false
	}
	indexed, err := s.Resolve(p.Name, p.Version)
	return p, err == nil && indexed == digest
}

// forget drops the sources of a package that is removed.
func (s *Store) forget(digest string) {
	names, _ := s.list(sourcesDir)
	for _, name := range names {
		link := filepath.Join(s.dir, sourcesDir, name)
		if to, err := s.readLink(link); err == nil && to == digest {
			_ = os.Remove(link)
		}
	}
}

// sourceLink is for all of a source's text: another server may well have other
// signatures.
func (s *Store) sourceLink(src source) string {
	return filepath.Join(s.dir, sourcesDir, digestOf([]byte(src.text)))
}
