package supervise

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-magnum/magnum/plugins/store"
	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/serve"
)

// ErrUnproved is for a package whose driver does not come up.
var ErrUnproved = errors.New("the driver does not come up")

// Prove starts a package in a process of its own, as a service would, sees that
// it gets ready and describes itself as its package does, and ends it again.
func Prove(ctx context.Context, cfg Config, pkg store.Package) error {
	cfg = cfg.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, cfg.Launch.StartTimeout)
	defer cancel()
	i := newInstance(cfg, pkg, newMetrics(), func() {})
	p, err := i.bringUp(ctx)
	if err != nil {
		return fmt.Errorf("self-test of driver %s: %w: %w", pkg, ErrUnproved, err)
	}
	set := serve.NewSet(p.Conn(), driver.HandshakeResponse{Name: pkg.Name, Version: pkg.Version})
	err = describesItself(ctx, set.Driver, pkg.Description)
	if err := errors.Join(err, p.Stop(ctx)); err != nil {
		return fmt.Errorf("self-test of driver %s: %w: %w", pkg, ErrUnproved, err)
	}
	return nil
}

func describesItself(ctx context.Context, d driver.Driver, want driver.Description) error {
	out, err := d.Describe(ctx, driver.DescribeRequest{})
	if err != nil {
		return fmt.Errorf("describe: %w", err)
	}
	said, err := json.Marshal(out.Description)
	if err != nil {
		return fmt.Errorf("describe: %w", err)
	}
	packed, err := json.Marshal(want)
	if err != nil {
		return fmt.Errorf("describe: %w", err)
	}
	if !bytes.Equal(said, packed) {
		return errors.New("it does not describe itself as its describe.json does: build the package again")
	}
	return nil
}
