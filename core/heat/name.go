package heat

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"
)

// How much of a name goes into a stack's: of the cluster's into its own stack's,
// and of the cluster's and the node group's into a node group's.
const (
	maxNamePart    = 30
	maxClusterPart = 20
	maxGroupPart   = 9
)

// StackName is upstream's rule for a cluster's stack: the name's first 30
// characters, cleaned, a dash and a short id, in lower case.
func StackName(clusterName, id12 string) string {
	return clean(first(clusterName, maxNamePart) + "-" + id12)
}

// NodeGroupStackName is upstream's rule for the stack of a node group that has
// one of its own: the first 20 characters of the cluster's name and the first
// 9 of the group's, cleaned, and a short id, in lower case.
func NodeGroupStackName(clusterName, groupName, id12 string) string {
	return clean(first(clusterName, maxClusterPart) + "-" + first(groupName, maxGroupPart) + "-" + id12)
}

func first(name string, n int) string {
	runes := []rune(name)
	return string(runes[:min(n, len(runes))])
}

func clean(name string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		switch {
		case r == '_' || r == '.':
			return '-'
		case r == '-', '0' <= r && r <= '9', 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z':
			return r
		}
		return -1
	}, name))
}

// ShortID makes the 12 characters of base32 that end a stack's name.
// Upstream's are random; ours follow from the uuid of the cluster, or of the
// node group whose stack it is, so that every operation finds the stack of a
// create whose outcome was never saved. All of the uuid counts: users may
// choose it, and then its bits are not random.
func ShortID(uuid string) string {
	sum := sha256.Sum256([]byte(uuid))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:12]
}
