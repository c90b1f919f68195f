// Package e2e tests the executables' wiring from outside: real processes, a
// real driver, HTTP, the embedded cloud or a real one.
package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-magnum/magnum/cmd/internal/command"
	"github.com/go-magnum/magnum/cmd/internal/wire"
	"github.com/go-magnum/magnum/core/conductor"
	"github.com/go-magnum/magnum/core/config"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/server"
	"github.com/go-magnum/magnum/plugins/store"
)

// The test binary starts itself again as a service: the executables' own
// wiring, with a hook that kills at a named moment.
const (
	roleVar = "MAGNUM_E2E_ROLE" // api or conductor
	confVar = "MAGNUM_E2E_CONF"
	killVar = "MAGNUM_E2E_KILL" // victim:phase:point
)

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVar); role != "" {
		if err := play(role, os.Getenv(confVar), os.Getenv(killVar)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	dir, err := os.MkdirTemp("", "magnum-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	packageDir, testPackageDir = filepath.Join(dir, "package"), filepath.Join(dir, "test-package")
	coreOSDir, fedoraCoreOSDir = filepath.Join(dir, "coreos-package"), filepath.Join(dir, "fedora-coreos-package")
	binDir = filepath.Join(dir, "bin")
	if err := build(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// packageDir is the driver package that every test installs, testPackageDir
// one that can do all there is, coreOSDir and fedoraCoreOSDir are those that only
// the tests of their pages do; binDir holds the executables.
var packageDir, testPackageDir, coreOSDir, fedoraCoreOSDir, binDir string

func executable(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(binDir, name)
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	return path
}

const module = "github.com/go-magnum/magnum/"

func build(dir string) error {
	commands := []string{"magnum-api", "magnum-conductor", "magnum-dev", "magnum-db-manage", "magnum-driver-manage", "magnum-status"}
	for i, c := range commands {
		commands[i] = module + "cmd/" + c
	}
	if err := goBuild("CGO_ENABLED=1", binDir+"/", commands...); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	for to, from := range map[string]string{
		packageDir: "drivers-k8s-fedora-atomic", testPackageDir: "cmd/internal/testdriver",
		coreOSDir: "drivers-k8s-coreos", fedoraCoreOSDir: "drivers-k8s-coreos/k8s-fedora-coreos",
	} {
		driver := filepath.Join(dir, filepath.Base(from))
		if err := goBuild("CGO_ENABLED=0", driver, module+from); err != nil {
			return err
		}
		if err := store.Pack(ctx, to, driver, store.Asks{}); err != nil {
			return err
		}
	}
	return nil
}

func goBuild(env, to string, packages ...string) error {
	build := exec.Command("go", append([]string{"build", "-o", to}, packages...)...)
	build.Env = append(os.Environ(), env)
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build %v: %w\n%s", packages, err, out)
	}
	return nil
}

func play(role, conf, kill string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c, err := config.Load(conf)
	if err != nil {
		return err
	}
	env := command.Env{Config: c, Logger: hclog.New(&hclog.LoggerOptions{Name: role, Level: hclog.Debug})}
	s := server.Config{Config: c, Logger: env.Logger, Lease: 2 * time.Second}
	if role == "api" {
		return server.API(ctx, s)
	}
	drivers, err := wire.Drivers(env)
	if err != nil {
		return err
	}
	defer wire.Close(drivers, env.Logger)
	s.Drivers, s.Collectors = drivers, []prometheus.Collector{drivers}
	if kill != "" {
		s.Hook = killer(kill, drivers)
	}
	return server.Conductor(ctx, s)
}

// killer makes a hook that kills, once, at a phase of a create.
func killer(spec string, drivers *wire.Driver) conductor.Hook {
	victim, at, _ := strings.Cut(spec, ":")
	done := false
	return func(ctx context.Context, op *magnum.Operation, phase string, point conductor.Point) {
		if done || op.Kind != magnum.OpCreate || phase+":"+string(point) != at {
			return
		}
		done = true
		if victim == "conductor" {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // nothing runs after this
		}
		// the driver, started for the purpose where nobody has yet
		installed, err := drivers.Installed()
		if err != nil {
			panic(err)
		}
		for _, d := range installed {
			if _, err := drivers.Get(ctx, d.Name, ""); err != nil {
				panic(err)
			}
		}
		for _, s := range drivers.Status() {
			if s.PID != 0 {
				_ = syscall.Kill(s.PID, syscall.SIGKILL)
			}
		}
		fmt.Fprintln(os.Stderr, "MARK driver killed at", at)
	}
}
