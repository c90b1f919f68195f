package serve

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/go-magnum/magnum/sdk/driver"
	pb "github.com/go-magnum/magnum/sdk/driverpb"
)

// ErrorDomain is the domain of the google.rpc.ErrorInfo that every error of a
// driver carries. An error without it was made by the transport.
const ErrorDomain = "driver.magnum.openstack.org"

// FromError finds what a driver said in an error of a gRPC call. It reports
// false for an error that no driver made: the transport's, or the caller's own
// context.
func FromError(err error) (*driver.Error, bool) {
	if e := (*driver.Error)(nil); errors.As(err, &e) {
		return e, true
	}
	st, ok := status.FromError(err)
	if !ok {
		return nil, false
	}
	return fromStatus(st)
}

// asError turns the error of a gRPC call into one of the contract's.
func asError(err error) error {
	if e, ok := FromError(err); ok {
		return e
	}
	st := status.Convert(err)
	switch st.Code() {
	case codes.Canceled:
		// Both are true of it: the caller gave up, and nothing is known of
		// what the driver would have said.
		return fmt.Errorf("%w: %w", context.Canceled,
			driver.Errorf(driver.ClassUnavailable, "the call of the driver was cancelled"))
	case codes.DeadlineExceeded:
		return driver.Errorf(driver.ClassTimeout, "the driver did not answer in time")
	case codes.Unavailable:
		return transportError(driver.ClassUnavailable, "the driver cannot be reached", st)
	case codes.Unimplemented:
		return transportError(driver.ClassUnsupported, "the driver does not have this call", st)
	case codes.ResourceExhausted:
		return transportError(driver.ClassBug,
			fmt.Sprintf("a message to or from the driver is larger than the %d bytes allowed", driver.MaxMessage), st)
	default:
		return transportError(driver.ClassBug, "the driver's answer could not be read", st)
	}
}

func transportError(class driver.Class, text string, st *status.Status) *driver.Error {
	e := driver.Errorf(class, "%s", text)
	e.Blame = driver.BlameDriver
	e.OperatorMessage = fmt.Sprintf("%s: %s: %s", text, st.Code(), st.Message())
	return e
}

// fromStatus reads the details. The class in ErrorInfo's reason stands in for
// one that this version of the messages does not know.
func fromStatus(st *status.Status) (*driver.Error, bool) {
	var found *driver.Error
	ours := false
	for _, detail := range st.Details() {
		switch d := detail.(type) {
		case *errdetails.ErrorInfo:
			ours = ours || d.GetDomain() == ErrorDomain
		case *pb.DriverError:
			found = &driver.Error{
				Class:           classFromPB(d.GetClass()),
				Blame:           blameFromPB(d.GetBlame()),
				UserMessage:     d.GetUserMessage(),
				OperatorMessage: d.GetOperatorMessage(),
				RetryAfter:      d.GetRetryAfter().AsDuration(),
			}
		}
	}
	if found == nil || !ours {
		return nil, false
	}
	if found.Blame == "" {
		found.Blame = driver.Errorf(found.Class, "").Blame
	}
	return found, true
}

// toStatus turns what an author's method returned into a status. An error
// without a class has that of its kind, and is a bug where it has none, unless
// the caller's own time was up.
func toStatus(ctx context.Context, name string, err error) error {
	e := (*driver.Error)(nil)
	switch {
	case errors.As(err, &e):
		if whole := err.Error(); e.OperatorMessage == "" && whole != e.Error() {
			// Wrapping text is for operators: it says where, not what.
			copied := *e
			copied.OperatorMessage = whole
			e = &copied
		}
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		e = driver.Errorf(driver.ClassTimeout, "driver %s did not finish in time", name)
		e.OperatorMessage = err.Error()
	case errors.Is(ctx.Err(), context.Canceled):
		return status.FromContextError(ctx.Err()).Err()
	default:
		if e = classify(name, err); e == nil {
			e = driver.Errorf(driver.ClassBug, "driver %s failed", name)
			e.OperatorMessage = err.Error()
		}
	}
	return errorStatus(e).Err()
}

func errorStatus(e *driver.Error) *status.Status {
	text := &pb.DriverError{
		Class:           classToPB(e.Class),
		Blame:           blameToPB(e.Blame),
		UserMessage:     fit(e.UserMessage),
		OperatorMessage: fit(e.OperatorMessage),
		RetryAfter:      durationToPB(e.RetryAfter),
	}
	details := []protoadapt.MessageV1{
		protoadapt.MessageV1Of(&errdetails.ErrorInfo{Reason: string(e.Class), Domain: ErrorDomain}),
		protoadapt.MessageV1Of(text),
	}
	if e.RetryAfter > 0 {
		details = append(details, protoadapt.MessageV1Of(
			&errdetails.RetryInfo{RetryDelay: durationpb.New(e.RetryAfter)}))
	}
	st := status.New(CodeOf(e.Class), fit(e.UserMessage))
	if detailed, err := st.WithDetails(details...); err == nil {
		return detailed
	}
	return st
}

// fit makes a text fit to travel in a gRPC trailer: valid and not too long.
func fit(text string) string {
	if len(text) > driver.MaxString {
		text = text[:driver.MaxString]
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

// CodeOf is the gRPC code that goes with a class.
func CodeOf(c driver.Class) codes.Code {
	switch c {
	case driver.ClassInvalidInput:
		return codes.InvalidArgument
	case driver.ClassUnsupported:
		return codes.Unimplemented
	case driver.ClassConflict:
		return codes.Aborted
	case driver.ClassPrecondition:
		return codes.FailedPrecondition
	case driver.ClassNotFound:
		return codes.NotFound
	case driver.ClassQuota, driver.ClassThrottled:
		return codes.ResourceExhausted
	case driver.ClassUnavailable, driver.ClassRestarted:
		return codes.Unavailable
	case driver.ClassAuth:
		return codes.Unauthenticated
	case driver.ClassTimeout:
		return codes.DeadlineExceeded
	default:
		return codes.Internal
	}
}

// The names of classes and blames differ from the enum's by a prefix only.
const (
	classPrefix = "CLASS_"
	blamePrefix = "BLAME_"
)

func classToPB(c driver.Class) pb.Class {
	return pb.Class(pb.Class_value[classPrefix+string(c)])
}

// classFromPB takes an unknown class, of a newer contract, for a bug: nothing
// else is never retried for ever and never shown as the user's fault.
func classFromPB(c pb.Class) driver.Class {
	if name, ok := pb.Class_name[int32(c)]; ok && c != pb.Class_CLASS_UNSPECIFIED {
		return driver.Class(strings.TrimPrefix(name, classPrefix))
	}
	return driver.ClassBug
}

func blameToPB(b driver.Blame) pb.Blame {
	return pb.Blame(pb.Blame_value[blamePrefix+strings.ToUpper(string(b))])
}

func blameFromPB(b pb.Blame) driver.Blame {
	if name, ok := pb.Blame_name[int32(b)]; ok && b != pb.Blame_BLAME_UNSPECIFIED {
		return driver.Blame(strings.ToLower(strings.TrimPrefix(name, blamePrefix)))
	}
	return ""
}
