package coe

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-magnum/magnum/sdk/driver"
)

// Load is what the nodes of a cluster have to do.
type Load struct {
	// Unit is what is counted, such as pod.
	Unit string
	// Nodes are the names and addresses of the cluster's nodes, and a key of
	// the node for each.
	Nodes map[string]string
	// Count is how many of the units a node has, by its key.
	Count map[string]int
}

// FewestFirst selects the servers that have the least to do, and among equals
// the one with the highest index, which is the one Heat would take. One that
// never joined the cluster carries nothing and goes before all others.
func (l Load) FewestFirst(req driver.SelectNodesRequest) driver.SelectNodesResponse {
	var all []candidate
	for _, s := range req.Nodes {
		c := candidate{heatIndex: s.HeatIndex, index: -1, count: -1}
		if i, err := strconv.Atoi(s.HeatIndex); err == nil {
			c.index = i
		}
		// Host names are the server's name in the letters a host may have.
		host := strings.ReplaceAll(strings.ToLower(s.Name), "_", "-")
		for _, name := range []string{s.Address, s.Name, host} {
			if key, ok := l.Nodes[name]; ok && name != "" {
				c.count = l.Count[key]
				break
			}
		}
		all = append(all, c)
	}
	slices.SortStableFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.count, b.count), cmp.Compare(b.index, a.index))
	})
	var out driver.SelectNodesResponse
	for _, c := range all[:max(0, min(req.Count, len(all)))] {
		out.Nodes = append(out.Nodes, driver.Selected{HeatIndex: c.heatIndex, Reason: l.reason(c.count)})
	}
	return out
}

type candidate struct {
	heatIndex string
	index     int // the index as a number, -1 if it is none
	count     int // -1 if the node is not in the cluster
}

func (l Load) reason(count int) string {
	switch count {
	case -1:
		return "not a node of the cluster"
	case 1:
		return "1 " + l.Unit
	}
	return fmt.Sprintf("%d %ss", count, l.Unit)
}
