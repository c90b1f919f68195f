package supervise

import (
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/plugins/launch"
)

// process is a running driver and the calls it has.
type process struct {
	*launch.Process
	started time.Time
	// trial says that it is the one attempt of a half-open breaker.
	trial bool
	// config is what it was configured with; empty for nothing.
	config []byte
	// level is what it logs at; hclog.NoLevel as the host.
	level hclog.Level

	// What the instance knows of its end; guarded by the instance's lock.
	ordered   bool // we wanted it to end
	discarded bool // its connection was lost
	hung      bool // it was counted as a crash when it was found to hang
	settled   bool

	mu   sync.Mutex
	next int
	open map[int]openCall
	used time.Time
	cut  []openCall    // what was open when the connection broke
	idle chan struct{} // made by whoever waits, closed when no call is open
}

// openCall is a call in flight, for crash records.
type openCall struct {
	method string
	since  time.Time
}

// enter counts a call until leave is called.
func (p *process) enter(method string, now func() time.Time) (leave func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	id := p.next
	p.used = now()
	p.open[id] = openCall{method: method, since: p.used}
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.open, id)
		p.used = now()
		if len(p.open) == 0 && p.idle != nil {
			close(p.idle)
			p.idle = nil
		}
	}
}

// unused is for how long the process has had no call.
func (p *process) unused(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.open) > 0 {
		return 0
	}
	return now.Sub(p.used)
}

// quiet is closed once no call is open.
func (p *process) quiet() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.idle == nil {
		p.idle = make(chan struct{})
		if len(p.open) == 0 {
			quiet := p.idle
			close(quiet)
			p.idle = nil
			return quiet
		}
	}
	return p.idle
}

// cutOff keeps what is open, at the first call to find the connection broken:
// the calls may be told before the end of the process is known.
func (p *process) cutOff() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut == nil {
		p.cut = p.list()
	}
}

// unanswered lists the calls that the process did not answer, oldest first.
func (p *process) unanswered() []openCall {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut != nil {
		return p.cut
	}
	return p.list()
}

func (p *process) list() []openCall {
	all := make([]openCall, 0, len(p.open))
	for _, c := range p.open {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b openCall) int { return a.since.Compare(b.since) })
	return all
}
