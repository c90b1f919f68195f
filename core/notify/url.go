package notify

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-magnum/magnum/core/config"
)

// bus is a transport URL of oslo.messaging:
//
//	rabbit://user:password@host:port,user:password@host2:port/vhost?ssl=1
type bus struct {
	nodes []node
	vhost string
	ssl   *bool // as the URL says, if it does
}

// node is a broker of the bus.
type node struct {
	host, port string
	user       string
	password   config.Secret
}

func (n node) address() string { return net.JoinHostPort(n.host, n.port) }

// parseBus reads a transport URL. Its errors have nothing of it but names:
// where it is malformed, the password may be anywhere.
func parseBus(text string) (bus, error) {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return bus{}, errors.New("has no rabbit:// in front")
	}
	if scheme != "rabbit" && scheme != "kombu" {
		return bus{}, errors.New("is not for RabbitMQ: it must begin with rabbit://")
	}
	rest, query, _ := strings.Cut(rest, "?")
	hosts, path, _ := strings.Cut(rest, "/")
	b := bus{vhost: "/"}
	if path != "" {
		b.vhost = unescape(path)
	}
	for host := range strings.SplitSeq(hosts, ",") {
		if host == "" {
			continue
		}
		n, err := parseNode(host)
		if err != nil {
			return bus{}, err
		}
		b.nodes = append(b.nodes, n)
	}
	if len(b.nodes) == 0 {
		b.nodes = []node{{host: "localhost", port: "5672", user: "guest", password: config.NewSecret("guest")}}
	}
	options, err := url.ParseQuery(query)
	if err != nil {
		return bus{}, errors.New("has a malformed part behind the question mark")
	}
	for name, values := range options {
		on, err := strconv.ParseBool(values[0])
		if name != "ssl" || err != nil {
			return bus{}, fmt.Errorf("sets %q behind the question mark, and only ssl=0 or ssl=1 is known there: use [oslo_messaging_rabbit]", name)
		}
		b.ssl = &on
	}
	return b, nil
}

func parseNode(text string) (node, error) {
	n := node{host: text, port: "5672", user: "guest", password: config.NewSecret("guest")}
	if i := strings.LastIndex(text, "@"); i >= 0 {
		user, password, _ := strings.Cut(text[:i], ":")
		n.host, n.user, n.password = text[i+1:], unescape(user), config.NewSecret(unescape(password))
	}
	if host, port, err := net.SplitHostPort(n.host); err == nil {
		if number, err := strconv.ParseUint(port, 10, 16); err != nil || number == 0 {
			return node{}, errors.New("has a port that is no number up to 65535; other than letters, digits and -_.~ in user and password are written as %nn")
		}
		n.host, n.port = host, port
	}
	n.host = strings.Trim(n.host, "[]")
	if n.host == "" {
		n.host = "localhost"
	}
	return n, nil
}

// unescape leaves what is no %nn as it is, as oslo.messaging does.
func unescape(text string) string {
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}
