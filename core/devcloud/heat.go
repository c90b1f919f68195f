package devcloud

import (
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
)

// identifier knows who a token speaks for; the cloud is one.
type identifier interface {
	identity(token string) (ident, bool)
}

// heatConfig is what Heat needs of the cloud around it.
type heatConfig struct {
	identifier  identifier
	base        string // http://127.0.0.1:1234
	serverDelay time.Duration
	now         func() time.Time
	newUUID     func() string
	rand        io.Reader
	logger      hclog.Logger
	lookup      networkLookup
}

// heat is the orchestration service: the engine's state behind one lock, its
// HTTP face, and one goroutine that moves stacks on.
//
// Stacks are not driven by goroutines of their own. Whatever may let a stack go
// on (a request, a signal, a moment that has come) puts its root on the list of
// those to look at; looking means taking every step that can be taken now.
type heat struct {
	config heatConfig
	mux    *http.ServeMux
	wake   chan struct{}
	closed chan struct{}
	done   chan struct{}
	once   sync.Once

	mu     sync.Mutex // guards all below
	stacks map[string]*heatStack
	roots  []*heatStack // in the order they were created
	net    *addressBook
	faults []*StackRule
	texts  map[string]string        // software configs by id
	tokens map[string]*heatResource // wait condition handles by token
}

// newHeat makes the service and starts its engine. Close stops it.
func newHeat(c *Cloud) http.Handler {
	return startHeat(heatConfig{
		identifier: c, base: c.base, serverDelay: c.config.ServerDelay, now: c.config.Now,
		newUUID: c.newUUID, rand: c.config.Rand, logger: c.config.Logger.Named("heat"), lookup: c.stockNetwork,
	})
}

func startHeat(config heatConfig) *heat {
	h := &heat{
		config: config,
		wake:   make(chan struct{}, 1),
		closed: make(chan struct{}),
		done:   make(chan struct{}),
		stacks: map[string]*heatStack{},
		net:    newAddressBook(config.lookup),
		texts:  map[string]string{},
		tokens: map[string]*heatResource{},
	}
	h.mux = h.routes()
	go h.run()
	return h
}

// Close stops the engine; stacks stay as they are.
func (h *heat) Close() error {
	h.once.Do(func() { close(h.closed) })
	<-h.done
	return nil
}

// ServeHTTP wakes the engine before each request, so that a test's clock that
// was set forward is noticed.
func (h *heat) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.nudge()
	h.mux.ServeHTTP(w, r)
}

func (h *heat) nudge() {
	select {
	case h.wake <- struct{}{}:
	default: // it is going to look anyway
	}
}

// run is the engine's goroutine.
func (h *heat) run() {
	defer close(h.done)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		next := h.advance()
		timer.Reset(next)
		select {
		case <-h.closed:
			return
		case <-h.wake:
		case <-timer.C:
		}
	}
}

// advance takes every step that can be taken now and says how long it is until
// the next one may come.
func (h *heat) advance() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	next := time.Hour
	now := h.config.now()
	for _, root := range h.roots {
		if !root.busy() || !root.dirty && root.next.After(now) {
			if root.busy() {
				next = min(next, root.next.Sub(now))
			}
			continue
		}
		root.dirty = false
		root.next = now.Add(time.Hour)
		h.step(root)
		if root.busy() {
			next = min(next, root.next.Sub(now))
		}
	}
	return max(next, time.Millisecond)
}
