package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/plugins/store"
)

// pinsNamed is how many of a missing version's clusters are named.
const pinsNamed = 3

// database is about reaching it, its schema, and whether the drivers of all
// clusters are installed.
func database(ctx context.Context, c *checkup) (found []finding) {
	const option = "[database] connection"
	err := withDatabase(ctx, c.env, func(ctx context.Context, db *state.DB) error {
		have, err := db.Version(ctx)
		if err != nil {
			return err
		}
		switch want := db.Latest(); {
		case have < want:
			found = []finding{{fail, "schema", fmt.Sprintf("it is at revision %d, this release needs %d", have, want), "magnum-db-manage upgrade"}}
			return nil
		case have > want:
			found = []finding{{fail, "schema", fmt.Sprintf("it is at revision %d, of a later release; this one knows %d", have, want), "install that release here"}}
			return nil
		}
		found = []finding{{ok, option, fmt.Sprintf("it answers, and its schema is at revision %d, as it has to be", have), ""}}
		pins, err := db.Pins(ctx)
		if err != nil {
			return err
		}
		missing, err := c.missing(pins)
		if err != nil {
			return err
		}
		found = append(found, orOK(missing, "pins", fmt.Sprintf("the drivers of all %d clusters are installed", len(pins)))...)
		return nil
	})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []finding{{fail, option, "there is no database yet", "magnum-db-manage upgrade"}}
	case err != nil:
		return []finding{{fail, option, err.Error(), "see that it runs and that the option is right"}}
	}
	return found
}

// missing are the drivers that clusters are pinned to and that are not here.
func (c *checkup) missing(pins []state.Pin) (found []finding, err error) {
	clusters := map[magnum.DriverRef][]string{}
	for _, p := range pins {
		clusters[p.Driver] = append(clusters[p.Driver], p.ClusterUUID)
	}
	refs := slices.SortedFunc(maps.Keys(clusters), func(a, b magnum.DriverRef) int {
		return slices.Compare([]string{a.Name, a.Version}, []string{b.Name, b.Version})
	})
	for _, ref := range refs {
		err := store.ErrNotFound
		if c.store != nil {
			_, err = c.store.Resolve(ref.Name, ref.Version)
		}
		if err == nil {
			continue
		}
		if !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		named := clusters[ref][:min(len(clusters[ref]), pinsNamed)]
		found = append(found, finding{
			fail, ref.Name + " " + ref.Version,
			fmt.Sprintf("it is not installed, and %d clusters need it, such as %s", len(clusters[ref]), named),
			"install it with --no-activate, or give the clusters another version with magnum-driver-manage pin",
		})
	}
	return found, nil
}
