package conductor

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/google/uuid"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

// traceOf is what a driver is told of the work that it is asked for. The trace
// is the request's, whose id is a uuid and so has the length of a trace's, and
// the parent in it is the operation. It is the same at every attempt, in
// whichever conductor. Nothing of it is recorded here, which is what flags 00 say.
func traceOf(op *magnum.Operation) driver.Trace {
	short := func(text string, bytes int) string {
		sum := sha256.Sum256([]byte(text))
		return hex.EncodeToString(sum[:bytes])
	}
	trace := short(op.ID, 16)
	if id, err := uuid.Parse(strings.TrimPrefix(op.RequestID, "req-")); err == nil {
		trace = hex.EncodeToString(id[:])
	}
	return driver.Trace{RequestID: op.RequestID, Parent: "00-" + trace + "-" + short(op.ID, 8) + "-00"}
}
