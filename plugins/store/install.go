package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-magnum/magnum/plugins/launch"
)

// InstallRequest says what to install. Source is required.
type InstallRequest struct {
	// Source is a directory, or an archive: a path, or a file://, https:// or
	// http:// URL; or an artifact that [Publish] made: oci://HOST/REPOSITORY,
	// oci+http:// without TLS. @sha256: and a digest may follow, and must after
	// a server's URL: that of the archive, of the directory's files.sha256, or
	// of the artifact's manifest.
	Source string
	Change
	// Force makes an older version than the active one the active one.
	Force bool
	// KeepActive leaves the active version as it is.
	KeepActive bool
	// Prove, if not nil, has the last word on a package that passed all else,
	// before the store has it.
	Prove func(context.Context, Package) error
	// Desired, if set, is what the package must be.
	Desired *Desired
}

// Install fetches and verifies a package, proves that its binary is what
// it claims to be by running its describe, keeps a read-only copy, and makes
// it the active version of its driver. Installing the same content again
// changes nothing. On an error the store is as before.
func (s *Store) Install(ctx context.Context, r InstallRequest) (Package, error) {
	p, err := s.install(ctx, r)
	if err != nil {
		return Package{}, fmt.Errorf("install %s: %w", r.Source, err)
	}
	return p, nil
}

func (s *Store) install(ctx context.Context, r InstallRequest) (Package, error) {
	src, err := parseSource(r.Source)
	if err != nil {
		return Package{}, err
	}
	// Before the lock: a slow server holds nobody up.
	srcDir, clean, err := s.fetch(ctx, src)
	if err != nil {
		return Package{}, err
	}
	defer clean()
	unlock, err := s.lock(ctx)
	if err != nil {
		return Package{}, err
	}
	defer unlock()

	if err := s.CheckFolder(); err != nil {
		return Package{}, err
	}
	// From here on the copy is looked at, never again the source, which
	// others may change meanwhile.
	temp, list, signatures, err := s.copyPackage(srcDir)
	if err != nil {
		return Package{}, err
	}
	defer removeTree(temp)
	digest := digestOf(list)
	if err := src.holds(srcDir, digest); err != nil {
		return Package{}, err
	}
	p, err := readCopy(temp, list)
	if err != nil {
		return Package{}, err
	}
	p.Digest = digest
	// Nobody's binary runs before somebody vouched for it.
	if p.Signers, err = s.vouch(p, src, list, signatures); err != nil {
		return Package{}, err
	}
	if r.Desired != nil {
		if err := r.Desired.Check(p); err != nil {
			return Package{}, err
		}
	}
	if err := s.ask(ctx, temp, p); err != nil {
		return Package{}, err
	}
	if err := s.admit(p); err != nil {
		return Package{}, err
	}
	if !r.KeepActive {
		if err := s.mayActivate(p, r.Force); err != nil {
			return Package{}, err
		}
	}
	if r.Prove != nil {
		p.Path = temp
		if err := r.Prove(ctx, p); err != nil {
			return Package{}, err
		}
	}
	if err := s.keep(temp, digest); err != nil {
		return Package{}, err
	}
	if err := s.keepSignatures(digest, signatures); err != nil {
		return Package{}, err
	}
	if err := s.index(p); err != nil {
		return Package{}, err
	}
	if err := s.remember(src, digest); err != nil {
		return Package{}, err
	}
	if !r.KeepActive {
		if err := s.activate(p, Generation{By: r.By, Reason: cmp.Or(r.Reason, "install")}); err != nil {
			return Package{}, err
		}
	}
	signers := p.Signers
	p, err = s.load(digest)
	p.Signers = signers
	return p, err
}

// copyPackage copies what is listed into a new directory of the store, and
// refuses what is not as listed.
func (s *Store) copyPackage(srcDir string) (temp string, list []byte, signatures []signature, err error) {
	root, err := os.OpenRoot(srcDir)
	if err != nil {
		return "", nil, nil, fmt.Errorf("open the package: %w", err)
	}
	defer func() { _ = root.Close() }()
	files, text, err := readTree(root)
	if err != nil {
		return "", nil, nil, err
	}
	if signatures, err = readSignatures(root); err != nil {
		return "", nil, nil, err
	}
	temp, err = os.MkdirTemp(filepath.Join(s.dir, contentDir), ".new-")
	if err != nil {
		return "", nil, nil, fmt.Errorf("make room in the driver store: %w", err)
	}
	if err := files.copyTree(root, temp, text, s.MaxBytes); err != nil {
		removeTree(temp)
		return "", nil, nil, err
	}
	return temp, text, signatures, nil
}

// readTree reads a package's list of files, and proves that they are there and
// no others. What is in them is not looked at.
func readTree(root *os.Root) (files digests, list []byte, err error) {
	list, err = readText(root, digestsFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, refuse(ErrNotPackage, "there is no %s: it is not a driver package. Make one with: "+
			"magnum-driver-manage package BINARY DIR", digestsFile)
	}
	if err != nil {
		return nil, nil, err
	}
	if files, err = parseDigests(list); err != nil {
		return nil, nil, err
	}
	return files, list, files.checkTree(root)
}

// readWhole reads a package that is not the store's yet, and proves that all of
// its files, and no others, are as listed.
func readWhole(root *os.Root) (p Package, list []byte, err error) {
	files, list, err := readTree(root)
	if err == nil {
		err = files.checkContent(root)
	}
	if err != nil {
		return Package{}, nil, err
	}
	p, err = readPackage(root, files)
	p.Digest = digestOf(list)
	return p, list, err
}

// copyTree copies the listed files, and the list, to a directory and makes all
// of it read-only and lasting.
func (d digests) copyTree(root *os.Root, dir string, list []byte, most int64) error {
	left := most
	dirs := map[string]bool{dir: true}
	for _, name := range d.names() {
		target := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(target), dirMode); err != nil {
			return fmt.Errorf("copy %s: %w", name, err)
		}
		for sub := filepath.Dir(target); !dirs[sub]; sub = filepath.Dir(sub) {
			dirs[sub] = true
		}
		mode := fs.FileMode(0o444)
		if name == binaryFile {
			mode = 0o555
		}
		var size int64
		err := writeFile(target, mode, func(f *os.File) (err error) {
			size, err = d.copyFile(root, name, f)
			return err
		})
		if err != nil {
			return err
		}
		if left -= size; left < 0 {
			return refuse(ErrTooLarge, "the package is larger than the %d bytes allowed", most)
		}
	}
	err := writeFile(filepath.Join(dir, digestsFile), 0o444, func(f *os.File) error {
		_, err := f.Write(list)
		return err
	})
	if err != nil {
		return err
	}
	for sub := range dirs {
		if err := os.Chmod(sub, keptDirMode); err != nil {
			return fmt.Errorf("make the package read-only: %w", err)
		}
		if err := syncDir(sub); err != nil {
			return err
		}
	}
	return nil
}

// readCopy reads the copy of a package, and proves that manifest and
// description agree.
func readCopy(dir string, list []byte) (Package, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Package{}, fmt.Errorf("open the package's copy: %w", err)
	}
	defer func() { _ = root.Close() }()
	files, err := parseDigests(list)
	if err != nil {
		return Package{}, err
	}
	return readPackage(root, files)
}

// ask starts the binary of a package in a directory, and proves that it is what
// the package says.
func (s *Store) ask(ctx context.Context, dir string, p Package) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("open the package: %w", err)
	}
	defer func() { _ = root.Close() }()
	said, err := readText(root, describeFile)
	if err != nil {
		return err
	}
	answer, err := launch.Describe(ctx, launch.Config{
		Name:         p.Name,
		Binary:       filepath.Join(dir, binaryFile),
		SHA256:       p.BinaryDigest,
		Logger:       s.Logger,
		StartTimeout: s.DescribeTimeout,
		Package:      dir,
		Sandbox:      p.Manifest.Asks.Sandbox,
		Limits:       p.Manifest.Asks.Resources,
	})
	if err != nil {
		return refuse(ErrMismatch, "driver %s cannot be asked what it is: %w", p, err)
	}
	if !sameJSON(said, answer) {
		return refuse(ErrMismatch, "the binary of driver %s does not describe itself as %s does: "+
			"the package was made from another build; make it again", p, describeFile)
	}
	return nil
}

// admit refuses a package that contradicts what is installed.
func (s *Store) admit(p Package) error {
	have, err := s.readLink(s.indexLink(p.Name, p.Version))
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case have != p.Digest:
		return refuse(ErrVersionTaken, "driver %s is installed already with other content (%s, this one is %s): "+
			"a version never changes; give this build a new one", p, have, p.Digest)
	}
	return nil
}

// mayActivate refuses a step back that nobody asked for, and what contradicts
// another active driver.
func (s *Store) mayActivate(p Package, force bool) error {
	active, err := s.Active()
	if err != nil {
		return err
	}
	return mayReplace(active, p, force)
}

func mayReplace(active []Package, p Package, force bool) error {
	for _, other := range active {
		if other.Damage != nil {
			continue // it makes no clusters
		}
		if other.Name == p.Name {
			if !force && older(p.Version, other.Version) {
				return refuse(ErrDowngrade, "driver %s is older than the active version %s: "+
					"use rollback, or --force if this is meant", p, other.Version)
			}
			continue
		}
		for _, theirs := range other.Manifest.ClusterTypes {
			for _, ours := range p.Manifest.ClusterTypes {
				if ours == theirs {
					return refuse(ErrConflict, "drivers %s and %s both make clusters of type %s with priority %d: "+
						"give one of them another priority, or disable one", other, p, ours, ours.Priority)
				}
			}
		}
	}
	return nil
}

// keep moves the copy to where its digest says. A copy that is there already
// is the same, unless it was damaged: then it makes place.
func (s *Store) keep(temp, digest string) error {
	target := s.contentPath(digest)
	if _, err := os.Lstat(target); err == nil {
		if s.verify(digest) == nil {
			return nil
		}
		removeTree(target)
	}
	// Renaming a directory changes its "..", which a read-only one refuses to
	// everybody but root.
	if err := os.Chmod(temp, dirMode); err != nil {
		return fmt.Errorf("keep the package: %w", err)
	}
	if err := os.Rename(temp, target); err != nil {
		return fmt.Errorf("keep the package: %w", err)
	}
	if err := os.Chmod(target, keptDirMode); err != nil {
		return fmt.Errorf("keep the package: %w", err)
	}
	return syncDir(filepath.Dir(target))
}

// index makes the version known. The link is made once and never changed.
func (s *Store) index(p Package) error {
	link := s.indexLink(p.Name, p.Version)
	if err := os.MkdirAll(filepath.Dir(link), dirMode); err != nil {
		return fmt.Errorf("index driver %s: %w", p, err)
	}
	err := os.Symlink(filepath.Join("..", "..", contentDir, p.Digest), link)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("index driver %s: %w", p, err)
	}
	return syncDir(filepath.Dir(link))
}
