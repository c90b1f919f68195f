package drivertest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/go-magnum/magnum/sdk/driverpb"
)

func checkDrain(ctx context.Context, s *session) error {
	if _, err := s.templates(ctx); err != nil {
		return err
	}
	p, end, err := s.fresh(ctx)
	if err != nil {
		return err
	}
	defer end()
	out, err := pb.NewDriverClient(p.Conn()).Drain(ctx, &pb.DrainRequest{Timeout: seconds(s.cfg.Patience)})
	switch {
	case err != nil:
		return fmt.Errorf("refused: %s", said(err))
	case out.GetInFlight() != 0:
		return fmt.Errorf("%d calls are in flight where there are none", out.GetInFlight())
	}
	_, err = pb.NewTemplatesClient(p.Conn()).Render(ctx, s.request(uses()[0]))
	if status.Code(err) != codes.Unavailable {
		return fmt.Errorf("a call after Drain must be refused with code Unavailable, and is: %s", said(err))
	}
	return s.alive(ctx, p.Conn(), "Drain")
}

// ended waits for the end of a process.
func (s *session) ended(ctx context.Context, p Process, after string) error {
	timer := time.NewTimer(s.cfg.Patience)
	defer timer.Stop()
	select {
	case <-p.Done():
		return nil
	case <-ctx.Done():
	case <-timer.C:
	}
	return fmt.Errorf("it is still there %s after %s", s.cfg.Patience, after)
}

func checkTerm(ctx context.Context, s *session) error {
	p, end, err := s.fresh(ctx)
	if err != nil {
		return err
	}
	defer end()
	p.Signal(syscall.SIGTERM)
	if err := s.ended(ctx, p, "SIGTERM"); err != nil {
		return err
	}
	if how, words := p.Exit(); how != "exit status 0" {
		return fmt.Errorf("it ended with %s, not with exit status 0; its last words: %.300q", how, words)
	}
	return nil
}

const (
	// termCallers call without a pause, so that the signal comes while calls
	// are in flight.
	termCallers = 8
	// termTries is how often a driver may show that it cuts none: on a machine
	// that is very busy an answer may come too late once.
	termTries = 3
	// termPause is how long they go on before the signal. Their first answers may
	// come all at once, and the next calls are not with the driver yet.
	termPause = 20 * time.Millisecond
)

func checkTermInFlight(ctx context.Context, s *session) error {
	if _, err := s.templates(ctx); err != nil {
		return err
	}
	var err error
	for range termTries {
		var cut int
		if cut, err = s.term(ctx); err != nil {
			return err
		}
		if cut == 0 {
			return nil
		}
		err = fmt.Errorf("%d of %d calls in flight were cut off", cut, termCallers)
	}
	return err
}

// term sends SIGTERM to a driver with calls in flight and counts those that got
// no answer, not even a refusal.
func (s *session) term(ctx context.Context) (cut int, err error) {
	p, end, err := s.fresh(ctx)
	if err != nil {
		return 0, err
	}
	defer end()
	client := pb.NewTemplatesClient(p.Conn())
	var calls sync.WaitGroup
	lost := make([]bool, termCallers)
	busy := make(chan struct{}, termCallers)
	for i := range termCallers {
		calls.Go(func() {
			for n := 0; ; n++ {
				_, err := client.Render(ctx, s.request(uses()[0]))
				if n == 0 {
					busy <- struct{}{}
				}
				if status.Code(err) == codes.Unavailable || ctx.Err() != nil {
					lost[i] = strings.Contains(status.Convert(err).Message(), "error reading from server")
					return
				}
			}
		})
	}
	for range termCallers {
		<-busy
	}
	select {
	case <-time.After(termPause):
	case <-ctx.Done():
	}
	p.Signal(syscall.SIGTERM)
	err = s.ended(ctx, p, "SIGTERM")
	if err != nil {
		_ = p.Kill()
		calls.Wait()
		return 0, skip("the driver does not end at SIGTERM: see DRV-101")
	}
	calls.Wait()
	for _, l := range lost {
		if l {
			cut++
		}
	}
	return cut, nil
}

func checkHangUp(ctx context.Context, s *session) error {
	p, end, err := s.fresh(ctx)
	if err != nil {
		return err
	}
	defer end()
	p.HangUp()
	return s.ended(ctx, p, "the end of standard input")
}

func checkStopped(ctx context.Context, s *session) error {
	p, end, err := s.fresh(ctx)
	if err != nil {
		return err
	}
	defer end()
	client := pb.NewDriverClient(p.Conn())
	_, err = client.Probe(ctx, &pb.ProbeRequest{})
	if err != nil {
		return skip("the driver does not answer Probe: see DRV-022")
	}
	p.Signal(syscall.SIGSTOP)
	// A call may still slip through before all of the process stands still.
	for err == nil && ctx.Err() == nil {
		short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		_, err = client.Probe(short, &pb.ProbeRequest{})
		cancel()
	}
	p.Signal(syscall.SIGCONT)
	if status.Code(err) != codes.DeadlineExceeded {
		return fmt.Errorf("stopped, it does not let a call meet its deadline: %s", said(err))
	}
	long, cancel := context.WithTimeout(ctx, s.cfg.Patience)
	defer cancel()
	if _, err := client.Probe(long, &pb.ProbeRequest{}); err != nil {
		return fmt.Errorf("continued, it does not answer: %s", said(err))
	}
	return nil
}
