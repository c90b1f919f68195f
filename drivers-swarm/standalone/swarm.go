package standalone

import (
	"context"
	"net"
	"slices"
	"strings"

	"github.com/go-magnum/magnum/drivers-swarm/engine"
	"github.com/go-magnum/magnum/sdk/driver"
)

// swarm is a manager's API for the time of one call. It is that of an engine
// that has the containers of all nodes; the nodes are in what it says of itself.
type swarm struct{ engine.API }

// node is an engine that the managers know.
type node struct {
	name    string // of its host; empty as long as nobody has reached it
	address string
	healthy bool
}

// unknown is the name of an engine that nobody has reached.
const unknown = "(unknown)"

// nodes reads the rows of SystemStatus, pairs of texts. A node is one whose first
// text has a blank before, with its name and address; what is said of it follows,
// with two blanks.
func (s swarm) nodes(ctx context.Context) ([]node, error) {
	var info struct{ SystemStatus [][]string }
	if err := s.Read(ctx, "/info", &info); err != nil {
		return nil, err
	}
	var all []node
	for _, row := range info.SystemStatus {
		if len(row) != 2 {
			return nil, driver.Errorf(driver.ClassUnavailable, "The cluster's /info cannot be read: SystemStatus has a row of %d.", len(row))
		}
		switch name, isNode := strings.CutPrefix(row[0], " "); {
		case isNode && !strings.HasPrefix(name, " "):
			address, _, err := net.SplitHostPort(row[1])
			if err != nil {
				return nil, driver.Errorf(driver.ClassUnavailable, "The cluster's /info cannot be read: %v", err)
			}
			if name == unknown {
				name = ""
			}
			all = append(all, node{name: name, address: address})
		case isNode && strings.HasSuffix(row[0], " Status") && len(all) > 0:
			all[len(all)-1].healthy = row[1] == "Healthy"
		}
	}
	if info.SystemStatus == nil {
		return nil, driver.Errorf(driver.ClassUnavailable, "The cluster's /info has no SystemStatus: what answers is no Swarm manager.")
	}
	return all, nil
}

// running counts the users' containers that run, by the names of their nodes.
func (s swarm) running(ctx context.Context) (map[string]int, error) {
	var all []struct{ Names []string }
	if err := s.Read(ctx, "/containers/json", &all); err != nil {
		return nil, err
	}
	count := map[string]int{}
	for _, c := range all {
		if len(c.Names) == 0 {
			return nil, driver.Errorf(driver.ClassUnavailable, "The cluster's /containers/json has a container without name.")
		}
		// The first is the node's and the container's; others are links.
		node, name, ok := strings.Cut(strings.TrimPrefix(c.Names[0], "/"), "/")
		if !ok {
			return nil, driver.Errorf(driver.ClassUnavailable, "The cluster's /containers/json has a container of no node: %.60q", c.Names[0])
		}
		if !slices.Contains(own(), name) {
			count[node]++
		}
	}
	return count, nil
}

// own are the containers that every worker has.
func own() []string {
	var names []string
	for _, s := range scripts()[nodeServices] {
		names = append(names, s.Name)
	}
	return names
}
