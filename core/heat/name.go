package heat

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"
)

// maxNamePart is how much of a cluster's name goes into its stack's.
const maxNamePart = 30

// StackName is upstream's rule for a cluster's stack: the name's first 30
// characters, cleaned, a dash and a short id, in lower case.
func StackName(clusterName, id12 string) string {
	runes := []rune(clusterName)
	if len(runes) > maxNamePart {
		runes = runes[:maxNamePart]
	}
	clean := strings.Map(func(r rune) rune {
		switch {
		case r == '_' || r == '.':
			return '-'
		case r == '-', '0' <= r && r <= '9', 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z':
			return r
		}
		return -1
	}, string(runes))
	return strings.ToLower(clean + "-" + id12)
}

// ShortID makes the 12 characters of base32 that end a stack's name.
// Upstream's are random; ours follow from the cluster's uuid, so that every
// operation finds the stack of a create whose outcome was never saved. All of
// the uuid counts: users may choose it, and then its bits are not random.
func ShortID(clusterUUID string) string {
	sum := sha256.Sum256([]byte(clusterUUID))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:12]
}
