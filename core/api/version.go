package api

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/go-magnum/magnum/core/magnum"
)

// version is a microversion's minor number; the major one is always 1.
type version int

// The range of this release. A route's own range is in the route table.
const (
	minVersion version = 1
	maxVersion version = 14
)

// always and never bound routes that every version has.
const (
	always version = minVersion
	newest version = maxVersion
)

const (
	versionHeader = "Openstack-Api-Version" // as net/http spells it
	minHeader     = "Openstack-Api-Minimum-Version"
	maxHeader     = "Openstack-Api-Maximum-Version"
	service       = "container-infra"
)

// services are the words by which newer and older clients call this service.
var services = [...]string{service, "container-infrastructure-management", "container-infrastructure"}

func (v version) String() string { return "1." + strconv.Itoa(int(v)) }

// headerValues are made once: every answer carries three of them.
var headerValues = func() (values [maxVersion + 1][]string) {
	for v := range values {
		values[v] = []string{service + " " + version(v).String()}
	}
	return values
}()

var varyVersion = []string{"OpenStack-API-Version"}

// negotiate reads the version a request asks for. Without one it is the
// oldest.
func negotiate(h http.Header) (version, error) {
	values := h[versionHeader]
	if len(values) == 0 {
		return minVersion, nil
	}
	words := strings.Fields(values[0])
	if len(values) > 1 || len(words) != 2 || !isService(words[0]) {
		return 0, framework(http.StatusNotAcceptable, "Invalid service type for OpenStack-API-Version header")
	}
	if strings.EqualFold(words[1], "latest") {
		return maxVersion, nil
	}
	left, right, ok := strings.Cut(words[1], ".")
	major, err := strconv.Atoi(left)
	minor, err2 := strconv.Atoi(right)
	if !ok || err != nil || err2 != nil {
		return 0, framework(http.StatusNotAcceptable, "Invalid value for OpenStack-API-Version header")
	}
	if major == 1 && minor >= int(minVersion) && minor <= int(maxVersion) {
		return version(minor), nil
	}
	return 0, &rangeError{strconv.Itoa(major) + "." + strconv.Itoa(minor), major != 1}
}

func isService(word string) bool {
	for _, s := range services {
		if s == word {
			return true
		}
	}
	return false
}

// rangeError is a version that this service does not have.
type rangeError struct {
	asked      string
	otherMajor bool
}

func (e *rangeError) Error() string {
	supported := "The supported version range is: [" + service + " " + minVersion.String() + ", " + service + " " + maxVersion.String() + "]."
	if e.otherMajor {
		// No blank after the full stop: clients compare texts.
		return "Mutually exclusive versions requested. Version " + e.asked + " requested but not supported by this service." + supported
	}
	return "Version " + e.asked + " was requested but the minor version is not supported by this service. " + supported
}

// check refuses a route that came later, or went.
func (rt *route) check(v version) error {
	if v >= rt.min && v <= rt.max {
		return nil
	}
	return framework(http.StatusNotAcceptable,
		"Version "+v.String()+" was requested but the requested API "+rt.name+" is not supported for this version.")
}

func setVersion(h http.Header, v []string) {
	h[minHeader] = headerValues[minVersion]
	h[maxHeader] = headerValues[maxVersion]
	h[versionHeader] = v
	h["Vary"] = varyVersion
	if h[allowOrigin] != nil {
		h["Vary"] = varyBoth
	}
}

// zeroNodes says whether node_count may be 0.
func (v version) zeroNodes() error {
	if v >= 10 {
		return nil
	}
	return magnum.Errorf(magnum.Invalid, "Resizing a nodegroup to zero is not supported in the provided microversion.")
}

// clusterID is what a cluster's id in its driver's world is called.
func (v version) clusterID() string {
	if v >= 13 {
		return "cluster_id"
	}
	return "stack_id"
}
