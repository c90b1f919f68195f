package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
)

// outbox is a database with a clock of its own.
type outbox struct {
	testing.TB
	*state.DB
	path string
	mu   sync.Mutex
	now  time.Time
	ct   *magnum.ClusterTemplate
	log  bytes.Buffer
}

func (o *outbox) Now() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now
}

func (o *outbox) pass(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = o.now.Add(d)
}

func (o *outbox) must(err error) {
	o.Helper()
	if err != nil {
		o.Fatal(err)
	}
}

// open opens the database as a process would when it starts.
func (o *outbox) open() *state.DB {
	o.Helper()
	db, err := state.Open(o.Context(), state.Config{Connection: "sqlite:///" + o.path, Now: o.Now, Message: Encoder("h")})
	o.must(err)
	o.Cleanup(func() { _ = db.Close() })
	return db
}

func newOutbox(t testing.TB) *outbox {
	t.Helper()
	o := &outbox{TB: t, path: filepath.Join(t.TempDir(), "m.sqlite"), now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	o.DB = o.open()
	_, _, err := o.Upgrade(t.Context())
	o.must(err)
	o.ct = &magnum.ClusterTemplate{Name: "t", ProjectID: "p"}
	o.must(o.CreateTemplate(t.Context(), o.ct))
	return o
}

// create accepts a cluster and fails it: two events.
func (o *outbox) create(name string) {
	o.Helper()
	c := &magnum.Cluster{Name: name, ProjectID: "p", UserID: "u", ClusterTemplateID: o.ct.UUID, Status: magnum.CreateInProgress}
	o.must(o.AcceptCreate(o.Context(), c, &magnum.Operation{Kind: magnum.OpCreate}, 1<<30))
	ops, err := o.Claim(o.Context(), state.Claimant{Owner: "o"}, time.Hour, 1)
	o.must(err)
	o.must(o.Finish(o.Context(), ops[0], func(c *magnum.Cluster) error { c.Status = magnum.CreateFailed; return nil }))
}

func (o *outbox) waiting() int {
	o.Helper()
	n, _, err := o.OutboxWaiting(o.Context())
	o.must(err)
	return n
}

// sender keeps what it is given; refuses says of which it does not take.
type sender struct {
	mu      sync.Mutex
	got     []state.Message
	refuses func(state.Message) error
	closed  int
}

func (s *sender) Send(_ context.Context, all []state.Message) (sent []state.Message, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range all {
		if s.refuses != nil {
			if refused := s.refuses(m); refused != nil {
				err = refused
				continue
			}
		}
		sent = append(sent, m)
	}
	s.got = append(s.got, sent...)
	return sent, err
}

func (s *sender) Close() { s.mu.Lock(); s.closed++; s.mu.Unlock() }

// told is what it got, as cluster, action and outcome.
func (s *sender) told() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, m := range s.got {
		_, name, _ := strings.Cut(m.Body, `"service/magnum/cluster","name":"`)
		name, _, _ = strings.Cut(name, `"`)
		_, outcome, _ := strings.Cut(m.Body, `"outcome":"`)
		outcome, _, _ = strings.Cut(outcome, `"`)
		all = append(all, name+" "+outcome)
	}
	return all
}

func (o *outbox) drain(db *state.DB, senders ...Sender) *Drain {
	return New(Config{DB: db, Senders: senders, Logger: hclog.New(&hclog.LoggerOptions{Output: &o.log}), Now: o.Now, Poll: time.Millisecond})
}

// empty turns until nothing is left.
func (o *outbox) empty(d *Drain) {
	o.Helper()
	for range 1000 {
		more, err := d.turn(o.Context())
		o.must(err)
		if !more {
			return
		}
	}
	o.Fatal("it never ends")
}

func (o *outbox) want(s *sender, want ...string) {
	o.Helper()
	if diff := cmp.Diff(want, s.told()); diff != "" {
		o.Errorf("told (-want +got):\n%s", diff)
	}
}

// What was committed is sent, in order, and then it is gone.
func TestDrain(t *testing.T) {
	o, s := newOutbox(t), &sender{}
	d := o.drain(o.DB, s)
	o.empty(d)
	o.create("a")
	o.create("b")
	o.empty(d)
	o.want(s, "a pending", "b pending", "a failure", "b failure")
	if n := o.waiting(); n != 0 {
		t.Errorf("%d wait still", n)
	}
	if sent := testutil.ToFloat64(d.metrics.sent); sent != 4 {
		t.Errorf("%g counted as sent", sent)
	}
}

// A process that dies between the commit and the sending loses nothing, and
// one that dies between the sending and its record repeats the very message.
func TestDrainAfterCrash(t *testing.T) {
	o, s := newOutbox(t), &sender{}
	o.create("a")
	o.must(o.DB.Close())
	o.DB = o.open()
	if n := o.waiting(); n != 2 {
		t.Fatalf("%d wait after the restart", n)
	}
	dying := &sender{refuses: func(state.Message) error { o.must(o.DB.Close()); return nil }}
	if _, err := o.drain(o.DB, dying).turn(t.Context()); err == nil {
		t.Error("its record was written")
	}
	o.DB = o.open()
	next := o.drain(o.DB, s)
	o.empty(next) // the dead one holds the outbox still
	o.want(s)
	o.pass(lease + time.Second)
	o.empty(next)
	o.want(s, "a pending", "a failure")
	if len(dying.got) != 1 || dying.got[0] != s.got[0] {
		t.Errorf("%v was repeated as %v", dying.got, s.got)
	}
	o.empty(next)
	o.want(s, "a pending", "a failure")
}

// Two conductors send each event once, those of a cluster in order, also when
// one stops and the other goes on.
func TestDrainTwo(t *testing.T) {
	o, s := newOutbox(t), &sender{}
	stops := make([]func(), 2)
	for i := range stops {
		ctx, cancel := context.WithCancel(t.Context())
		d, ended := o.drain(o.open(), s), make(chan error, 1)
		go func() { ended <- d.Run(ctx) }()
		stops[i] = func() {
			cancel()
			o.must(<-ended)
		}
	}
	const many = 60
	want := map[string][]string{}
	for i := range many {
		name := fmt.Sprint("c", i)
		want[name] = []string{"pending", "failure"}
		o.create(name)
		if i == many/2 {
			stops[0]()
		}
	}
	for limit := time.Now().Add(20 * time.Second); o.waiting() > 0 && time.Now().Before(limit); {
		<-time.After(time.Millisecond)
	}
	stops[1]()
	got := map[string][]string{}
	for _, line := range s.told() {
		name, outcome, _ := strings.Cut(line, " ")
		got[name] = append(got[name], outcome)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if s.closed != 2 {
		t.Errorf("%d of 2 senders were closed", s.closed)
	}
}

// What one sender does not take waits, and nothing of its cluster overtakes it;
// who comes after it does not hear of it either.
func TestDrainInPart(t *testing.T) {
	o := newOutbox(t)
	away := errors.New("away")
	var stuck string
	first := &sender{refuses: func(m state.Message) error {
		if stuck == "" {
			stuck = m.ClusterUUID
		}
		if m.ClusterUUID == stuck {
			return away
		}
		return nil
	}}
	second := &sender{}
	d := o.drain(o.DB, first, second)
	o.create("a")
	o.create("b")
	for range 3 {
		if _, err := d.turn(t.Context()); !errors.Is(err, away) {
			t.Fatalf("got %v", err)
		}
	}
	o.want(first, "b pending", "b failure")
	o.want(second, "b pending", "b failure")
	if failed := testutil.ToFloat64(d.metrics.failed); failed != 3 {
		t.Errorf("%g counted as failed", failed)
	}
	stuck = "nobody"
	o.empty(d)
	o.want(second, "b pending", "b failure", "a pending", "a failure")
}

// What cannot be sent for a week is dropped, with a line and a count; and not
// before.
func TestDrainDrops(t *testing.T) {
	o := newOutbox(t)
	away := errors.New("away")
	d := o.drain(o.DB, &sender{refuses: func(state.Message) error { return away }})
	o.create("a")
	o.pass(24 * time.Hour)
	o.create("b")
	o.pass(keptFor - 24*time.Hour)
	for age, want := range []int{4, 2} {
		if _, err := d.turn(t.Context()); !errors.Is(err, away) {
			t.Fatalf("got %v", err)
		}
		if n := o.waiting(); n != want {
			t.Errorf("at %d: %d wait", age, n)
		}
		o.pass(time.Minute)
	}
	if dropped := testutil.ToFloat64(d.metrics.dropped); dropped != 2 || strings.Count(o.log.String(), "dropped=2") != 1 {
		t.Errorf("%g dropped\n%s", dropped, &o.log)
	}
}

// A bus that is away is tried again ever less often, and told of once. How long
// that is going on, the metrics say.
func TestDrainWaits(t *testing.T) {
	o := newOutbox(t)
	o.create("a")
	tries := make(chan struct{}, 100)
	d := o.drain(o.DB, &sender{refuses: func(state.Message) error { tries <- struct{}{}; return errors.New("away") }})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	begin := time.Now()
	<-tries
	<-tries
	cancel()
	o.must(<-ended)
	if took := time.Since(begin); took < 900*time.Millisecond {
		t.Errorf("tried again after %s", took)
	}
	if n := strings.Count(o.log.String(), "cannot send notifications"); n != 1 {
		t.Errorf("told %d times:\n%s", n, &o.log)
	}
	if held, err := o.HoldOutbox(t.Context(), "other", lease); err != nil || !held {
		t.Errorf("it holds the outbox after its end: %t, %v", held, err)
	}
	o.pass(time.Hour)
	reg := prometheus.NewRegistry()
	New(Config{DB: o.DB, Metrics: reg})
	const want = "# HELP magnum_notifications_waiting Notifications that are still to be delivered; the same from each conductor.\n" +
		"# TYPE magnum_notifications_waiting gauge\nmagnum_notifications_waiting 2\n" +
		"# HELP magnum_notifications_waiting_seconds How long the first of them has waited; the same from each conductor.\n" +
		"# TYPE magnum_notifications_waiting_seconds gauge\nmagnum_notifications_waiting_seconds 3600\n"
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "magnum_notifications_waiting", "magnum_notifications_waiting_seconds"); err != nil {
		t.Error(err)
	}
}

func TestLog(t *testing.T) {
	o := newOutbox(t)
	o.create("a")
	all, err := o.Outbox(t.Context(), 9)
	o.must(err)
	d := o.drain(o.DB)
	d.Senders = []Sender{logSender{d.Logger.Named("magnum")}}
	o.empty(d)
	const name = "oslo.messaging.notification.magnum.cluster.create: "
	_, lines, _ := strings.Cut(o.log.String(), " ") // behind the time
	first, second, _ := strings.Cut(lines, "\n")
	if first != "[INFO]  "+name+all[0].Body || !strings.HasSuffix(second, " [ERROR] "+name+all[1].Body+"\n") {
		t.Errorf("logged %s", &o.log)
	}
}
