package store

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/plugins/launch"
	"github.com/go-magnum/magnum/sdk/driver"
)

// The directories of a store.
const (
	contentDir     = "store/sha256"
	indexDir       = "index"
	generationsDir = "generations"
	activeDir      = "active"
	signaturesDir  = "signatures"
	sourcesDir     = "sources"
	lockFile       = "lock"
)

// ErrNotFound is wrapped by the error for a driver or version that is not
// installed.
var ErrNotFound = errors.New("not installed")

// Store is a directory of installed packages.
type Store struct {
	dir string

	// Logger gets what drivers print while they are described; none by
	// default.
	Logger hclog.Logger
	// Now is the clock of generations; time.Now by default.
	Now func() time.Time
	// DescribeTimeout bounds the run of a driver's describe at installation;
	// 10 s by default.
	DescribeTimeout time.Duration
	// TrustFile says whose packages may be installed; it need not be there.
	// It is read at every installation.
	TrustFile string
	// FetchTimeout bounds the way of an archive into the store; 10 min by
	// default.
	FetchTimeout time.Duration
	// MaxArchive and MaxBytes bound an archive and what a package unpacks to;
	// 512 MiB and 1 GiB by default.
	MaxArchive, MaxBytes int64
	// Transport is what archives on servers are fetched with;
	// http.DefaultTransport by default.
	Transport http.RoundTripper
}

// Package is an installed package.
type Package struct {
	Name    string
	Version string
	// Digest is the package's own: the sha256 of its files.sha256.
	Digest string
	// Path is its directory.
	Path        string
	Manifest    Manifest
	Description driver.Description
	// Active says that it is the version in use for new clusters.
	Active bool
	// BinaryDigest is the sha256 that the binary must have.
	BinaryDigest string
	// Signers are the keys that vouched for the package when it was
	// installed; none are known of one that was there before.
	Signers []string
	// Damage, if set, says why the package cannot be used. Only Name,
	// Version, Digest and Path are known then.
	Damage error
}

// Binary is the path of the driver's binary.
func (p Package) Binary() string { return filepath.Join(p.Path, binaryFile) }

func (p Package) String() string { return p.Name + " " + p.Version }

// Open opens a store, and makes one where there is none.
func Open(dir string) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open the driver store %s: %w", dir, err)
	}
	for _, sub := range []string{contentDir, indexDir, generationsDir, activeDir, signaturesDir, sourcesDir} {
		if err := os.MkdirAll(filepath.Join(dir, sub), dirMode); err != nil {
			return nil, fmt.Errorf("open the driver store %s: %w", dir, err)
		}
	}
	return &Store{
		dir:             dir,
		Logger:          hclog.NewNullLogger(),
		Now:             time.Now,
		DescribeTimeout: 10 * time.Second,
		FetchTimeout:    10 * time.Minute,
		MaxArchive:      archiveBytes,
		MaxBytes:        packageBytes,
	}, nil
}

// Packages lists all installed versions of all drivers, by name and version.
// It reads manifests and descriptions, and starts nothing. A damaged package is
// in the list, with its Damage: it must not hide the others.
func (s *Store) Packages() ([]Package, error) {
	names, err := s.list(indexDir)
	if err != nil {
		return nil, err
	}
	var packages []Package
	for _, name := range names {
		versions, err := s.list(filepath.Join(indexDir, name))
		if err != nil {
			return nil, err
		}
		for _, version := range versions {
			packages = append(packages, s.findOrDamaged(name, version))
		}
	}
	return packages, nil
}

// Active lists the packages in use, by name, damaged ones included.
func (s *Store) Active() ([]Package, error) {
	names, err := s.list(activeDir)
	if err != nil {
		return nil, err
	}
	packages := make([]Package, 0, len(names))
	for _, name := range names {
		packages = append(packages, s.findOrDamaged(name, ""))
	}
	return packages, nil
}

func (s *Store) findOrDamaged(name, version string) Package {
	p, err := s.Find(name, version)
	if err == nil {
		return p
	}
	p = Package{Name: name, Version: version, Damage: err, Active: version == ""}
	if digest, err := s.Resolve(name, version); err == nil {
		p.Digest, p.Path = digest, s.contentPath(digest)
	}
	return p
}

// Find returns one version of a driver, or the active one where version is
// empty. An error for one that is not there wraps [ErrNotFound].
func (s *Store) Find(name, version string) (Package, error) {
	digest, err := s.Resolve(name, version)
	if err != nil {
		return Package{}, err
	}
	p, err := s.load(digest)
	if err != nil {
		return Package{}, fmt.Errorf("driver %s: %w", name, err)
	}
	if p.Name != name || (version != "" && p.Version != version) {
		return Package{}, fmt.Errorf("the driver store's entry for %s %s leads to %s: repair it by installing the package again",
			name, version, p)
	}
	return p, nil
}

// Resolve returns the digest of what Find would return, by reading one link.
func (s *Store) Resolve(name, version string) (string, error) {
	if err := checkName(name); err != nil {
		return "", err
	}
	if version == "" {
		digest, err := s.readLink(s.activeLink(name))
		if errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("driver %s is %w, or no version of it is active", name, ErrNotFound)
		}
		return digest, err
	}
	if err := checkVersion(version); err != nil {
		return "", err
	}
	digest, err := s.readLink(s.indexLink(name, version))
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("driver %s %s is %w", name, version, ErrNotFound)
	}
	return digest, err
}

// Verify reads all files of a package, compares them with what was installed,
// and refuses a store that others may write to.
func (s *Store) Verify(p Package) error {
	err := s.verify(p.Digest)
	if err != nil {
		err = refuse(ErrDamaged, "it is not what was installed: %w", err)
	} else {
		err = s.CheckOwner(p)
	}
	if err != nil {
		return fmt.Errorf("verify driver %s: %w", p, err)
	}
	return nil
}

// CheckOwner refuses a package whose binary others than root, this user and
// the store's owner could change or replace. The owner is the service's user
// where root installs into the service's folder.
func (s *Store) CheckOwner(p Package) error {
	return s.checkOwner(p.Binary())
}

// CheckFolder is CheckOwner of the folder that packages are installed into.
func (s *Store) CheckFolder() error {
	return s.checkOwner(filepath.Join(s.dir, contentDir))
}

func (s *Store) checkOwner(path string) error {
	info, err := os.Stat(s.dir)
	if err != nil {
		return fmt.Errorf("look at the driver store: %w", err)
	}
	var owners []int
	if system, ok := info.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		owners = append(owners, int(system.Uid))
	}
	return launch.CheckOwner(path, owners...)
}

func (s *Store) verify(digest string) error {
	root, err := os.OpenRoot(s.contentPath(digest))
	if err != nil {
		return fmt.Errorf("open the package: %w", err)
	}
	defer func() { _ = root.Close() }()
	files, err := s.digests(root, digest)
	if err != nil {
		return err
	}
	if err := files.checkTree(root); err != nil {
		return err
	}
	return files.checkContent(root)
}

// digests reads the list of a stored package; its own digest is the name of
// the directory it is in.
func (s *Store) digests(root *os.Root, digest string) (digests, error) {
	text, err := readText(root, digestsFile)
	if err != nil {
		return nil, err
	}
	if got := digestOf(text); got != digest {
		return nil, refuse(ErrChanged, "%s was changed: its sha256 is %s, not %s: install the package again", digestsFile, got, digest)
	}
	return parseDigests(text)
}

func (s *Store) load(digest string) (Package, error) {
	dir := s.contentPath(digest)
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Package{}, fmt.Errorf("open package %s: %w", digest, err)
	}
	defer func() { _ = root.Close() }()
	files, err := s.digests(root, digest)
	if err != nil {
		return Package{}, refuse(ErrDamaged, "package %s: %w", dir, err)
	}
	p, err := readPackage(root, files)
	switch {
	case errors.Is(err, ErrManifestVersion): // as it was installed, by another Magnum
		return Package{}, fmt.Errorf("package %s: %w", dir, err)
	case err != nil:
		return Package{}, refuse(ErrDamaged, "package %s: %w", dir, err)
	}
	p.Digest, p.Path = digest, dir
	active, err := s.readLink(s.activeLink(p.Name))
	p.Active = err == nil && active == digest
	return p, nil
}

// readPackage reads manifest and description, and proves that they agree.
func readPackage(root *os.Root, files digests) (Package, error) {
	text, err := files.readListed(root, manifestFile)
	if err != nil {
		return Package{}, err
	}
	manifest, err := parseManifest(text)
	if err != nil {
		return Package{}, err
	}
	if text, err = files.readListed(root, describeFile); err != nil {
		return Package{}, err
	}
	description, err := parseDescription(text)
	if err != nil {
		return Package{}, fmt.Errorf("%s: %w", describeFile, err)
	}
	if err := manifest.agrees(description); err != nil {
		return Package{}, err
	}
	return Package{
		Name:         manifest.Name,
		Version:      manifest.Version,
		Manifest:     manifest,
		Description:  description,
		BinaryDigest: files[binaryFile],
	}, nil
}

// list returns the names in one of the store's directories, but not those of
// links that are being made.
func (s *Store) list(sub string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(s.dir, sub))
	if err != nil {
		return nil, fmt.Errorf("read the driver store: %w", err)
	}
	var names []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// readLink returns the digest that a link of the store leads to.
func (s *Store) readLink(path string) (string, error) {
	target, err := os.Readlink(path)
	if err != nil {
		return "", fmt.Errorf("read the driver store: %w", err)
	}
	return filepath.Base(target), nil
}

func (s *Store) contentPath(digest string) string { return filepath.Join(s.dir, contentDir, digest) }
func (s *Store) activeLink(name string) string    { return filepath.Join(s.dir, activeDir, name) }
func (s *Store) indexLink(name, version string) string {
	return filepath.Join(s.dir, indexDir, name, version)
}
