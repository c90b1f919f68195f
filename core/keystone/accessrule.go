package keystone

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// accessRules are the requests that an application credential is restricted
// to. There may be none, which allows nothing.
type accessRules struct {
	rules    []accessRule
	services []string // types in the token's catalogue
}

type accessRule struct {
	Service string `json:"service"`
	Method  string `json:"method"`
	Path    string `json:"path"`
}

// allow checks a request as keystonemiddleware does. Without a service type
// nobody can tell which rules are about this service, so nothing is allowed.
func (a *accessRules) allow(serviceType, method, path string) error {
	if serviceType == "" {
		return errors.New("it has access rules, and [keystone_authtoken] service_type is not set")
	}
	known := false
	for _, s := range a.services {
		known = known || s == serviceType
	}
	if !known {
		return fmt.Errorf("[keystone_authtoken] service_type %s is not in its catalogue", serviceType)
	}
	for _, r := range a.rules {
		if r.Service == serviceType && r.Method == method && matches(r.Path, path) {
			return nil
		}
	}
	return errors.New("its access rules do not name this request")
}

// wildcard is {name} or *, which stand for a segment of the path, or **, which
// stands for anything.
var wildcard = regexp.MustCompile(`\{[^}]*\}|\*\*|\*`)

func matches(pattern, path string) bool {
	var b strings.Builder
	b.WriteString(`\A(?s:`)
	for {
		at := wildcard.FindStringIndex(pattern)
		if at == nil {
			break
		}
		b.WriteString(regexp.QuoteMeta(pattern[:at[0]]))
		if pattern[at[0]:at[1]] == "**" {
			b.WriteString(`.*`)
		} else {
			b.WriteString(`[^/]+`)
		}
		pattern = pattern[at[1]:]
	}
	b.WriteString(regexp.QuoteMeta(pattern) + `)\z`)
	// Keystone bounds a path to 128 characters, and an expression that does
	// not compile allows nothing.
	matched, err := regexp.MatchString(b.String(), path)
	return err == nil && matched
}
