package notify

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/core/config"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
)

// Sender delivers messages.
type Sender interface {
	// Send returns those of the messages that were delivered for certain. It
	// ends when ctx does.
	Send(ctx context.Context, all []state.Message) ([]state.Message, error)
	// Close gives back what it holds; it may be used again.
	Close()
}

// Senders is what [oslo_messaging_notifications] asks for; none if it asks for
// no notifications. A driver that is not known is an error: events that are
// silently sent nowhere would be missed late. RabbitMQ comes before the log, so
// that what is repeated for its sake is not logged again.
func Senders(c *config.Config, logger hclog.Logger) ([]Sender, error) {
	var buses, logs []Sender
	drivers := slices.Clone(c.OsloNotifications.Driver)
	slices.Sort(drivers)
	for _, driver := range slices.Compact(drivers) {
		switch driver {
		case "", "noop":
		case "log":
			logs = append(logs, logSender{logger})
		case "messaging", "messagingv2":
			bus, err := newRabbit(c, driver == "messagingv2")
			if err != nil {
				return nil, err
			}
			buses = append(buses, bus)
		default:
			return nil, fmt.Errorf("[oslo_messaging_notifications] driver is %q, and this release has messagingv2, messaging, log and noop", driver)
		}
	}
	return append(buses, logs...), nil
}

// Encoder is what makes the messages of a host's events.
func Encoder(host string) func(*magnum.Event) (state.Message, error) { return newEncoder(host).message }
