package api

import (
	"context"
	"math"
	"slices"
	"strings"

	"github.com/go-magnum/magnum/core/config"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/sdk/driver"
)

// catalogue is what the drivers say of themselves, as a conductor published
// it. The API never starts one.
type catalogue []state.Driver

func (a *api) drivers(ctx context.Context) (catalogue, error) {
	all, err := a.DB.Drivers(ctx)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(x, y state.Driver) int { return strings.Compare(x.Name, y.Name) })
	for _, d := range all {
		if d.Name == a.Options.Drivers.DefaultDriver {
			preferred(d.Description.ClusterTypes)
		}
	}
	return all, nil
}

// preferred puts the operator's default driver before all others of its types.
// For types that it does not serve it is no default, where upstream then refuses
// them.
func preferred(types []driver.ClusterType) {
	for i := range types {
		types[i].Priority = math.MaxInt
	}
}

// version returns the description of the driver a cluster is pinned to, nil if
// no conductor has that version any more.
func (c catalogue) version(ref magnum.DriverRef) *driver.Description {
	for i := range c {
		if c[i].Name == ref.Name && c[i].Version == ref.Version {
			return &c[i].Description
		}
	}
	return nil
}

// coes are the engines a template may name.
func (c catalogue) coes() []string {
	all := slices.Clone(knownCOEs)
	for _, d := range c {
		for _, t := range d.Description.ClusterTypes {
			if d.Active && !slices.Contains(all, t.COE) {
				all = append(all, t.COE)
			}
		}
	}
	return all
}

// of returns the active drivers of an engine.
func (c catalogue) of(coe string) []*driver.Description {
	var found []*driver.Description
	for i := range c {
		d := &c[i].Description
		if c[i].Active && slices.ContainsFunc(d.ClusterTypes, func(t driver.ClusterType) bool { return t.COE == coe }) {
			found = append(found, d)
		}
	}
	return found
}

// find returns the driver of a cluster type: the one of highest priority.
func (c catalogue) find(t magnum.ClusterType) (*driver.Description, error) {
	var best []*driver.Description
	highest := 0
	for i := range c {
		for _, have := range c[i].Description.ClusterTypes {
			if !c[i].Active || have.ServerType != t.ServerType || have.OS != t.OS || have.COE != t.COE {
				continue
			}
			if len(best) == 0 || have.Priority > highest {
				best, highest = nil, have.Priority
			}
			if have.Priority == highest {
				best = append(best, &c[i].Description)
			}
		}
	}
	switch len(best) {
	case 0:
		os := t.OS
		if os == "" {
			os = "None"
		}
		return nil, badRequest("Cluster type (%s, %s, %s) not supported.", t.ServerType, os, t.COE)
	case 1:
		return best[0], nil
	}
	names := make([]string, len(best))
	for i, d := range best {
		names[i] = d.Name
	}
	return nil, magnum.Errorf(magnum.Conflict, "Cluster type (%s, %s, %s) is supported by %s; ask an operator to give one of them priority.",
		t.ServerType, t.OS, t.COE, strings.Join(names, " and by "))
}

// named returns the active driver of that name, if it serves the type: a name
// does not make a driver able, nor enable it.
func (c catalogue) named(name string, t magnum.ClusterType) (*driver.Description, error) {
	want := driver.ClusterType{ServerType: t.ServerType, OS: t.OS, COE: t.COE}
	for i := range c {
		d := &c[i].Description
		if c[i].Active && c[i].Name == name && slices.ContainsFunc(d.ClusterTypes, func(have driver.ClusterType) bool {
			have.Priority = 0
			return have == want
		}) {
			return d, nil
		}
	}
	return nil, badRequest("Cluster driver (%s) not supported.", name)
}

// ofTemplate returns the driver that a template names, or else the one of its
// type.
func (c catalogue) ofTemplate(t *magnum.ClusterTemplate) (*driver.Description, error) {
	if t.Driver != "" {
		return c.named(t.Driver, t.ClusterType())
	}
	return c.find(t.ClusterType())
}

// settle stores the driver of a new template, and of one that was patched to
// another type. A type without a driver is let pass, as in upstream: no cluster
// can be made from the template then.
func (c catalogue) settle(t *magnum.ClusterTemplate) {
	t.Driver = ""
	if d, err := c.find(t.ClusterType()); err == nil {
		t.Driver = d.Name
	}
}

// resettle looks after the driver of a template that is patched.
func (c catalogue) resettle(before, after *magnum.ClusterTemplate, steps []operation) error {
	named := touches(steps, "driver") && after.Driver != ""
	switch {
	case named:
		_, err := c.named(after.Driver, after.ClusterType())
		return err
	case touches(steps, "driver"), before.ClusterType() != after.ClusterType():
		c.settle(after)
	}
	return nil
}

// union joins lists without repeating anything.
func union(found []*driver.Description, list func(*driver.Description) []string) []string {
	var all []string
	for _, d := range found {
		for _, s := range list(d) {
			if !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	return all
}

// checkOptions checks what depends on the engine alone: its name, the network
// driver, the volume driver. coe is the engine as it was sent.
func (c catalogue) checkOptions(o *config.Config, t *magnum.ClusterTemplate, coe string) error {
	found := c.of(t.COE)
	if len(found) == 0 {
		return badRequest("Requested COE type %s is not supported.", coe)
	}
	networks := union(found, func(d *driver.Description) []string { return d.NetworkDrivers })
	if n := t.NetworkDriver; n != "" {
		if !slices.Contains(networks, n) {
			return badRequest("Network driver type %s is not supported, expecting a %s network driver.", n, choice(networks))
		}
		if allowed := allowedNetworks(o, t.COE); !slices.Contains(allowed, "all") && !slices.Contains(allowed, n) {
			return badRequest("Network driver type %s is not allowed, expecting a %s network driver. ", n, choice(allowed))
		}
	}
	volumes := union(found, func(d *driver.Description) []string { return d.VolumeDrivers })
	if v := t.VolumeDriver; v != "" && !slices.Contains(volumes, v) {
		return badRequest("Volume driver type %s is not supported, expecting a %s volume driver.", v, choice(volumes))
	}
	return nil
}

func choice(list []string) string {
	return strings.Join(append(slices.Clone(list), "unspecified"), "/")
}

// allowedNetworks is what the operator leaves of an engine's network drivers.
func allowedNetworks(o *config.Config, coe string) []string {
	switch coe {
	case "kubernetes":
		return o.ClusterTemplate.KubernetesAllowedNetworkDrivers
	case "swarm", "swarm-mode":
		return o.ClusterTemplate.SwarmAllowedNetworkDrivers
	case "mesos":
		return o.ClusterTemplate.MesosAllowedNetworkDrivers
	}
	return []string{"all"}
}

func defaultNetwork(o *config.Config, coe string) string {
	switch coe {
	case "kubernetes":
		return o.ClusterTemplate.KubernetesDefaultNetworkDriver
	case "swarm", "swarm-mode":
		return o.ClusterTemplate.SwarmDefaultNetworkDriver
	case "mesos":
		return o.ClusterTemplate.MesosDefaultNetworkDriver
	}
	return ""
}

// fillNetworkDriver sets what was not given: the operator's default if the
// driver has it, else the driver's first.
func (c catalogue) fillNetworkDriver(o *config.Config, t *magnum.ClusterTemplate) {
	if t.NetworkDriver != "" {
		return
	}
	var networks []string
	if d, err := c.ofTemplate(t); err == nil {
		networks = d.NetworkDrivers
	} else {
		networks = union(c.of(t.COE), func(d *driver.Description) []string { return d.NetworkDrivers })
	}
	if preferred := defaultNetwork(o, t.COE); slices.Contains(networks, preferred) {
		t.NetworkDriver = preferred
	} else if len(networks) > 0 {
		t.NetworkDriver = networks[0]
	}
}
