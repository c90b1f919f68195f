package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-magnum/magnum/cmd/internal/command"
	"github.com/go-magnum/magnum/cmd/internal/table"
	"github.com/go-magnum/magnum/cmd/internal/wire"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/plugins/store"
	"github.com/go-magnum/magnum/plugins/supervise"
)

// watchPoll is how often the services' reports are read.
const watchPoll = 250 * time.Millisecond

// errRolledBack is for an upgrade that was taken back.
var errRolledBack = errors.New("the upgrade was rolled back")

func upgrade() *cobra.Command {
	c := &cobra.Command{
		Use: "upgrade", Short: "See what another version of a driver changes, and go over to it with a way back", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(upgradePlan(), upgradeApply())
	return c
}

const upgradeTarget = "NAME is the newest installed version, NAME@VERSION another one; a path or a URL is as of install."

func upgradePlan() *cobra.Command {
	c := &cobra.Command{
		Use: "plan NAME[@VERSION]|SOURCE", Short: "Tell what would change, and change nothing", Args: cobra.ExactArgs(1),
		Long: "Tell what would change, and change nothing. " + upgradeTarget + "\n" +
			"Breaks says what new clusters, or clusters that are moved to the version, would miss. The templates, clusters and\n" +
			"node groups that use it are listed, with their uuids.",
	}
	out := table.Flags(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		env, s, err := openEnv(c)
		if err != nil {
			return err
		}
		to, err := planned(c.Context(), s, args[0])
		if err != nil {
			return failed(err)
		}
		from, err := s.Find(to.Name, "")
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return failed(err)
		}
		rows := changes(from.Description, to.Description)
		pins, err := pinnedTo(c.Context(), env, to.Name)
		used, missing := broken(c.Context(), env, s, from.Description, to.Description)
		if err := cmp.Or(err, missing); err != nil {
			fmt.Fprintf(c.ErrOrStderr(), "warning: the clusters are not known: %v\n", err)
		}
		for _, p := range pins {
			rows = append(rows, []string{"clusters", p, "stay with it", ""})
		}
		rows = append(rows, used...)
		return out.Write(c.OutOrStdout(), []string{"What", "Active", "New", "Breaks"}, rows)
	}
	return c
}

// isSource tells a package's place from a driver's name.
func isSource(arg string) bool {
	if strings.ContainsAny(arg, "/:") || strings.HasSuffix(arg, store.ArchiveSuffix) {
		return true
	}
	_, err := os.Stat(arg)
	return err == nil
}

// errPlanned ends an installation that was not meant.
var errPlanned = errors.New("only a plan")

// planned finds what an upgrade would lead to. A package that is not installed
// goes through all of an installation's checks, and is not installed.
func planned(ctx context.Context, s *store.Store, arg string) (store.Package, error) {
	if !isSource(arg) {
		return candidate(s, arg)
	}
	var found store.Package
	_, err := s.Install(ctx, store.InstallRequest{Source: arg, KeepActive: true, Prove: func(_ context.Context, p store.Package) error {
		found = p
		return errPlanned
	}})
	if errors.Is(err, errPlanned) {
		err = nil
	}
	return found, err
}

// candidate is an installed version, the newest unless one is named.
func candidate(s *store.Store, arg string) (store.Package, error) {
	name, version, _ := strings.Cut(arg, "@")
	if version == "" {
		return s.Newest(name)
	}
	return s.Find(name, version)
}

// pinnedTo counts the clusters of each version of a driver.
func pinnedTo(ctx context.Context, env command.Env, name string) (lines []string, err error) {
	err = withDatabase(ctx, env, func(ctx context.Context, db *state.DB) error {
		pins, err := db.Pins(ctx)
		counts := map[string]int{}
		for _, p := range pins {
			if p.Driver.Name == name {
				counts[p.Driver.Version]++
			}
		}
		for _, version := range sorted(counts) {
			lines = append(lines, fmt.Sprintf("%d of %s", counts[version], version))
		}
		return err
	})
	return lines, err
}

func upgradeApply() *cobra.Command {
	var (
		watch   time.Duration
		request store.ActivateRequest
		accept  bool
	)
	c := &cobra.Command{
		Use: "apply NAME[@VERSION]|SOURCE", Short: "Verify, try, activate and watch a version, and go back by itself if it fails", Args: cobra.ExactArgs(1),
		Long: "Verify a version, try it in a process of its own, make it active, and watch how the services on this host fare\n" +
			"with it: a crash or a failed start brings back what was active. " + upgradeTarget + "\n" +
			"What fails before it is active changes nothing. A version is refused that templates, clusters or node groups would\n" +
			"miss something in; upgrade plan lists them.",
	}
	c.Flags().DurationVar(&watch, "watch", 30*time.Second, "for how `long` to watch; 0 for not at all")
	c.Flags().BoolVar(&request.Force, "force", false, "also if a newer version is active")
	c.Flags().BoolVar(&accept, "accept-breaks", false, "also if templates or clusters use what the version does not have")
	reasonFlag(c, &request.Reason)
	c.RunE = func(c *cobra.Command, args []string) error {
		env, s, err := openEnv(c)
		if err != nil {
			return err
		}
		cfg, err := wire.Supervision(env, s)
		if err != nil {
			return err
		}
		request.By = caller()
		if request.Reason == "" {
			request.Reason = "upgrade apply"
		}
		request.Prove = func(ctx context.Context, p store.Package) error {
			if !accept {
				if err := refuseBroken(ctx, env, s, p); err != nil {
					return err
				}
			}
			return supervise.Prove(ctx, cfg, p)
		}
		before, p, err := flip(c.Context(), s, args[0], request)
		if err != nil {
			return failed(fmt.Errorf("nothing was changed: %w", err))
		}
		if before.Active && before.Digest == p.Digest {
			fmt.Fprintf(c.OutOrStdout(), "%s is active already\n", p)
			return nil
		}
		fmt.Fprintf(c.OutOrStdout(), "%s passed its self-test and is active\n", p)
		w := watcher{cfg: cfg, pkg: p, since: time.Now()}
		seen, why := w.watch(c.Context(), watch)
		if why == nil {
			fmt.Fprintln(c.OutOrStdout(), seen)
			return nil
		}
		return failed(takeBack(context.WithoutCancel(c.Context()), s, before, p, why))
	}
	return c
}

// flip makes the version active, and returns what was so before.
func flip(ctx context.Context, s *store.Store, arg string, r store.ActivateRequest) (before, after store.Package, err error) {
	prove := r.Prove
	r.Prove = func(ctx context.Context, p store.Package) error {
		if before, err = s.Find(p.Name, ""); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return prove(ctx, p)
	}
	if isSource(arg) {
		after, err = s.Install(ctx, store.InstallRequest{Source: arg, Change: r.Change, Force: r.Force, Prove: r.Prove})
		return before, after, err
	}
	p, err := candidate(s, arg)
	if err != nil {
		return before, p, err
	}
	r.Name, r.Version = p.Name, p.Version
	after, err = s.Activate(ctx, r)
	return before, after, err
}

// takeBack brings back what was active, or nothing where nothing was.
func takeBack(ctx context.Context, s *store.Store, before, p store.Package, why error) error {
	change := store.Change{By: caller(), Reason: fmt.Sprintf("upgrade apply: %v", why)}
	if !before.Active {
		if err := s.Disable(ctx, p.Name, change); err != nil {
			return fmt.Errorf("driver %s: %w; and it is active still: %w", p, why, err)
		}
		return fmt.Errorf("%w, no version of driver %s is active: %w", errRolledBack, p.Name, why)
	}
	if _, err := s.Rollback(ctx, store.RollbackRequest{Name: p.Name, From: p.Digest, Change: change}); err != nil {
		return fmt.Errorf("driver %s: %w; and it could not be rolled back: %w", p, why, err)
	}
	return fmt.Errorf("%w, %s is active: %w", errRolledBack, before, why)
}

// watcher looks at how the services on this host fare with a version.
type watcher struct {
	cfg   supervise.Config
	pkg   store.Package
	since time.Time
}

// watch returns what was seen, or why the version is not to stay.
func (w watcher) watch(ctx context.Context, length time.Duration) (seen string, why error) {
	if length <= 0 {
		return "it was not watched: only its self-test speaks for it", nil
	}
	services := w.services()
	if len(services) == 0 {
		return "no service runs on this host: only its self-test speaks for it", nil
	}
	end := time.NewTimer(length)
	defer end.Stop()
	tick := time.NewTicker(watchPoll)
	defer tick.Stop()
	for {
		if err := w.failure(); err != nil {
			return "", err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return "", fmt.Errorf("the watch was interrupted: %w", ctx.Err())
		case <-end.C:
			ready := 0
			for _, d := range w.services() {
				if d.State == supervise.StateReady {
					ready++
				}
			}
			return fmt.Sprintf("%d of %d services on this host run it, and none had trouble within %s", ready, len(w.services()), length), w.failure()
		}
	}
}

// services has one status for each service on this host; an empty one where it
// was never asked for the version.
func (w watcher) services() []supervise.Status {
	hosts, _ := supervise.Hosts(w.cfg.RunDir) // what cannot be read tells nothing, either way
	all := make([]supervise.Status, len(hosts))
	for i, h := range hosts {
		for _, d := range h.Drivers {
			if d.Name == w.pkg.Name && d.Version == w.pkg.Version {
				all[i] = d
			}
		}
	}
	return all
}

// failure is the first trouble that a service reports.
func (w watcher) failure() error {
	for _, d := range w.services() {
		switch {
		case d.State == supervise.StateCrashLoop, d.State == supervise.StateRejected,
			d.State == supervise.StateStopped && d.LastError != "" && d.Since.After(w.since):
			return fmt.Errorf("driver %s is %s: %s", w.pkg, d.State, d.LastError)
		}
	}
	crashes, _ := supervise.Crashes(w.cfg.CrashDir)
	for _, r := range crashes {
		if r.Driver == w.pkg.Name && r.Version == w.pkg.Version && r.EndedAt.After(w.since) {
			return fmt.Errorf("driver %s crashed: see magnum-driver-manage crashes %s", w.pkg, r.ID)
		}
	}
	return nil
}
