package magnum

import "maps"

// Labels are the free settings of a template, a cluster or a node group. Nil
// is null, which is not the same as none.
type Labels map[string]string

// Inherit returns what a child has of its parent's labels: a copy of the
// parent's where the child gives none, the child's alone where it gives some,
// and both, the child's winning, where it asks to merge.
func (given Labels) Inherit(parent Labels, merge bool) Labels {
	if len(given) == 0 {
		return maps.Clone(parent)
	}
	if !merge {
		return maps.Clone(given)
	}
	all := maps.Clone(parent)
	if all == nil {
		all = Labels{}
	}
	maps.Copy(all, given)
	return all
}

// Differ compares a child's labels with its parent's, in upstream's three
// maps. Overridden and skipped hold the parent's values, added the child's.
func (given Labels) Differ(parent Labels) (overridden, added, skipped Labels) {
	overridden, added, skipped = Labels{}, Labels{}, Labels{}
	for k, v := range given {
		switch p, ok := parent[k]; {
		case !ok:
			added[k] = v
		case p != v:
			overridden[k] = p
		}
	}
	for k, v := range parent {
		if _, ok := given[k]; !ok {
			skipped[k] = v
		}
	}
	return overridden, added, skipped
}

// Move takes a child's labels from one parent to another. What differs between
// the two parents is as the new one has it, also where the child had a value of
// its own; the child's additions stay, and so do its own values of what is the
// same in both.
func (given Labels) Move(from, to Labels) Labels {
	all := maps.Clone(given)
	for k, v := range to {
		if old, ok := from[k]; ok && old == v {
			continue
		}
		if all == nil {
			all = Labels{}
		}
		all[k] = v
	}
	for k := range from {
		if _, ok := to[k]; !ok {
			delete(all, k)
		}
	}
	return all
}
