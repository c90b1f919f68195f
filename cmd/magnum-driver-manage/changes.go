package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/go-magnum/magnum/sdk/driver"
)

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// changes compares two descriptions, and says which differences take something
// away: one row each of what, before, after, and what breaks.
func changes(from, to driver.Description) [][]string {
	var rows [][]string
	row := func(what, before, after, breaks string) {
		if before != after {
			rows = append(rows, []string{what, before, after, breaks})
		}
	}
	row("version", cmp.Or(from.Version, "none"), to.Version, "")
	row("maturity", string(from.Maturity), string(to.Maturity), "")
	lost := func(what, left string, before, after map[string]string) {
		for _, key := range sorted(before) {
			if _, ok := after[key]; !ok {
				row(what, key, "", fmt.Sprintf(left, key))
			}
		}
		for _, key := range sorted(after) {
			if had, ok := before[key]; !ok {
				row(what, "", key, "")
			} else if had != after[key] {
				row(what, key+" "+had, key+" "+after[key], "")
			}
		}
	}
	lost("cluster type", "no new clusters of type %s", typesOf(from), typesOf(to))
	lost("label", "label %s has no effect any more", labelsOf(from), labelsOf(to))
	lost("capability", "no %s", set(from.Capabilities), set(to.Capabilities))
	lost("service", "no %s", set(from.Services), set(to.Services))
	lost("network driver", "templates with network driver %s", set(from.NetworkDrivers), set(to.NetworkDrivers))
	lost("volume driver", "templates with volume driver %s", set(from.VolumeDrivers), set(to.VolumeDrivers))
	limits := func(l driver.Limits) string {
		return fmt.Sprintf("masters from %d to %d (0: any), odd %t", l.MinMasters, l.MaxMasters, l.OddMasters)
	}
	narrower := ""
	if a, b := from.Limits, to.Limits; b.MinMasters > a.MinMasters || b.MaxMasters > 0 && (a.MaxMasters == 0 || b.MaxMasters < a.MaxMasters) || b.OddMasters && !a.OddMasters {
		narrower = "clusters with other numbers of masters"
	}
	row("limits", limits(from.Limits), limits(to.Limits), narrower)
	return rows
}

func set[T ~string](list []T) map[string]string {
	m := map[string]string{}
	for _, s := range list {
		m[string(s)] = ""
	}
	return m
}

func typesOf(d driver.Description) map[string]string {
	m := map[string]string{}
	for _, t := range d.ClusterTypes {
		m[fmt.Sprintf("(%s, %s, %s)", t.ServerType, t.OS, t.COE)] = fmt.Sprintf("priority %d", t.Priority)
	}
	return m
}

// labelsOf are the labels of the schema with their defaults.
func labelsOf(d driver.Description) map[string]string {
	var schema struct {
		Properties map[string]struct {
			Default json.RawMessage `json:"default"`
		} `json:"properties"`
	}
	_ = json.Unmarshal(d.LabelSchema, &schema) // no schema, no labels
	m := map[string]string{}
	for name, p := range schema.Properties {
		m[name] = "without a default"
		if len(p.Default) > 0 {
			m[name] = "default " + string(p.Default)
		}
	}
	return m
}
