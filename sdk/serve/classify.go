package serve

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"syscall"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/go-magnum/magnum/sdk/driver"
)

// classify makes an error of the contract from one of a library that authors
// have, where that says enough: what it says is for operators. It returns nil
// where nothing is known but that the driver did not expect it. A file that is
// not there is such an error, and never NOT_FOUND: a delete would take that for
// its success.
func classify(name string, err error) *driver.Error {
	var e *driver.Error
	switch {
	case timedOut(err):
		e = driver.Errorf(driver.ClassTimeout, "A service that driver %s needs did not answer in time.", name)
	case errors.Is(err, fs.ErrPermission):
		// Also what a driver's confinement refuses, connections included.
		e = driver.Errorf(driver.ClassPrecondition, "Driver %s is not allowed what it needs.", name)
		e.Blame = driver.BlameOperator
	case isOneOf(err, syscall.ENOSPC, syscall.EDQUOT, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM):
		e = driver.Errorf(driver.ClassUnavailable, "Driver %s has too little memory, disk or files.", name)
		e.Blame = driver.BlameOperator
	case untrusted(err):
		e = driver.Errorf(driver.ClassAuth, "Driver %s and a service that it needs do not trust each other.", name)
	case unreachable(err):
		e = driver.Errorf(driver.ClassUnavailable, "A service that driver %s needs cannot be reached.", name)
	default:
		st, ok := status.FromError(err)
		if !ok {
			return nil
		}
		class := classOfCode(st.Code())
		if class == driver.ClassBug {
			return nil
		}
		e = driver.Errorf(class, "A service that driver %s needs refused: %s.", name, st.Code())
	}
	e.OperatorMessage = err.Error()
	return e
}

func isOneOf(err error, targets ...syscall.Errno) bool {
	for _, t := range targets {
		if errors.Is(err, t) {
			return true
		}
	}
	return false
}

func timedOut(err error) bool {
	var waited interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.As(err, &waited) && waited.Timeout()
}

// untrusted is about certificates: the other side's, or ours, of which it says
// only that it ends the connection.
func untrusted(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		authority    x509.UnknownAuthorityError
		host         x509.HostnameError
		invalid      x509.CertificateInvalidError
		network      *net.OpError
	)
	const alert = "remote error" // what crypto/tls calls it; its type is not exported
	return errors.As(err, &verification) || errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &invalid) ||
		errors.As(err, &network) && network.Op == alert
}

func unreachable(err error) bool {
	var (
		lookup  *net.DNSError
		network *net.OpError
		request *url.Error
	)
	return errors.As(err, &lookup) || errors.As(err, &network) ||
		isOneOf(err, syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.ECONNABORTED, syscall.EPIPE, syscall.EHOSTUNREACH, syscall.ENETUNREACH) ||
		// An answer that broke off; elsewhere it may be any text that is too short.
		errors.As(err, &request) && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF))
}

// classOfCode is for the answers of gRPC services that are not ours.
func classOfCode(c codes.Code) driver.Class {
	switch c {
	case codes.DeadlineExceeded:
		return driver.ClassTimeout
	case codes.Unavailable:
		return driver.ClassUnavailable
	case codes.Unauthenticated, codes.PermissionDenied:
		return driver.ClassAuth
	case codes.NotFound:
		return driver.ClassNotFound
	case codes.Aborted, codes.AlreadyExists:
		return driver.ClassConflict
	case codes.FailedPrecondition:
		return driver.ClassPrecondition
	case codes.ResourceExhausted:
		return driver.ClassQuota
	default:
		return driver.ClassBug
	}
}
