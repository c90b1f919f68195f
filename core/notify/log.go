package notify

import (
	"context"

	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/core/state"
)

// logSender writes one line for each message, under the name that oslo.messaging
// gives its logger.
type logSender struct{ logger hclog.Logger }

func (s logSender) Send(_ context.Context, all []state.Message) ([]state.Message, error) {
	for _, m := range all {
		level := hclog.Info
		if m.Priority == "ERROR" {
			level = hclog.Error
		}
		s.logger.ResetNamed("oslo.messaging.notification."+m.EventType).Log(level, m.Body)
	}
	return all, nil
}

func (logSender) Close() {}
