package supervise

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/go-magnum/magnum/plugins/store"
	"github.com/go-magnum/magnum/sdk/driver"
)

// bulkhead limits what one driver can hold up: so many calls at once, so many
// more waiting, and the rest refused.
type bulkhead struct {
	pkg     store.Package
	places  chan struct{}
	waiting atomic.Int64
	refused atomic.Int64
	queue   int64
}

func newBulkhead(pkg store.Package, concurrency, queue int) *bulkhead {
	return &bulkhead{pkg: pkg, places: make(chan struct{}, concurrency), queue: int64(queue)}
}

// enter takes a place, or waits for one.
func (b *bulkhead) enter(ctx context.Context) error {
	select {
	case b.places <- struct{}{}:
		return nil
	default:
	}
	defer b.waiting.Add(-1)
	if b.waiting.Add(1) > b.queue {
		b.refused.Add(1)
		return driver.Errorf(driver.ClassUnavailable, "driver %s is busy: %d calls are running and %d waiting",
			b.pkg.Name, cap(b.places), b.queue)
	}
	select {
	case b.places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return late(ctx, b.pkg, fmt.Sprintf("%d calls were running all the time", cap(b.places)))
	}
}

func (b *bulkhead) leave() { <-b.places }
