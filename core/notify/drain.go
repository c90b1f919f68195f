package notify

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-magnum/magnum/core/obs"
	"github.com/go-magnum/magnum/core/state"
)

const (
	// batch is how many messages are looked at at a time.
	batch = 100
	// sendWithin is how long a batch may take, and lease how long who sends it
	// keeps others away: much longer, so that nobody else sends the same.
	sendWithin = 10 * time.Second
	lease      = 30 * time.Second
	// keptFor and keptMost bound what waits for a bus that is away. What is
	// older, and the oldest of more, is dropped.
	keptFor  = 7 * 24 * time.Hour
	keptMost = 100_000
	// patience is the longest time between two tries.
	patience = 30 * time.Second
)

// Config is what a Drain needs. DB and Senders are required.
type Config struct {
	DB      *state.DB
	Senders []Sender
	Logger  hclog.Logger
	// Metrics takes what is counted; nil: nobody reads it.
	Metrics prometheus.Registerer
	// Poll is the time between two looks at the outbox; 1 s.
	Poll time.Duration
	Now  func() time.Time // time.Now
}

// Drain sends what is in the outbox.
type Drain struct {
	Config
	owner   string
	metrics *metrics
	outages *obs.Outages
}

// New makes a Drain.
func New(c Config) *Drain {
	c.Poll = cmp.Or(c.Poll, time.Second)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = hclog.NewNullLogger()
	}
	return &Drain{Config: c, owner: uuid.NewString(), metrics: newMetrics(c), outages: obs.NewOutages(c.Logger)}
}

// Run sends until ctx ends. It never fails: nothing that a cluster needs
// depends on it.
func (d *Drain) Run(ctx context.Context) error {
	defer d.leave(ctx)
	for failures := 0; ; {
		more, err := d.turn(ctx)
		if ctx.Err() != nil {
			return nil
		}
		d.outages.Note("send notifications", err)
		wait := d.Poll
		switch {
		case err != nil:
			wait = min(patience, time.Second<<min(failures, 5))
			failures++
		case more:
			wait = 0
		}
		if err == nil {
			failures = 0
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

func (d *Drain) leave(ctx context.Context) {
	for _, s := range d.Senders {
		s.Close()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := d.DB.LeaveOutbox(ctx, d.owner); err != nil {
		d.Logger.Debug("the next conductor sends notifications a little later", "error", err)
	}
}

// turn sends a batch, if it is this conductor's turn. more is that there may be
// more to send at once.
func (d *Drain) turn(ctx context.Context) (more bool, err error) {
	// Looked for where nobody waits: mostly there is nothing to send.
	all, err := d.DB.Outbox(ctx, 1)
	if err != nil || len(all) == 0 {
		return false, err
	}
	if held, err := d.DB.HoldOutbox(ctx, d.owner, lease); err != nil || !held {
		return false, err
	}
	// The one before may have sent what was seen.
	if all, err = d.DB.Outbox(ctx, batch); err != nil || len(all) == 0 {
		return false, err
	}
	sending, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	first := firsts(all)
	sent, err := d.send(sending, first)
	d.metrics.sent.Add(float64(len(sent)))
	d.metrics.failed.Add(float64(len(first) - len(sent)))
	// Also when told to stop: what was sent must not be sent again.
	if gone := d.DB.Delivered(context.WithoutCancel(ctx), sent); gone != nil {
		return false, errors.Join(err, gone)
	}
	if err != nil {
		return false, errors.Join(err, d.trim(ctx))
	}
	return len(sent) > 0, nil
}

// firsts is the first message of each cluster. A batch may be delivered in
// part; then nothing has overtaken what is left.
func firsts(all []state.Message) []state.Message {
	var first []state.Message
	seen := map[string]bool{}
	for _, m := range all {
		if !seen[m.ClusterUUID] {
			seen[m.ClusterUUID] = true
			first = append(first, m)
		}
	}
	return first
}

// send gives messages to one sender after the other; delivered is what all have
// taken.
func (d *Drain) send(ctx context.Context, all []state.Message) ([]state.Message, error) {
	var failed []error
	for _, s := range d.Senders {
		sent, err := s.Send(ctx, all)
		failed = append(failed, err)
		if all = sent; len(all) == 0 {
			break
		}
	}
	return all, errors.Join(failed...)
}

// trim keeps what waits within bounds.
func (d *Drain) trim(ctx context.Context) error {
	dropped, err := d.DB.TrimOutbox(ctx, d.Now().Add(-keptFor), keptMost)
	if dropped > 0 {
		d.metrics.dropped.Add(float64(dropped))
		d.Logger.Error("notifications were dropped: they could not be sent for too long, or too many wait", "dropped", dropped)
	}
	return err
}
