package wiretest

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// compared are the headers that were recorded.
var compared = regexp.MustCompile(`^(content-type|location|allow|vary|www-authenticate|retry-after|openstack-api-.*|x-openstack-request-id)$`)

var (
	timePattern      = regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?`)
	requestPattern   = regexp.MustCompile(`req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
	uuidPattern      = regexp.MustCompile(`\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`)
	generatedPattern = regexp.MustCompile(`^[a-z]+-\d+-(cluster|template|model|bay)$`)
	choicesPattern   = regexp.MustCompile(`(?s)(one of: )(.*)$`)
	pemPattern       = regexp.MustCompile(`(?s)-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----\n?`)
)

// names turns what differs from run to run into words that do not.
type names struct {
	fixed   []string // pairs of a text and its word, longest text first
	literal string   // the recorded request: a uuid that stands in it is no new one
	seen    []string // uuids of this step
}

func newNames(words map[string]string, literal string) *names {
	texts := slices.SortedFunc(maps.Keys(words), func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	n := &names{literal: literal}
	for _, t := range texts {
		n.fixed = append(n.fixed, t, words[t])
	}
	return n
}

func (n *names) text(s string) string {
	s = pemPattern.ReplaceAllStringFunc(s, describe)
	s = strings.NewReplacer(n.fixed...).Replace(s)
	s = requestPattern.ReplaceAllString(s, "<req>")
	s = uuidPattern.ReplaceAllStringFunc(s, func(id string) string {
		if strings.Contains(n.literal, id) {
			return id
		}
		i := slices.Index(n.seen, id)
		if i < 0 {
			i = len(n.seen)
			n.seen = append(n.seen, id)
		}
		return fmt.Sprintf("<uuid:%d>", i+1)
	})
	s = timePattern.ReplaceAllString(s, "<time>")
	s = generatedPattern.ReplaceAllString(s, "<generated:$1>")
	return choicesPattern.ReplaceAllStringFunc(s, func(list string) string {
		parts := choicesPattern.FindStringSubmatch(list)
		choices := strings.Split(parts[2], ", ")
		slices.Sort(choices)
		return parts[1] + strings.Join(choices, ", ")
	})
}

func (n *names) value(v any, masked []string) any {
	switch v := v.(type) {
	case string:
		return n.text(v)
	case []any:
		for i := range v {
			v[i] = n.value(v[i], masked)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			_, number := v[name].(float64)
			switch {
			case slices.Contains(masked, name):
				v[name] = "<any>"
			case name == "id" && number:
				v[name] = "<id>"
			default:
				v[name] = n.value(v[name], masked)
			}
		}
	}
	return v
}

// normal is an answer as a recording would have it.
func (n *names) normal(status int, h http.Header, body []byte, masked []string) *response {
	r := &response{Status: status, Headers: map[string]string{}}
	for name, values := range h {
		if name = strings.ToLower(name); compared.MatchString(name) {
			r.Headers[name] = n.text(strings.Join(values, ", "))
		}
	}
	if kind, ok := r.Headers["content-type"]; ok {
		r.Headers["content-type"] = strings.ReplaceAll(strings.ToLower(kind), " ", "")
	}
	if len(body) == 0 {
		return r
	}
	if err := json.Unmarshal(body, &r.Body); err != nil {
		r.Body = map[string]any{"<text>": string(body)}
	}
	r.Body = n.value(r.Body, masked)
	return r
}

// keyUsages are OpenSSL's words, by bit.
var keyUsages = []string{
	"Digital Signature", "Non Repudiation", "Key Encipherment", "Data Encipherment", "Key Agreement", "Certificate Sign", "CRL Sign",
}

var identifiers = map[string]string{"2.5.29.14": "Subject Key Identifier", "2.5.29.35": "Authority Key Identifier"}

// describe is a certificate without what is new each time. Of other things
// only the kind is compared.
func describe(text string) string {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return text
	}
	if block.Type != "CERTIFICATE" {
		return "<pem " + block.Type + ">"
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return text
	}
	parts := []string{"subject=" + name(c.RawSubject), "issuer=" + name(c.RawIssuer)}
	for _, e := range c.Extensions {
		critical := ""
		if e.Critical {
			critical = " critical"
		}
		title, value := extension(c, e.Id)
		parts = append(parts, title+":"+critical+"; "+value)
	}
	days := int(c.NotAfter.Sub(c.NotBefore).Hours()/24 + 0.5)
	return "<pem CERTIFICATE " + strings.Join(append(parts, fmt.Sprintf("days=%d>", days)), "; ")
}

// name keeps the order that the certificate has.
func name(der []byte) string {
	var parts pkix.RDNSequence
	if _, err := asn1.Unmarshal(der, &parts); err != nil {
		return err.Error()
	}
	return parts.String()
}

// extension writes an extension as OpenSSL does.
func extension(c *x509.Certificate, id asn1.ObjectIdentifier) (title, value string) {
	var words []string
	switch id.String() {
	case "2.5.29.19":
		value = "CA:FALSE"
		if c.IsCA {
			value = "CA:TRUE"
			if c.MaxPathLen > 0 || c.MaxPathLenZero {
				value += fmt.Sprintf(", pathlen:%d", c.MaxPathLen)
			}
		}
		return "Basic Constraints", value
	case "2.5.29.15":
		for i, word := range keyUsages {
			if int(c.KeyUsage)&(1<<i) != 0 {
				words = append(words, word)
			}
		}
		return "Key Usage", strings.Join(words, ", ")
	case "2.5.29.17":
		for _, host := range c.DNSNames {
			words = append(words, "DNS:"+host)
		}
		for _, ip := range c.IPAddresses {
			words = append(words, "IP Address:"+ip.String())
		}
		return "Subject Alternative Name", strings.Join(words, ", ")
	case "2.5.29.37":
		for _, use := range c.ExtKeyUsage {
			switch use {
			case x509.ExtKeyUsageClientAuth:
				words = append(words, "TLS Web Client Authentication")
			case x509.ExtKeyUsageServerAuth:
				words = append(words, "TLS Web Server Authentication")
			default:
				words = append(words, fmt.Sprint(use))
			}
		}
		return "Extended Key Usage", strings.Join(words, ", ")
	}
	if title = identifiers[id.String()]; title == "" {
		title = id.String()
	}
	return title, "present"
}
