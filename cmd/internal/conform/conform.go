// Package conform runs the conformance suite over an executable or a package,
// started as a conductor starts it.
package conform

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/plugins/launch"
	"github.com/go-magnum/magnum/plugins/store"
	"github.com/go-magnum/magnum/sdk/drivertest"
)

// Options say what to run. Driver is required.
type Options struct {
	// Driver is an executable, a package's folder or its archive. A package is
	// verified, as for an installation.
	Driver string
	Rules  []string
	Env    []string // beyond what every driver gets
}

// Run starts the driver and checks the rules.
func Run(ctx context.Context, o Options) (results []drivertest.Result, err error) {
	binary, claim, clean, err := open(ctx, o.Driver)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, clean()) }()
	digest, err := digestOf(binary)
	if err != nil {
		return nil, err
	}
	cfg := launch.Config{
		Name: filepath.Base(o.Driver), Binary: binary, SHA256: digest, Env: o.Env,
		// The driver logs all it can: what it must not say is looked for.
		Logger: hclog.New(&hclog.LoggerOptions{Level: hclog.Debug, Output: io.Discard}),
	}
	return drivertest.Run(ctx, drivertest.Config{
		Start: func(ctx context.Context) (drivertest.Process, error) {
			p, err := launch.Start(ctx, cfg)
			if err != nil {
				return nil, err
			}
			return p, nil
		},
		Describe: func(ctx context.Context) ([]byte, error) { return launch.Describe(ctx, cfg) },
		Claim:    claim,
		Rules:    o.Rules,
	})
}

// open finds the executable; a package is unpacked into a store that lasts for
// the run.
func open(ctx context.Context, path string) (binary string, claim *drivertest.Claim, clean func() error, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", nil, nil, err
	}
	if info.Mode().IsRegular() && !strings.HasSuffix(path, store.ArchiveSuffix) {
		return path, nil, func() error { return nil }, nil
	}
	dir, err := os.MkdirTemp("", "conform")
	if err != nil {
		return "", nil, nil, err
	}
	clean = func() error { return remove(dir) }
	p, err := install(ctx, dir, path)
	if err != nil {
		return "", nil, nil, errors.Join(err, clean())
	}
	return p.Binary(), &drivertest.Claim{Name: p.Name, Version: p.Version, Services: p.Description.Services}, clean, nil
}

func install(ctx context.Context, dir, path string) (store.Package, error) {
	s, err := store.Open(dir)
	if err != nil {
		return store.Package{}, err
	}
	return s.Install(ctx, store.InstallRequest{Source: path})
}

// remove removes a store, whose folders are read-only.
func remove(dir string) error {
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		return os.Chmod(path, 0o700) //nolint:gosec // a folder, on its way out
	})
	return errors.Join(err, os.RemoveAll(dir))
}

func digestOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	sum := sha256.New()
	_, err = io.Copy(sum, f)
	return hex.EncodeToString(sum.Sum(nil)), err
}
