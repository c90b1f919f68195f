package magnum

import "strings"

var truths = map[string]bool{
	"1": true, "t": true, "true": true, "on": true, "y": true, "yes": true,
	"0": false, "f": false, "false": false, "off": false, "n": false, "no": false,
}

// ParseBool reads a truth as OpenStack's services do; ok is false for what is none.
func ParseBool(s string) (truth, ok bool) {
	truth, ok = truths[strings.ToLower(strings.TrimSpace(s))]
	return truth, ok
}
