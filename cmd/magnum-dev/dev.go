package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/go-hclog"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/go-magnum/magnum/cmd/internal/command"
	"github.com/go-magnum/magnum/cmd/internal/wire"
	"github.com/go-magnum/magnum/core/config"
	"github.com/go-magnum/magnum/core/devcloud"
	"github.com/go-magnum/magnum/core/obs"
	"github.com/go-magnum/magnum/core/server"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/plugins/store"
)

// dev is a running service with its cloud.
type dev struct {
	dir      string
	cloud    *devcloud.Cloud
	env      command.Env
	attached []string // folders of drivers that somebody else starts
}

// run brings everything up in o.dir, calls use once the API answers, and takes
// everything down when use returns or the context ends.
func run(ctx context.Context, o *options, files []string, log io.Writer, use func(context.Context, *dev) error) (err error) {
	dir, remove, err := folder(o.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()

	host, port, err := listenAddress(ctx, o.listen)
	if err != nil {
		return err
	}
	boot := hclog.New(&hclog.LoggerOptions{Name: "magnum-dev", Output: log})
	cloud, err := devcloud.Start(devcloud.Config{
		Addr: "127.0.0.1:0", ServerDelay: o.serverDelay, Logger: boot.Named("cloud"),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cloud.Close(context.WithoutCancel(ctx))) }()
	cloud.SetMagnumURL("http://" + net.JoinHostPort(host, strconv.Itoa(port)) + "/v1")

	path := filepath.Join(dir, "magnum.conf")
	text := cloud.MagnumConf(dir, host, port, filepath.Join(dir, "magnum.sqlite"))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	conf, err := config.Load(append([]string{path}, files...)...)
	if err != nil {
		return err
	}
	logger, err := logger(conf, log)
	if err != nil {
		return err
	}
	d := &dev{dir: dir, cloud: cloud, env: command.Env{Config: conf, Logger: logger}}
	if err := d.prepare(ctx, o.drivers); err != nil {
		return err
	}
	return d.serve(ctx, slices.Concat(o.attach, conf.Drivers.Attach), use)
}

// logger writes to log unless the configuration names a file.
func logger(c *config.Config, log io.Writer) (hclog.Logger, error) {
	l, err := obs.NewLogger("magnum-dev", c)
	if err != nil || c.Default.LogFile != "" {
		return l, err
	}
	return hclog.New(&hclog.LoggerOptions{Name: "magnum-dev", Level: l.GetLevel(), Output: log, JSONFormat: c.Default.UseJSON}), nil
}

func (d *dev) serve(ctx context.Context, attached []string, use func(context.Context, *dev) error) error {
	drivers, err := wire.Drivers(d.env, attached...)
	if err != nil {
		return err
	}
	d.attached = attached
	defer wire.Close(drivers, d.env.Logger)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	g, ctx := errgroup.WithContext(ctx)
	ready := make(chan struct{})
	g.Go(func() error {
		return server.Both(ctx, server.Config{
			Config: d.env.Config, Logger: d.env.Logger, Build: command.Build(), Drivers: drivers, Collectors: []prometheus.Collector{drivers},
			Ready: func(string) { close(ready) },
		})
	})
	g.Go(func() error {
		select {
		case <-ready:
			defer stop()
			return use(ctx, d)
		case <-ctx.Done():
			return nil
		}
	})
	return g.Wait()
}

// prepare makes the schema and installs drivers.
func (d *dev) prepare(ctx context.Context, drivers string) error {
	db, err := state.Open(ctx, state.Config{Connection: d.env.Config.Database.Connection.Reveal()})
	if err != nil {
		return err
	}
	if _, _, err := db.Upgrade(ctx); err != nil {
		return errors.Join(err, db.Close())
	}
	if err := db.Close(); err != nil {
		return err
	}
	if drivers == "" {
		return nil
	}
	s, err := wire.Store(d.env.Config)
	if err != nil {
		return err
	}
	manifests, err := filepath.Glob(filepath.Join(drivers, "*", "driver.yaml"))
	if err != nil {
		return err
	}
	if len(manifests) == 0 {
		return fmt.Errorf("no driver package in %s: make build puts them into bin/drivers", drivers)
	}
	slices.Sort(manifests)
	for _, m := range manifests {
		p, err := s.Install(ctx, store.InstallRequest{Source: filepath.Dir(m), Force: true})
		if err != nil {
			return err
		}
		d.env.Logger.Info("driver installed", "driver", p.Name, "version", p.Version)
	}
	return nil
}

func folder(dir string) (string, func() error, error) {
	if dir == "" {
		tmp, err := os.MkdirTemp("", "magnum-dev-")
		return tmp, func() error { return removeAll(tmp) }, err
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", nil, err
	}
	return abs, func() error { return nil }, os.MkdirAll(abs, 0o700)
}

// removeAll also removes the read-only folders of the driver store.
func removeAll(dir string) error {
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			return os.Chmod(path, 0o700) //nolint:gosec // a folder of ours that is about to go
		}
		return err
	})
	return errors.Join(err, os.RemoveAll(dir))
}

// listenAddress settles the API's port before the cloud's catalogue names it.
func listenAddress(ctx context.Context, addr string) (string, int, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return "", 0, fmt.Errorf("listen on %s; another --listen address may be free: %w", addr, err)
	}
	defer l.Close()
	a, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return "", 0, fmt.Errorf("listen on %s: not a TCP address", addr)
	}
	return a.IP.String(), a.Port, nil
}

// users are whom the embedded cloud has: a member of project demo, a reader of
// it, a member of another project, and the administrator.
var users = []string{"demo", "reader", "alt", "admin"}

// writeAccounts puts a file for each user into the folder, to be read by a shell.
func (d *dev) writeAccounts() error {
	for _, user := range users {
		text := exports(d.cloud.OpenRC(user))
		if err := os.WriteFile(filepath.Join(d.dir, "openrc-"+user), []byte(text), 0o600); err != nil {
			return fmt.Errorf("write the variables of %s: %w", user, err)
		}
	}
	return nil
}

// exports sets variables in a shell.
func exports(rc map[string]string) string {
	var text strings.Builder
	for _, k := range slices.Sorted(maps.Keys(rc)) {
		fmt.Fprintf(&text, "export %s=%s\n", k, rc[k])
	}
	return text.String()
}

func serve(c *cobra.Command, o *options) error {
	files, err := c.Flags().GetStringArray("config-file")
	if err != nil {
		return err
	}
	return run(c.Context(), o, files, c.ErrOrStderr(), func(ctx context.Context, d *dev) error {
		out := c.OutOrStdout()
		if err := d.writeAccounts(); err != nil {
			return err
		}
		fmt.Fprintf(out, "# The service answers. In another shell:\n%s", exports(d.cloud.OpenRC(users[0])))
		fmt.Fprintf(out, "# or, for another user (%s):\n# . %s\n", strings.Join(users[1:], ", "), filepath.Join(d.dir, "openrc-USER"))
		for _, folder := range d.attached {
			fmt.Fprintf(out, "# ATTACHED: what serves in %s is used as it is, neither verified nor confined\n", folder)
		}
		fmt.Fprintf(out, "# state is in %s; stop with Ctrl-C\n", d.dir)
		<-ctx.Done()
		return nil
	})
}
