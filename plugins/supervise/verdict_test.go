package supervise

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/go-magnum/magnum/sdk/driver"
)

// Labels are words of the contract, whatever a driver says.
func TestVerdict(t *testing.T) {
	for _, tt := range []struct {
		err          error
		class, blame string
	}{
		{nil, "OK", "none"},
		{fmt.Errorf("%w: %w", context.Canceled, driver.Errorf(driver.ClassUnavailable, "the call was cancelled")), "CANCELLED", "none"},
		{driver.Errorf(driver.ClassQuota, "q"), "QUOTA", "user"},
		{driver.Errorf(driver.ClassAuth, "a"), "AUTH", "operator"},
		{driver.Errorf(driver.ClassTimeout, "t"), "TIMEOUT", "downstream"},
		{&driver.Error{Class: "MINE", Blame: "everybody"}, "BUG", "driver"},
		{status.Error(codes.Unimplemented, "unknown method"), "UNSUPPORTED", "user"},
		{status.Error(codes.Internal, "no"), "BUG", "driver"},
		{errors.New("no"), "BUG", "driver"},
	} {
		if class, blame := verdict(tt.err); class != tt.class || blame != tt.blame {
			t.Errorf("%v: %s of %s, want %s of %s", tt.err, class, blame, tt.class, tt.blame)
		}
	}
}
