// Package service is what the example driver's clusters are made by: a node
// comes up, or goes, with every step of a clock, one operation on a cluster at
// a time. Tests and the example's page run it; nobody's workload does.
package service

import (
	"encoding/json"
	"fmt"
	"io"
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
	// CA is the authority of the cluster's API and of its users. With one the
	// cluster is done once the API has the certificate of Request.
	CA      string `json:"ca,omitempty"`
	Request string `json:"request,omitempty"`

	begun time.Time
	from  int // nodes when the operation began
	goes  bool
	api   *api // nil before it is needed
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

// Close ends the APIs of all clusters.
func (r *Rack) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.clusters {
		c.api.close()
	}
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

// ServeHTTP has PUT, GET and DELETE of /CLUSTER, PUT of /CLUSTER/certificate, and
// DELETE of /operation/OPERATION.
func (r *Rack) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /{cluster}", r.begin)
	mux.HandleFunc("DELETE /{cluster}", r.begin)
	mux.HandleFunc("GET /{cluster}", r.show)
	mux.HandleFunc("PUT /{cluster}/certificate", r.certify)
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
		next := &Cluster{Operation: wanted.Operation, Groups: wanted.Groups, CA: wanted.CA, begun: time.Now(), goes: goes}
		if c != nil {
			next.from, next.api = c.Up, c.api
		}
		c = next
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

// certify gives a cluster's API the certificate that it has asked for.
func (r *Rack) certify(w http.ResponseWriter, req *http.Request) {
	c := r.find(req.PathValue("cluster"))
	certificate, err := io.ReadAll(http.MaxBytesReader(w, req.Body, 64<<10))
	switch {
	case err != nil || c == nil || c.api == nil:
		w.WriteHeader(http.StatusNotFound)
	case c.api.open(string(certificate)) != nil:
		w.WriteHeader(http.StatusBadRequest)
	default:
		answer(w, http.StatusOK, c)
	}
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
		c.api.close()
		delete(r.clusters, id)
		return
	}
	c.Up = wanted
	if !c.reachable() {
		return
	}
	c.Done, c.Request, c.Addresses = true, "", map[string][]string{}
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

// reachable reports whether users reach the cluster; where its API needs a
// certificate for that, it asks for one.
func (c *Cluster) reachable() bool {
	if c.CA == "" {
		c.API = "http://192.0.2.1:8080"
		return true
	}
	if c.api == nil || c.api.ca != c.CA {
		c.api.close()
		var err error
		if c.api, err = newAPI(c.CA); err != nil {
			return false // and so it is the next time, or better
		}
	}
	c.API, c.Request = c.api.address, c.api.request
	return c.API != ""
}
