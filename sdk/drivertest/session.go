package drivertest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/go-magnum/magnum/sdk/driver"
	pb "github.com/go-magnum/magnum/sdk/driverpb"
	"github.com/go-magnum/magnum/sdk/serve"
)

// session is one run of the suite: the process that most rules ask, and what
// they learned from it.
type session struct {
	cfg     Config
	process Process

	hello       *pb.HandshakeResponse
	description *pb.Description
	labels      *schema
	authority   *authority // nil for clusters without one
	stacks      []stack    // nil before they have been rendered
}

// conn is a connection to a process that lives.
func (s *session) conn(ctx context.Context) (*grpc.ClientConn, error) {
	if s.process != nil {
		select {
		case <-s.process.Done():
			if err := s.close(); err != nil {
				return nil, err
			}
		default:
			return s.process.Conn(), nil
		}
	}
	p, err := s.start(ctx)
	if err != nil {
		return nil, skip("the driver does not start: see DRV-004")
	}
	s.process = p
	return p.Conn(), nil
}

// start makes a process of the caller's own.
func (s *session) start(ctx context.Context) (Process, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Patience)
	defer cancel()
	return s.cfg.Start(ctx)
}

// fresh is a process for a rule that ends it; the function returned must be
// called.
func (s *session) fresh(ctx context.Context) (Process, func(), error) {
	p, err := s.start(ctx)
	if err != nil {
		return nil, nil, skip("the driver does not start: see DRV-004")
	}
	return p, func() { _ = p.Kill() }, nil
}

func (s *session) close() error {
	if s.process == nil {
		return nil
	}
	err := s.process.Kill()
	s.process = nil
	return err
}

// learn asks for what everything else depends on.
func (s *session) learn(ctx context.Context) error {
	if s.description != nil {
		return nil
	}
	conn, err := s.conn(ctx)
	if err != nil {
		return err
	}
	client := pb.NewDriverClient(conn)
	hello, err := client.Handshake(ctx, handshake())
	if err != nil {
		return skip("the driver does not shake hands: see DRV-006")
	}
	out, err := client.Describe(ctx, &pb.DescribeRequest{})
	if err != nil || out.GetDescription() == nil {
		return skip("the driver does not describe itself: see DRV-010")
	}
	s.hello, s.description = hello, out.GetDescription()
	// What is wrong with it is for DRV-012.
	s.labels, _ = parseSchema(s.description.GetLabelSchema())
	if s.labels == nil {
		s.labels = &schema{}
	}
	return nil
}

func handshake() *pb.HandshakeRequest {
	return &pb.HandshakeRequest{CoreVersion: "1.0.0", ProtocolMinor: driver.ProtocolMinor}
}

// ask learns, and skips a rule about a service that the driver does not have.
func (s *session) ask(ctx context.Context, service string) (*grpc.ClientConn, error) {
	if err := s.learn(ctx); err != nil {
		return nil, err
	}
	if !s.has(service) {
		return nil, skip("the driver has no " + service)
	}
	return s.conn(ctx)
}

func (s *session) templates(ctx context.Context) (pb.TemplatesClient, error) {
	conn, err := s.ask(ctx, driver.ServiceTemplates)
	if err != nil {
		return nil, err
	}
	return pb.NewTemplatesClient(conn), nil
}

func (s *session) has(service string) bool { return slices.Contains(s.hello.GetServices(), service) }

func (s *session) can(c driver.Capability) bool {
	return slices.Contains(s.description.GetCapabilities(), string(c))
}

// class is the class of an error that a driver made; "" of any other.
func class(err error) driver.Class {
	if e, ok := serve.FromError(err); ok {
		return e.Class
	}
	return ""
}

// decent reports what is wrong with the error of a call whose input was bad, or
// might be: it must be the driver's own word, and not that it broke.
func decent(what string, err error) error {
	switch c := class(err); {
	case err == nil:
		return nil
	case c == "":
		return fmt.Errorf("%s: refused without an error of the contract: %s", what, said(err))
	case c == driver.ClassBug || c == driver.ClassRestarted:
		return fmt.Errorf("%s: refused as %s: %s", what, c, said(err))
	}
	return nil
}

// refusedAs wants an error of one of some classes.
func refusedAs(what string, err error, want ...driver.Class) error {
	switch c := class(err); {
	case err == nil:
		return fmt.Errorf("%s: answered, but must be refused as %s", what, want[0])
	case !slices.Contains(want, c):
		return fmt.Errorf("%s: refused with class %q, want %s: %s", what, c, want[0], said(err))
	}
	return nil
}

// said is an error in short.
func said(err error) string {
	st := status.Convert(err)
	return fmt.Sprintf("%s: %.300s", st.Code(), st.Message())
}

// bytes are those of a message, in an order that does not depend on a map's.
func bytes(m proto.Message) ([]byte, error) {
	return proto.MarshalOptions{Deterministic: true}.Marshal(m)
}

// faults are several errors of one rule. In words they are the first, with how
// many more there are.
type faults []error

func (f faults) Error() string { return fmt.Sprintf("%v (and %d more)", f[0], len(f)-1) }

// first is nil, an error, or several as faults.
func first(errs []error) error {
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	var skipped skip
	switch {
	case len(errs) == 0:
		return nil
	case len(errs) == 1 || errors.As(errs[0], &skipped):
		return errs[0]
	}
	return faults(errs)
}
