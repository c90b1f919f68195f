// Package conform runs the conformance suite over an executable or a package,
// started as a conductor starts it.
package conform

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
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
	// Asks is what an executable needs. A package says so itself and takes none.
	Asks *store.Asks
	Env  []string // beyond what every driver gets
}

// Run starts the driver and checks the rules.
func Run(ctx context.Context, o Options) (results []drivertest.Result, err error) {
	found, clean, err := open(ctx, o.Driver)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, clean()) }()
	binary, digest := o.Driver, found.BinaryDigest
	var (
		asks  store.Asks
		claim *drivertest.Claim
	)
	switch {
	case found.Digest != "" && o.Asks != nil:
		return nil, fmt.Errorf("%s is a package: what it asks for is in its manifest", o.Driver)
	case o.Asks != nil:
		asks = *o.Asks
	}
	if found.Digest == "" {
		if digest, err = digestOf(binary); err != nil {
			return nil, err
		}
	} else {
		asks, binary = found.Manifest.Asks, found.Binary()
		claim = &drivertest.Claim{Name: found.Name, Version: found.Version, Services: found.Description.Services}
	}
	cfg := launch.Config{
		Name: filepath.Base(o.Driver), Binary: binary, SHA256: digest, Env: o.Env,
		Package: found.Path, Sandbox: asks.Sandbox, Limits: asks.Resources,
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

// open unpacks a package into a store that lasts for the run; for an executable
// there is none.
func open(ctx context.Context, path string) (p store.Package, clean func() error, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return p, nil, err
	}
	if info.Mode().IsRegular() && !strings.HasSuffix(path, store.ArchiveSuffix) {
		return p, func() error { return nil }, nil
	}
	dir, err := os.MkdirTemp("", "conform")
	if err != nil {
		return p, nil, err
	}
	clean = func() error { return remove(dir) }
	if p, err = install(ctx, dir, path); err != nil {
		return p, nil, errors.Join(err, clean())
	}
	return p, clean, nil
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
