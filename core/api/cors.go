package api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-magnum/magnum/core/config"
)

// Header names in the form in which net/http keeps them.
const (
	allowOrigin      = "Access-Control-Allow-Origin"
	allowCredentials = "Access-Control-Allow-Credentials"
)

var (
	varyOrigin = []string{"Origin"}
	varyBoth   = []string{varyVersion[0] + ",Origin"}
)

// simpleHeaders may always be sent from another origin.
var simpleHeaders = []string{
	"Accept", "Accept-Language", "Content-Type", "Cache-Control", "Content-Language", "Expires", "Last-Modified", "Pragma",
}

// cors answers web pages of other origins as oslo.middleware does: it adds
// headers and refuses nothing, that is for the browser to do.
type cors struct {
	origins     []string
	credentials bool
	expose      []string
	maxAge      []string // nil: not said
	methods     []string
	headers     []string
}

// newCORS returns nil where no origin is allowed; nil adds nothing.
func newCORS(c *config.Cors) *cors {
	if len(c.AllowedOrigin) == 0 {
		return nil
	}
	k := &cors{
		origins: c.AllowedOrigin, credentials: c.AllowCredentials,
		methods: c.AllowMethods, headers: slices.Concat(c.AllowHeaders, simpleHeaders),
	}
	if len(c.ExposeHeaders) > 0 {
		k.expose = []string{strings.Join(c.ExposeHeaders, ",")}
	}
	if c.MaxAge > 0 {
		k.maxAge = []string{strconv.Itoa(c.MaxAge)}
	}
	return k
}

// simple adds what lets a page read the answer to a request.
func (k *cors) simple(h, asked http.Header) {
	origin, ok := k.allowed(asked)
	if !ok {
		return
	}
	k.admit(h, origin)
	if k.expose != nil {
		h["Access-Control-Expose-Headers"] = k.expose
	}
}

// preflight adds what lets a browser send a request for a page. A request
// that would not be allowed gets no headers at all.
func (k *cors) preflight(h, asked http.Header) {
	origin, ok := k.allowed(asked)
	if !ok {
		return
	}
	method := asked.Get("Access-Control-Request-Method")
	if !slices.Contains(k.methods, method) {
		return
	}
	var headers []string
	for name := range strings.SplitSeq(asked.Get("Access-Control-Request-Headers"), ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if !slices.ContainsFunc(k.headers, func(known string) bool { return strings.EqualFold(known, name) }) {
			return
		}
		headers = append(headers, name)
	}
	k.admit(h, origin)
	if k.maxAge != nil {
		h["Access-Control-Max-Age"] = k.maxAge
	}
	h["Access-Control-Allow-Methods"] = []string{method}
	if len(headers) > 0 {
		h["Access-Control-Allow-Headers"] = []string{strings.Join(headers, ",")}
	}
}

// allowed returns the origin to name in the answer.
func (k *cors) allowed(asked http.Header) (string, bool) {
	if k == nil {
		return "", false
	}
	origin := asked.Get("Origin")
	switch {
	case origin == "":
		return "", false
	case slices.Contains(k.origins, origin):
		return origin, true
	}
	return "*", slices.Contains(k.origins, "*")
}

func (k *cors) admit(h http.Header, origin string) {
	h["Vary"] = varyOrigin
	h[allowOrigin] = []string{origin}
	if k.credentials {
		h[allowCredentials] = []string{"true"}
	}
}
