package devcloud

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Drop says when a connection is cut.
type Drop int

// The ways to cut a connection.
const (
	// DropNone lets it live.
	DropNone Drop = iota
	// DropBefore cuts it before the request does anything.
	DropBefore
	// DropAfter does what was asked and loses the answer.
	DropAfter
)

// Fault is something that goes wrong with certain requests. The members that
// choose requests are all to match; an empty one matches any.
type Fault struct {
	// Service is the first part of the path: identity, image, compute,
	// network, heat, heat-cfn, volume, key-manager or load-balancer.
	Service string
	Method  string
	// Path is matched against the path behind the service, such as
	// /v3/auth/tokens.
	Path *regexp.Regexp
	// Skip lets that many matching requests pass first.
	Skip int
	// Count is how many requests it hits; 0 is every one.
	Count int

	// Delay holds the request back, before anything else happens to it.
	Delay time.Duration
	// Drop cuts the connection.
	Drop Drop
	// Status answers in the service's stead, without doing what was asked; 0
	// does not. Body is sent with it.
	Status int
	Body   string
}

// Rule is a Fault in force.
type Rule struct {
	fault Fault
	owner *Faults
	seen  int
	hits  int
}

// Seen is how many requests matched so far. A Fault without an effect only
// counts.
func (r *Rule) Seen() int {
	r.owner.mu.Lock()
	defer r.owner.mu.Unlock()
	return r.seen
}

// Hits is how many requests it went wrong for.
func (r *Rule) Hits() int {
	r.owner.mu.Lock()
	defer r.owner.mu.Unlock()
	return r.hits
}

// Remove ends it.
func (r *Rule) Remove() {
	r.owner.mu.Lock()
	defer r.owner.mu.Unlock()
	r.owner.rules = slices.DeleteFunc(r.owner.rules, func(other *Rule) bool { return other == r })
}

// Faults are the rules in force.
type Faults struct {
	closed <-chan struct{}

	mu    sync.Mutex
	rules []*Rule
}

// Add puts a fault into force, behind those that already are.
func (f *Faults) Add(fault Fault) *Rule {
	f.mu.Lock()
	defer f.mu.Unlock()
	rule := &Rule{fault: fault, owner: f}
	f.rules = append(f.rules, rule)
	return rule
}

// Clear ends all.
func (f *Faults) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = nil
}

// match counts a request and returns what goes wrong with it.
func (f *Faults) match(method, path string) []Fault {
	service, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []Fault
	for _, rule := range f.rules {
		fault := rule.fault
		if (fault.Service != "" && fault.Service != service) || (fault.Method != "" && fault.Method != method) ||
			(fault.Path != nil && !fault.Path.MatchString("/"+rest)) {
			continue
		}
		rule.seen++
		if rule.seen <= fault.Skip || (fault.Count > 0 && rule.hits >= fault.Count) {
			continue
		}
		rule.hits++
		found = append(found, fault)
	}
	return found
}

// wrap puts the rules in front of the services.
func (f *Faults) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		drop := DropNone
		for _, fault := range f.match(r.Method, r.URL.Path) {
			if !f.stall(r, fault.Delay) || fault.Drop == DropBefore {
				panic(http.ErrAbortHandler)
			}
			if fault.Status != 0 {
				answerFault(w, fault)
				return
			}
			if fault.Drop != DropNone {
				drop = fault.Drop
			}
		}
		if drop == DropAfter {
			next.ServeHTTP(&lostWriter{header: http.Header{}}, r)
			panic(http.ErrAbortHandler)
		}
		next.ServeHTTP(w, r)
	})
}

// stall waits; false if the client or the cloud went away meanwhile.
func (f *Faults) stall(r *http.Request, delay time.Duration) bool {
	if delay <= 0 {
		return true
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
	case <-f.closed:
	}
	return false
}

func answerFault(w http.ResponseWriter, fault Fault) {
	if strings.HasPrefix(fault.Body, "{") {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(fault.Status)
	_, _ = w.Write([]byte(fault.Body))
}

// lostWriter takes an answer that nobody will read.
type lostWriter struct{ header http.Header }

func (w *lostWriter) Header() http.Header         { return w.header }
func (w *lostWriter) Write(p []byte) (int, error) { return len(p), nil }
func (w *lostWriter) WriteHeader(int)             {}
