package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/go-magnum/magnum/cmd/internal/command"
	"github.com/go-magnum/magnum/core/label"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/plugins/store"
	"github.com/go-magnum/magnum/sdk/driver"
)

// errUsersBreak is for templates and clusters that the version would not take
// as they are.
var errUsersBreak = errors.New("templates or clusters use what it does not have")

// users looks for the templates and clusters of a driver that would miss
// something in another version.
type users struct {
	to      *driver.Description
	schemas label.Schemas
	next    *label.Schema // of to
	rows    [][]string    // as those of changes
}

// usersOf has a row for everything that a template or cluster of the driver uses
// and the version to does not take, and the version it has now does. described
// finds the installed versions; from is the active one, empty if there is none.
func usersOf(ctx context.Context, db *state.DB, described func(version string) *driver.Description, from, to *driver.Description) ([][]string, error) {
	u := &users{to: to}
	var err error
	if u.next, err = u.schemas.Compile(to); err != nil {
		return nil, err
	}
	everything := state.Scope{All: true}
	templates, err := db.Templates(ctx, everything, state.Page{})
	if err != nil {
		return nil, err
	}
	clusters, err := db.Clusters(ctx, everything, state.Page{})
	if err != nil {
		return nil, err
	}
	mine := map[string]bool{} // templates by uuid
	for _, t := range templates {
		if !uses(t, from, to.Name) {
			continue
		}
		mine[t.UUID] = true
		who := fmt.Sprintf("%s %s", t.Name, t.UUID)
		if err := u.labels("template", who, from, t.Labels, nil); err != nil {
			return nil, err
		}
		u.choice(who, "network driver", t.NetworkDriver, from.NetworkDrivers, to.NetworkDrivers)
		u.choice(who, "volume driver", t.VolumeDriver, from.VolumeDrivers, to.VolumeDrivers)
		u.choice(who, "cluster type", kindOf(t.ClusterType()), slices.Collect(maps.Keys(typesOf(*from))), slices.Collect(maps.Keys(typesOf(*to))))
	}
	for _, c := range clusters {
		now := from // also of a version that nobody has any more
		switch {
		case c.Driver.Name == to.Name:
			if d := described(c.Driver.Version); d != nil {
				now = d
			}
		case c.Driver.Name != "" || !mine[c.ClusterTemplateID]: // an adopted one has its template's
			continue
		}
		who := fmt.Sprintf("%s %s", c.Name, c.UUID)
		if err := u.labels("cluster", who, now, c.Labels, nil); err != nil {
			return nil, err
		}
		for _, g := range c.NodeGroups {
			if err := u.labels("node group", who+" "+g.Name, now, g.Labels, c.Labels); err != nil {
				return nil, err
			}
		}
	}
	return u.rows, nil
}

// uses reports whether clusters of a template get the driver.
func uses(t *magnum.ClusterTemplate, from *driver.Description, name string) bool {
	if t.Driver != "" {
		return t.Driver == name
	}
	_, ok := typesOf(*from)[kindOf(t.ClusterType())]
	return ok
}

// kindOf is a cluster type in the words of [typesOf].
func kindOf(t magnum.ClusterType) string {
	return fmt.Sprintf("(%s, %s, %s)", t.ServerType, t.OS, t.COE)
}

// labels looks at the labels of one user but for those that another has alike.
func (u *users) labels(what, who string, now *driver.Description, labels, told magnum.Labels) error {
	before, err := u.schemas.Compile(now)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		value := labels[name]
		if other, ok := told[name]; ok && other == value {
			continue
		}
		one := magnum.Labels{name: value}
		var breaks string
		switch err := u.next.Check(one); {
		case before.Knows(name) && !u.next.Knows(name):
			breaks = fmt.Sprintf("label %s has no effect any more", name)
		case err != nil && before.Check(one) == nil:
			breaks = err.Error()
		default:
			continue
		}
		u.rows = append(u.rows, []string{what, fmt.Sprintf("%s %s=%s", who, name, value), "", breaks})
	}
	return nil
}

// choice looks at one of what a driver has several of.
func (u *users) choice(who, what, chosen string, before, after []string) {
	if slices.Contains(before, chosen) && !slices.Contains(after, chosen) {
		u.rows = append(u.rows, []string{"template", fmt.Sprintf("%s %s=%s", who, what, chosen), "", fmt.Sprintf("%s %s is not supported", what, chosen)})
	}
}

// broken is usersOf with the host's own database. Where there is none yet there
// are no users.
func broken(ctx context.Context, env command.Env, s *store.Store, from, to driver.Description) (rows [][]string, err error) {
	err = withDatabase(ctx, env, func(ctx context.Context, db *state.DB) error {
		published, err := db.Drivers(ctx)
		if err != nil {
			return err
		}
		rows, err = usersOf(ctx, db, func(version string) *driver.Description {
			if p, err := s.Find(to.Name, version); err == nil {
				return &p.Description
			}
			for i := range published {
				if published[i].Name == to.Name && published[i].Version == version {
					return &published[i].Description
				}
			}
			return nil
		}, &from, &to)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return rows, err
}

// refuseBroken refuses a version that templates or clusters would miss something
// in.
func refuseBroken(ctx context.Context, env command.Env, s *store.Store, to store.Package) error {
	from, err := s.Find(to.Name, "")
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	rows, err := broken(ctx, env, s, from.Description, to.Description)
	if err != nil {
		return fmt.Errorf("see which templates and clusters it would break (--accept-breaks does without): %w", err)
	}
	if len(rows) == 0 {
		return nil
	}
	return fmt.Errorf("%w, %d in all, such as %s %s: %s; upgrade plan lists them, and --accept-breaks goes on", errUsersBreak, len(rows), rows[0][0], rows[0][1], rows[0][3])
}
