// Package service is what the example driver's clusters are made by: a node
// comes up, or goes, with every step of a clock, one operation on a cluster at
// a time. Tests and the example's page run it; nobody's workload does.
package service

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Cluster is how a cluster stands, and what a request asks for.
type Cluster struct {
	Operation string              `json:"operation"`
	Groups    map[string]int      `json:"groups"` // nodes wanted by group
	Up        int                 `json:"up"`
	Percent   int                 `json:"percent"`
	Done      bool                `json:"done"`
	Cancelled bool                `json:"cancelled,omitempty"`
	API       string              `json:"api,omitempty"`
	Addresses map[string][]string `json:"addresses,omitempty"`

	begun time.Time
	from  int // nodes when the operation began
	goes  bool
}

// Rack is a service that answers over HTTP.
type Rack struct {
	step time.Duration

	mu       sync.Mutex
	clusters map[string]*Cluster
	made     map[string]int // operations that began, by cluster
}

// New makes a rack in which a node takes that long.
func New(step time.Duration) *Rack {
	return &Rack{step: step, clusters: map[string]*Cluster{}, made: map[string]int{}}
}

// Nodes are those of each cluster, and Begun the operations on it so far.
func (r *Rack) Nodes() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	nodes := map[string]int{}
	for id, c := range r.clusters {
		if r.look(id, c); r.clusters[id] != nil {
			nodes[id] = c.Up
		}
	}
	return nodes
}

// Begun is how many operations have begun on a cluster, each counted once.
func (r *Rack) Begun(cluster string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.made[cluster]
}

// ServeHTTP has PUT, GET and DELETE of /CLUSTER, and DELETE of
// /operation/OPERATION.
func (r *Rack) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /{cluster}", r.begin)
	mux.HandleFunc("DELETE /{cluster}", r.begin)
	mux.HandleFunc("GET /{cluster}", r.show)
	mux.HandleFunc("DELETE /operation/{operation}", r.cancel)
	r.mu.Lock()
	defer r.mu.Unlock()
	mux.ServeHTTP(w, req)
}

func (r *Rack) begin(w http.ResponseWriter, req *http.Request) {
	id := req.PathValue("cluster")
	var wanted Cluster
	if err := json.NewDecoder(req.Body).Decode(&wanted); err != nil || wanted.Operation == "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c := r.find(id)
	goes := req.Method == http.MethodDelete
	switch {
	case c != nil && c.Operation == wanted.Operation: // asked again
	case c == nil && goes:
		w.WriteHeader(http.StatusNotFound)
		return
	case c != nil && !c.Done:
		w.WriteHeader(http.StatusConflict)
		return
	default:
		from := 0
		if c != nil {
			from = c.Up
		}
		c = &Cluster{Operation: wanted.Operation, Groups: wanted.Groups, begun: time.Now(), from: from, goes: goes}
		r.clusters[id] = c
		r.made[id]++
	}
	r.look(id, c)
	answer(w, http.StatusAccepted, c)
}

func (r *Rack) show(w http.ResponseWriter, req *http.Request) {
	if c := r.find(req.PathValue("cluster")); c != nil {
		answer(w, http.StatusOK, c)
		return
	}
	w.WriteHeader(http.StatusNotFound)
}

func (r *Rack) cancel(w http.ResponseWriter, req *http.Request) {
	for id, c := range r.clusters {
		if r.look(id, c); r.clusters[id] != nil && c.Operation == req.PathValue("operation") && !c.Done {
			c.Done, c.Cancelled = true, true
			answer(w, http.StatusOK, c)
			return
		}
	}
	w.WriteHeader(http.StatusNotFound)
}

func answer(w http.ResponseWriter, status int, c *Cluster) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(c) // a caller that is gone asks again
}

func (r *Rack) find(id string) *Cluster {
	if c := r.clusters[id]; c != nil {
		r.look(id, c)
	}
	return r.clusters[id]
}

// look brings a cluster to where it is by now.
func (r *Rack) look(id string, c *Cluster) {
	if c.Done {
		return
	}
	wanted := 0
	for _, n := range c.Groups {
		wanted += n
	}
	steps := int(time.Since(c.begun) / r.step)
	all := max(wanted-c.from, c.from-wanted, 1)
	c.Percent = min(100, 100*steps/all)
	if steps < all {
		c.Up = c.from + steps
		if wanted < c.from {
			c.Up = c.from - steps
		}
		return
	}
	if c.goes {
		delete(r.clusters, id)
		return
	}
	c.Done, c.Up, c.API, c.Addresses = true, wanted, "https://192.0.2.1:6443", map[string][]string{}
	groups := make([]string, 0, len(c.Groups))
	for name := range c.Groups {
		groups = append(groups, name)
	}
	slices.Sort(groups)
	n := 0
	for _, name := range groups {
		c.Addresses[name] = []string{}
		for range c.Groups[name] {
			n++
			c.Addresses[name] = append(c.Addresses[name], fmt.Sprintf("192.0.2.%d", n%250+1))
		}
	}
}
