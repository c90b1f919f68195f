package api

import (
	"net/http"
	"strings"
)

// base is the service's address as the client wrote it. Behind a proxy that
// is trusted it is what the proxy says the client wrote.
func base(r *http.Request, trusted bool) string {
	seen := origin{scheme: "http", host: r.Host}
	if r.TLS != nil {
		seen.scheme = "https"
	}
	if trusted {
		seen.forwarded(r.Header)
	}
	if !plain(seen.host) {
		seen.host = "localhost"
	}
	return seen.scheme + "://" + seen.host + seen.prefix
}

// plain says whether a text may go into JSON and into a header as it is.
func plain(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c > '~' || c == '"' || c == '\\' })
}

type origin struct{ scheme, host, prefix string }

// forwarded reads a proxy's headers. Of several proxies the first, the one
// nearest to the client, counts. As in oslo.middleware, the headers with X-
// do not count where there is the standard one, but for the prefix, which the
// standard does not have.
func (o *origin) forwarded(h http.Header) {
	proto, host := first(h.Get("X-Forwarded-Proto")), first(h.Get("X-Forwarded-Host"))
	if standard := h.Get("Forwarded"); standard != "" {
		proto, host = parseForwarded(standard)
	}
	if proto = strings.ToLower(proto); proto == "http" || proto == "https" {
		o.scheme = proto
	}
	if host != "" {
		o.host = host
	}
	prefix := strings.TrimRight(first(h.Get("X-Forwarded-Prefix")), "/")
	if strings.HasPrefix(prefix, "/") && !strings.HasPrefix(prefix, "//") && plain(prefix) {
		o.prefix = prefix
	}
}

func first(list string) string {
	item, _, _ := strings.Cut(list, ",")
	return strings.TrimSpace(item)
}

// parseForwarded reads proto and host of RFC 7239's header, such as
// `for=192.0.2.60;proto=https;host="magnum:9511", for=198.51.100.7`. A comma
// or semicolon within quotes is in neither, so they need no regard.
func parseForwarded(list string) (proto, host string) {
	for pair := range strings.SplitSeq(first(list), ";") {
		name, value, _ := strings.Cut(pair, "=")
		value = strings.Trim(strings.TrimSpace(value), `"`)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "proto":
			proto = value
		case "host":
			host = value
		}
	}
	return proto, host
}
