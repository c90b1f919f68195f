// Package conform runs the conformance suite over an executable or a package,
// started as a conductor starts it, and shows what a driver renders.
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
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/plugins/launch"
	"github.com/go-magnum/magnum/plugins/store"
	"github.com/go-magnum/magnum/sdk/driver"
	pb "github.com/go-magnum/magnum/sdk/driverpb"
	"github.com/go-magnum/magnum/sdk/drivertest"
)

// Options say what to run. Driver is required.
type Options struct {
	// Driver is an executable, a package's folder or its archive, or a folder
	// with a driver's sources in Go. A package is verified, as for an
	// installation; sources are built.
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
	cfg, err := found.config(o)
	if err != nil {
		return nil, err
	}
	var claim *drivertest.Claim
	if p := found.pkg; p.Digest != "" {
		claim = &drivertest.Claim{Name: p.Name, Version: p.Version, Services: p.Description.Services}
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

// Render starts the driver and has it render the stack of a request; see
// drivertest.Render.
func Render(ctx context.Context, o Options, intent driver.Intent, given map[string]any) (out *pb.RenderResponse, err error) {
	found, clean, err := open(ctx, o.Driver)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, clean()) }()
	cfg, err := found.config(o)
	if err != nil {
		return nil, err
	}
	p, err := launch.Start(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.Kill()) }()
	return drivertest.Render(ctx, p, intent, given)
}

// opened is a driver that can be started: an executable, and the package that it
// is of, if it is of one.
type opened struct {
	binary string
	pkg    store.Package
}

func (d opened) config(o Options) (launch.Config, error) {
	asks, digest := d.pkg.Manifest.Asks, d.pkg.BinaryDigest
	switch {
	case d.pkg.Digest != "" && o.Asks != nil:
		return launch.Config{}, fmt.Errorf("%s is a package: what it asks for is in its manifest", o.Driver)
	case o.Asks != nil:
		asks = *o.Asks
	}
	if d.pkg.Digest == "" {
		var err error
		if digest, err = digestOf(d.binary); err != nil {
			return launch.Config{}, err
		}
	}
	return launch.Config{
		Name: filepath.Base(o.Driver), Binary: d.binary, SHA256: digest, Env: o.Env,
		Package: d.pkg.Path, Sandbox: asks.Sandbox, Limits: asks.Resources,
		// The driver logs all it can: what it must not say is looked for.
		Logger: hclog.New(&hclog.LoggerOptions{Level: hclog.Debug, Output: io.Discard}),
	}, nil
}

// open unpacks a package into a store, and builds sources into a folder, that
// last for the run.
func open(ctx context.Context, path string) (d opened, clean func() error, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return d, nil, err
	}
	if info.Mode().IsRegular() && !strings.HasSuffix(path, store.ArchiveSuffix) {
		return opened{binary: path}, func() error { return nil }, nil
	}
	dir, err := os.MkdirTemp("", "conform")
	if err != nil {
		return d, nil, err
	}
	clean = func() error { return remove(dir) }
	if _, missing := os.Stat(filepath.Join(path, "go.mod")); missing == nil {
		d.binary = filepath.Join(dir, "driver")
		err = build(ctx, path, d.binary)
	} else if d.pkg, err = install(ctx, dir, path); err == nil {
		d.binary = d.pkg.Binary()
	}
	if err != nil {
		return d, nil, errors.Join(err, clean())
	}
	return d, clean, nil
}

func build(ctx context.Context, sources, binary string) error {
	c := exec.CommandContext(ctx, "go", "build", "-o", binary, ".")
	c.Dir = sources
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("build the driver in %s: %w: %s", sources, err, out)
	}
	return nil
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
