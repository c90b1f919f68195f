package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/go-magnum/magnum/core/config"
	"github.com/go-magnum/magnum/core/state"
)

const (
	heartbeat = 10 * time.Second
	// goodbye is how long a broker has to answer the end of a connection.
	goodbye = 2 * time.Second
)

// rabbit sends as oslo.messaging does: to a topic exchange, with the topic and
// the priority as the key, and to a queue of that name, so that nothing is lost
// where no consumer has been yet. Other than there the broker confirms.
type rabbit struct {
	bus       bus
	tls       *tls.Config // nil: none
	exchange  string
	topics    []string
	durable   bool
	queueArgs amqp.Table
	envelope  bool

	next     int // node to try first
	socket   net.Conn
	conn     *amqp.Connection
	channel  *amqp.Channel
	returned chan amqp.Return
	declared map[string]bool // queues that are there
}

func newRabbit(c *config.Config, envelope bool) (*rabbit, error) {
	option, text := "[oslo_messaging_notifications] transport_url", c.OsloNotifications.TransportURL
	if !text.IsSet() {
		option, text = "[DEFAULT] transport_url", c.Default.TransportURL
	}
	b, err := parseBus(text.Reveal())
	if err != nil {
		return nil, fmt.Errorf("%s %w", option, err)
	}
	o := c.OsloRabbit
	r := &rabbit{
		bus: b, exchange: c.Default.ControlExchange, topics: c.OsloNotifications.Topics,
		durable: o.DurableQueues || o.QuorumQueue, envelope: envelope,
	}
	if o.QuorumQueue {
		r.queueArgs = amqp.Table{amqp.QueueTypeArg: amqp.QueueTypeQuorum}
	}
	if b.ssl != nil && *b.ssl || b.ssl == nil && o.SSL {
		if r.tls, err = tlsConfig(o); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// tlsConfig always verifies the broker; upstream does only with ssl_ca_file.
func tlsConfig(o config.OsloRabbit) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.SSLCAFile != "" {
		pem, err := os.ReadFile(o.SSLCAFile)
		if err != nil {
			return nil, fmt.Errorf("[oslo_messaging_rabbit] ssl_ca_file: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("[oslo_messaging_rabbit] ssl_ca_file: no certificate in %s", o.SSLCAFile)
		}
	}
	if o.SSLCertFile != "" {
		pair, err := tls.LoadX509KeyPair(o.SSLCertFile, o.SSLKeyFile)
		if err != nil {
			return nil, fmt.Errorf("[oslo_messaging_rabbit] ssl_cert_file and ssl_key_file: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// Send publishes all and waits for what the broker says of each. After an
// error the next call begins with a new connection.
func (r *rabbit) Send(ctx context.Context, all []state.Message) ([]state.Message, error) {
	sent, err := r.send(ctx, all)
	if err == nil && len(sent) < len(all) {
		err = fmt.Errorf("RabbitMQ at %s has not taken %d of %d messages", r.node().address(), len(all)-len(sent), len(all))
		if late := ctx.Err(); late != nil {
			err = fmt.Errorf("%w: %w", err, late)
		}
	}
	if err != nil {
		r.Close()
	}
	return sent, err
}

func (r *rabbit) send(ctx context.Context, all []state.Message) ([]state.Message, error) {
	if r.channel == nil || r.channel.IsClosed() {
		r.Close()
		if err := r.connect(ctx); err != nil {
			return nil, err
		}
	}
	// A broker that neither takes nor answers holds nobody up: without its
	// socket every call returns.
	socket := r.socket
	stop := context.AfterFunc(ctx, func() { _ = socket.Close() })
	defer stop()
	r.returned = r.channel.NotifyReturn(make(chan amqp.Return, len(all)*len(r.topics)))

	var err error
	confirms := make([][]*amqp.DeferredConfirmation, 0, len(all))
	for _, m := range all {
		var of []*amqp.DeferredConfirmation
		if of, err = r.publish(ctx, m); err != nil {
			break // of those before, the broker may have taken some
		}
		confirms = append(confirms, of)
	}
	taken := map[int64]bool{}
	for i, of := range confirms {
		taken[all[i].ID] = confirmed(ctx, of)
	}
	r.unrouted(taken)
	var sent []state.Message
	for _, m := range all {
		if taken[m.ID] {
			sent = append(sent, m)
		}
	}
	return sent, err
}

// publish sends a message to each topic.
func (r *rabbit) publish(ctx context.Context, m state.Message) ([]*amqp.DeferredConfirmation, error) {
	body := []byte(m.Body)
	if r.envelope {
		var err error
		if body, err = envelope(m.Body); err != nil {
			return nil, err
		}
	}
	var all []*amqp.DeferredConfirmation
	for _, topic := range r.topics {
		queue := topic + "." + strings.ToLower(m.Priority)
		if err := r.declare(queue); err != nil {
			return nil, fmt.Errorf("declare queue %s of exchange %s: %w", queue, r.exchange, err)
		}
		// Mandatory: a queue that was deleted meanwhile is made anew.
		c, err := r.channel.PublishWithDeferredConfirmWithContext(ctx, r.exchange, queue, true, false, amqp.Publishing{
			ContentType: "application/json", ContentEncoding: "utf-8", DeliveryMode: amqp.Persistent,
			MessageId: strconv.FormatInt(m.ID, 10), Body: body,
		})
		if err != nil {
			return nil, fmt.Errorf("publish to exchange %s: %w", r.exchange, err)
		}
		all = append(all, c)
	}
	return all, nil
}

// confirmed waits until the broker has said of a message whether it took it.
func confirmed(ctx context.Context, of []*amqp.DeferredConfirmation) bool {
	for _, c := range of {
		if ok, err := c.WaitContext(ctx); err != nil || !ok {
			return false
		}
	}
	return true
}

// unrouted strikes out what the broker took and had no queue for; it says so
// before it confirms.
func (r *rabbit) unrouted(taken map[int64]bool) {
	for {
		select {
		case back, open := <-r.returned:
			if !open {
				return
			}
			if id, err := strconv.ParseInt(back.MessageId, 10, 64); err == nil {
				taken[id] = false
			}
		default:
			return
		}
	}
}

// node is the one that is connected to, or to be tried.
func (r *rabbit) node() node { return r.bus.nodes[r.next%len(r.bus.nodes)] }

// connect tries each node once, beginning with the one after the last.
func (r *rabbit) connect(ctx context.Context) error {
	var failed []error
	for range r.bus.nodes {
		n := r.node()
		err := r.open(ctx, n)
		if err == nil {
			return nil
		}
		r.next++
		failed = append(failed, fmt.Errorf("connect to RabbitMQ at %s: %w", n.address(), err))
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(failed...)
}

func (r *rabbit) open(ctx context.Context, n node) (err error) {
	socket, err := (&net.Dialer{}).DialContext(ctx, "tcp", n.address())
	if err != nil {
		return err
	}
	stream := socket
	stop := context.AfterFunc(ctx, func() { _ = socket.Close() })
	defer stop()
	defer func() {
		if err != nil {
			_ = socket.Close() // first: nobody waits for a farewell
			r.Close()
		}
	}()
	r.socket = socket
	if r.tls != nil {
		c := r.tls.Clone()
		c.ServerName = n.host
		secured := tls.Client(socket, c)
		if err := secured.HandshakeContext(ctx); err != nil {
			return err
		}
		stream = secured
	}
	r.conn, err = amqp.Open(stream, amqp.Config{
		SASL:  []amqp.Authentication{&amqp.PlainAuth{Username: n.user, Password: n.password.Reveal()}},
		Vhost: r.bus.vhost, Heartbeat: heartbeat, Locale: "en_US",
	})
	if err != nil {
		return err
	}
	if r.channel, err = r.conn.Channel(); err != nil {
		return err
	}
	r.declared = map[string]bool{}
	return r.channel.Confirm(false)
}

// declare makes a queue and the exchange, where they are not there yet. As they
// are they stay: whether they are durable is who made them first's choice.
func (r *rabbit) declare(queue string) error {
	if r.declared[queue] {
		return nil
	}
	there, err := r.there(func(c *amqp.Channel) error {
		return c.ExchangeDeclarePassive(r.exchange, amqp.ExchangeTopic, r.durable, false, false, false, nil)
	})
	if err == nil && !there {
		err = r.channel.ExchangeDeclare(r.exchange, amqp.ExchangeTopic, r.durable, false, false, false, nil)
	}
	if err != nil {
		return err
	}
	there, err = r.there(func(c *amqp.Channel) error {
		_, err := c.QueueDeclarePassive(queue, r.durable, false, false, false, nil)
		return err
	})
	if err == nil && !there {
		_, err = r.channel.QueueDeclare(queue, r.durable, false, false, false, r.queueArgs)
	}
	if err == nil {
		err = r.channel.QueueBind(queue, queue, r.exchange, false, nil)
	}
	r.declared[queue] = err == nil
	return err
}

// there asks on a channel of its own, which ends if the answer is no.
func (r *rabbit) there(ask func(*amqp.Channel) error) (bool, error) {
	c, err := r.conn.Channel()
	if err != nil {
		return false, err
	}
	defer func() { _ = c.Close() }()
	err = ask(c)
	var refused *amqp.Error
	if errors.As(err, &refused) && refused.Code == amqp.NotFound {
		return false, nil
	}
	return err == nil, err
}

// Close ends the connection, if there is one.
func (r *rabbit) Close() {
	if r.conn != nil {
		_ = r.conn.CloseDeadline(time.Now().Add(goodbye)) // it may be broken, which is why it is closed
	}
	if r.socket != nil {
		_ = r.socket.Close()
	}
	r.socket, r.conn, r.channel, r.declared = nil, nil, nil, nil
}
