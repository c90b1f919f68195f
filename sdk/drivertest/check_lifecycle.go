package drivertest

import (
	stdbytes "bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/go-magnum/magnum/sdk/driver"
	pb "github.com/go-magnum/magnum/sdk/driverpb"
)

// atOnce is how long Begin may take.
const atOnce = 5 * time.Second

// operation is one that the suite has begun, on a cluster of its own.
type operation struct {
	begin *pb.BeginRequest
	made  *pb.BeginResponse
	took  time.Duration
}

func (s *session) lifecycle(ctx context.Context) (pb.LifecycleClient, error) {
	conn, err := s.ask(ctx, driver.ServiceLifecycle)
	if err != nil {
		return nil, err
	}
	return pb.NewLifecycleClient(conn), nil
}

// newID is an id that no driver has heard of, as its service may keep what an
// earlier run has made.
func newID() string {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

// beginning is a request to make a cluster that nobody has heard of.
func (s *session) beginning() *pb.BeginRequest {
	r := s.request(uses()[0])
	c := r.GetCluster()
	c.Uuid, c.StackId, c.ApiAddress, c.Status = newID(), "", "", "CREATE_IN_PROGRESS"
	b := &pb.BeginRequest{
		OperationId: newID(), Intent: string(driver.IntentCreate), Template: r.GetTemplate(), Cluster: c,
		NodeGroups: r.GetNodeGroups(), Endpoints: r.GetEndpoints(), Deadline: seconds(s.cfg.Patience),
	}
	if s.authority != nil {
		b.CaCert = s.authority.pem()
	}
	return b
}

// begin makes a cluster. What the driver works with may not be there: then
// nothing can be said of its operations.
func (s *session) begin(ctx context.Context, client pb.LifecycleClient) (*operation, error) {
	o := &operation{begin: s.beginning()}
	began := time.Now()
	var err error
	o.made, err = client.Begin(ctx, o.begin)
	o.took = time.Since(began)
	switch class(err) {
	case driver.ClassUnavailable, driver.ClassAuth, driver.ClassQuota, driver.ClassThrottled:
		return nil, skip("the driver cannot begin here, because what it works with is not there: " + said(err))
	}
	if err != nil {
		return nil, fmt.Errorf("a cluster is refused: %s", said(err))
	}
	if n := len(o.made.GetState()); n > driver.MaxState {
		return nil, fmt.Errorf("the state has %d bytes, more than %d", n, driver.MaxState)
	}
	return o, nil
}

// remove removes what a check has made, as far as the driver can.
func (s *session) remove(ctx context.Context, client pb.LifecycleClient, o *operation) error {
	_, _ = client.Cancel(ctx, &pb.CancelRequest{OperationId: o.begin.GetOperationId(), Handle: o.made.GetHandle(), State: o.made.GetState()})
	gone := clone(o.begin)
	gone.OperationId, gone.Intent, gone.CaCert = newID(), string(driver.IntentDelete), ""
	gone.Cluster.Status = "DELETE_IN_PROGRESS"
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	until := time.Now().Add(s.cfg.Patience)
	for {
		made, err := client.Begin(ctx, gone)
		switch c := class(err); {
		case c == driver.ClassNotFound:
			return nil
		case c == driver.ClassConflict && time.Now().Before(until):
		case err != nil:
			return fmt.Errorf("the cluster cannot be deleted within %s of the cancellation: %s", s.cfg.Patience, said(err))
		default:
			_, err := s.watch(ctx, client, &operation{begin: gone, made: made}, 1, nil)
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// enough says that the events so far will do; nil reads to the end.
type enough func([]*pb.Event) bool

// watch reads events, and gives certificates to a driver that asks for them, as
// the core does.
func (s *session) watch(ctx context.Context, client pb.LifecycleClient, o *operation, from int64, enough enough) (all []*pb.Event, err error) {
	ctx, cancel := context.WithTimeout(ctx, 3*s.cfg.Patience)
	defer cancel()
	for {
		all, err = s.stream(ctx, client, o, from, all, enough)
		if err != nil || len(all) == 0 {
			return all, err
		}
		last := all[len(all)-1]
		if enough != nil && enough(all) || last.GetDone() {
			return all, nil
		}
		certificate, _ := s.authority.sign(last.GetCertificateRequest()) // it can be: the stream ended for it
		if err := certify(ctx, client, o, last, certificate); err != nil {
			return all, err
		}
		from = last.GetSeq() + 1
	}
}

// stream reads more events: to the end, until they are enough, or until one asks
// for a certificate that it can have.
func (s *session) stream(ctx context.Context, client pb.LifecycleClient, o *operation, from int64, all []*pb.Event, enough enough) ([]*pb.Event, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := client.Watch(ctx, &pb.WatchRequest{
		OperationId: o.begin.GetOperationId(), Handle: o.made.GetHandle(), State: o.made.GetState(), FromSeq: from,
	})
	for err == nil {
		var in *pb.WatchResponse
		if in, err = stream.Recv(); err != nil {
			break
		}
		e := in.GetEvent()
		switch {
		case len(all) > 0 && all[len(all)-1].GetDone():
			return all, errors.New("there is an event after the one that is done")
		case e.GetSeq() < from:
			return all, fmt.Errorf("asked from %d on, it sends event %d", from, e.GetSeq())
		case len(all) > 0 && e.GetSeq() <= all[len(all)-1].GetSeq():
			return all, fmt.Errorf("event %d comes after %d", e.GetSeq(), all[len(all)-1].GetSeq())
		case e.GetFailed() && !e.GetDone():
			return all, fmt.Errorf("event %d is of an operation that failed, and not done", e.GetSeq())
		case len(e.GetState()) > driver.MaxState:
			return all, fmt.Errorf("the state of event %d has %d bytes, more than %d", e.GetSeq(), len(e.GetState()), driver.MaxState)
		}
		if e.State != nil && e.GetCertificateRequest() == "" { // one that asks is heard with its answer
			o.made.State = e.State
		}
		if all = append(all, e); enough != nil && enough(all) {
			return all, nil
		}
		if e.GetCertificateRequest() != "" && !e.GetDone() && s.authority != nil {
			if _, err := s.authority.sign(e.GetCertificateRequest()); err == nil { // else see DRV-074
				return all, nil
			}
		}
	}
	if !errors.Is(err, io.EOF) {
		return all, fmt.Errorf("the stream breaks after %d events: %s", len(all), said(err))
	}
	if len(all) == 0 || !all[len(all)-1].GetDone() {
		return all, fmt.Errorf("the stream ends after %d events, and none is done", len(all))
	}
	return all, nil
}

// tooFast is how often a driver may be done before it can be asked for more.
const tooFast = 3

func checkBegin(ctx context.Context, s *session) error {
	client, err := s.lifecycle(ctx)
	if err != nil {
		return err
	}
	for range tooFast {
		o, err := s.begin(ctx, client)
		if err != nil {
			return err
		}
		fast, err := s.lookAtBegin(ctx, client, o)
		_ = s.remove(ctx, client, o) // for DRV-073
		if err != nil || !fast {
			return err
		}
	}
	return skip("the driver's operations are over before another can be asked for")
}

func (s *session) lookAtBegin(ctx context.Context, client pb.LifecycleClient, o *operation) (fast bool, err error) {
	if o.took > atOnce {
		return false, fmt.Errorf("it takes %s to begin, more than %s", o.took.Round(time.Millisecond), atOnce)
	}
	other := clone(o.begin)
	other.OperationId = newID()
	_, err = client.Begin(ctx, other)
	if err == nil {
		// Refused only while the first is pending, which it may not be any more.
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		if all, _ := s.watch(short, client, o, 1, nil); len(all) > 0 && all[len(all)-1].GetDone() && !all[len(all)-1].GetFailed() {
			return true, nil
		}
	}
	if err := refusedAs("a second operation on a cluster that has one pending", err, driver.ClassConflict); err != nil {
		return false, err
	}
	again, err := client.Begin(ctx, o.begin)
	switch {
	case err != nil:
		return false, fmt.Errorf("the same operation again is refused: %s", said(err))
	case again.GetHandle() != o.made.GetHandle() || !stdbytes.Equal(again.GetState(), o.made.GetState()):
		return false, fmt.Errorf("the same operation again has the handle %q, not %q, or another state", again.GetHandle(), o.made.GetHandle())
	}
	return false, nil
}

func checkWatch(ctx context.Context, s *session) error {
	client, err := s.lifecycle(ctx)
	if err != nil {
		return err
	}
	o, err := s.begin(ctx, client)
	if err != nil {
		return err
	}
	defer func() { _ = s.remove(ctx, client, o) }()
	begun, err := s.watch(ctx, client, o, 1, func([]*pb.Event) bool { return true }) // and break the stream
	if err != nil {
		return err
	}
	seq := begun[0].GetSeq()
	if !begun[0].GetDone() && begun[0].GetCertificateRequest() == "" {
		seq++
	}
	rest, err := s.watch(ctx, client, o, seq, nil)
	if err != nil {
		return fmt.Errorf("taken up again from %d on: %w", seq, err)
	}
	// Who died before it had saved the end asks for it again.
	end := rest[len(rest)-1]
	again, err := s.watch(ctx, client, o, end.GetSeq(), nil)
	if err != nil {
		return fmt.Errorf("asked for the end again: %w", err)
	}
	if last := again[len(again)-1]; last.GetFailed() != end.GetFailed() {
		return errors.New("asked for the end again, it is another")
	}
	return nil
}

func checkResume(ctx context.Context, s *session) error {
	if _, err := s.lifecycle(ctx); err != nil {
		return err
	}
	p, end, err := s.fresh(ctx)
	if err != nil {
		return err
	}
	defer end()
	o, err := s.begin(ctx, pb.NewLifecycleClient(p.Conn()))
	if err != nil {
		return err
	}
	if err := p.Kill(); err != nil {
		return err
	}
	next, end, err := s.fresh(ctx)
	if err != nil {
		return err
	}
	defer end()
	client := pb.NewLifecycleClient(next.Conn())
	defer func() { _ = s.remove(ctx, client, o) }()
	now, err := client.Resume(ctx, &pb.ResumeRequest{Begin: o.begin, Handle: o.made.GetHandle(), State: o.made.GetState()})
	if err != nil {
		return fmt.Errorf("a fresh process does not take the operation up: %s", said(err))
	}
	o.made.Handle, o.made.State = now.GetHandle(), now.GetState()
	all, err := s.watch(ctx, client, o, 1, nil)
	if err != nil {
		return fmt.Errorf("in a fresh process: %w", err)
	}
	if e := all[len(all)-1]; e.GetFailed() {
		return fmt.Errorf("the operation does not survive the process: %.300q", e.GetMessage())
	}
	return nil
}

func checkCancel(ctx context.Context, s *session) error {
	client, err := s.lifecycle(ctx)
	if err != nil {
		return err
	}
	_, err = client.Cancel(ctx, &pb.CancelRequest{OperationId: newID()})
	if c := class(err); err != nil && c != driver.ClassNotFound {
		return fmt.Errorf("an operation that nobody began: refused with class %q, want %s: %s", c, driver.ClassNotFound, said(err))
	}
	o, err := s.begin(ctx, client)
	if err != nil {
		return err
	}
	// The core may have died before it had the handle.
	_, err = client.Cancel(ctx, &pb.CancelRequest{OperationId: o.begin.GetOperationId()})
	if c := class(err); err != nil && c != driver.ClassNotFound {
		return fmt.Errorf("with the operation's id alone: %s", said(err))
	}
	return s.remove(ctx, client, o)
}
