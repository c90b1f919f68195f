package supervise

import "regexp"

// secrets match what drivers and their libraries print of credentials. What is
// matched is replaced but for its first group, which says what it was.
func secrets() []*regexp.Regexp {
	return []*regexp.Regexp{
		regexp.MustCompile(`(?s)(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)`),
		regexp.MustCompile(`(?i)((?:password|passwd|secret|token|api[_-]?key|credential|client-key-data)["']?\s*[:=]\s*)(?:"[^"]*"?|'[^']*'?|[^\s,;&}\]]+)`),
		regexp.MustCompile(`(?i)(x-(?:auth|subject|service)-token["']?\s*[:=]\s*)\S+`),
		regexp.MustCompile(`(?i)((?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}`),
		regexp.MustCompile(`()gAAAA[A-Za-z0-9_=-]{20,}`),
		regexp.MustCompile(`([a-z][a-z0-9+.-]*://[^:/@\s]+:)[^@/\s]+`),
	}
}

// redact takes secrets out of what a driver printed.
func redact(text string) string {
	for _, s := range secrets() {
		text = s.ReplaceAllString(text, "${1}[redacted]")
	}
	return text
}
