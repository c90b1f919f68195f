package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/go-magnum/magnum/plugins/store"
)

// Whatever order a new cluster, an activation and a removal come in: no cluster
// is left with a version that is gone.
func TestRemovalAndNewClustersAtOnce(t *testing.T) {
	for range 20 {
		s := open(t)
		for _, key := range []string{"one", "one-2"} {
			if _, err := s.Install(t.Context(), store.InstallRequest{Source: packages[key]}); err != nil {
				t.Fatal(err)
			}
		}
		// The database: one lock, clusters, and versions that get none.
		var (
			mu        sync.Mutex
			clusters  []string
			withdrawn bool
			all       sync.WaitGroup
		)
		withdraw := func(context.Context, string, string) ([]string, error) {
			mu.Lock()
			defer mu.Unlock()
			withdrawn = len(clusters) == 0
			return clusters, nil
		}
		all.Go(func() { // a request that has chosen the version
			mu.Lock()
			defer mu.Unlock()
			if !withdrawn {
				clusters = append(clusters, "c")
			}
		})
		all.Go(func() { // a pin
			_ = s.Use(t.Context(), "one", "1.0.0", func(store.Package) error {
				mu.Lock()
				defer mu.Unlock()
				if withdrawn {
					t.Error("the version is withdrawn while it is in use")
				}
				clusters = append(clusters, "p")
				return nil
			})
		})
		all.Go(func() {
			_, _ = s.Activate(t.Context(), store.ActivateRequest{Name: "one", Version: "1.0.0", Force: true})
		})
		all.Go(func() {
			err := s.Remove(t.Context(), "one", "1.0.0", withdraw)
			if err != nil && !errors.Is(err, store.ErrPinned) && !errors.Is(err, store.ErrActive) {
				t.Error(err)
			}
		})
		all.Wait()
		if _, err := s.Find("one", "1.0.0"); err != nil && len(clusters) > 0 {
			t.Errorf("version 1.0.0 is gone, but clusters %v need it", clusters)
		}
		if _, err := s.Find("one", ""); err != nil {
			t.Error(err)
		}
	}
}
