package supervise

import (
	"context"
	"time"
)

// followEvery is how soon a driver that is in use here is started in a version
// that has become active.
const followEvery = 5 * time.Second

// follow starts versions that become active where another one of the driver
// runs, so that what is wrong with them shows before a cluster needs them. Each
// is started once: what does not come up is tried again when it is called.
func (d *Drivers) follow() {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	started := map[string]bool{} // by digest
	for {
		select {
		case <-tick.C:
		case <-d.quit:
			return
		}
		for _, name := range d.running() {
			digest, err := d.cfg.Store.Resolve(name, "")
			if err != nil || started[digest] {
				continue
			}
			started[digest] = true
			ctx, cancel := context.WithTimeout(context.Background(), d.cfg.Launch.StartTimeout)
			if _, err := d.Get(ctx, name, ""); err != nil {
				d.cfg.Logger.Warn("the active version of a driver does not come up", "driver", name, "error", err)
			}
			cancel()
		}
	}
}

// running names the drivers that have a process.
func (d *Drivers) running() []string {
	var names []string
	for _, s := range d.Status() {
		if s.PID != 0 {
			names = append(names, s.Name)
		}
	}
	return names
}
