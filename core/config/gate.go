package config

import (
	"fmt"
	"slices"
)

// Gate says why new clusters do not get a driver: it is disabled, or beta and
// not enabled. Nil lets it pass. Naming a driver passes no gate.
func (d Drivers) Gate(name string, beta bool) error {
	switch {
	case slices.Contains(d.DisabledDrivers, name):
		return fmt.Errorf("driver %s is in [drivers] disabled_drivers", name)
	case beta && !slices.Contains(d.EnabledBetaDrivers, name):
		return fmt.Errorf("driver %s is beta and not in [drivers] enabled_beta_drivers", name)
	}
	return nil
}
