package devcloud

import (
	"crypto/md5" //nolint:gosec // fingerprints of SSH keys are MD5 by definition
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// routeNova is the compute API: flavors and key pairs. Servers live in Heat
// and are not seen here.
func (c *Cloud) routeNova(mux *http.ServeMux) {
	const v = "/compute/v2.1"
	mux.HandleFunc("GET "+v+"/flavors", c.compute(c.listFlavors))
	mux.HandleFunc("GET "+v+"/flavors/detail", c.compute(c.listFlavors))
	mux.HandleFunc("GET "+v+"/flavors/{flavor}", c.compute(c.getFlavor))
	mux.HandleFunc("GET "+v+"/flavors/{flavor}/os-extra_specs", c.compute(c.extraSpecs))
	mux.HandleFunc("GET "+v+"/os-keypairs", c.compute(c.listKeypairs))
	mux.HandleFunc("GET "+v+"/os-keypairs/{keypair}", c.compute(c.getKeypair))
	mux.HandleFunc("GET "+v+"/servers", c.compute(c.listServers))
	mux.HandleFunc("GET "+v+"/servers/detail", c.compute(c.listServers))
	mux.HandleFunc("GET "+v+"/servers/{server}", c.compute(c.getServer))
	mux.HandleFunc("GET "+v+"/limits", c.compute(c.computeLimits))
}

// computeCall is a request to Nova.
type computeCall struct {
	*http.Request
	ident
	minor int // of the microversion
}

var wellFormed = regexp.MustCompile(`^\d+\.\d+$`)

// compute checks token and microversion.
func (c *Cloud) compute(serve func(http.ResponseWriter, *computeCall)) http.HandlerFunc {
	return c.authed(nova, func(w http.ResponseWriter, r *http.Request, id ident) {
		asked := microversion(r)
		if !wellFormed.MatchString(asked) {
			nova.fail(w, http.StatusBadRequest, "API Version String "+asked+" is of invalid format. Must be of format MajorNum.MinorNum.")
			return
		}
		w.Header().Set("Openstack-Api-Version", "compute "+asked)
		w.Header().Set("X-Openstack-Nova-Api-Version", asked)
		w.Header().Add("Vary", "OpenStack-API-Version, X-OpenStack-Nova-API-Version")
		major, minor, _ := strings.Cut(asked, ".")
		n, err := strconv.Atoi(minor)
		_, most, _ := strings.Cut(novaMaximum, ".")
		if limit, _ := strconv.Atoi(most); err != nil || major != "2" || n < 1 || n > limit {
			nova.fail(w, http.StatusNotAcceptable, fmt.Sprintf(
				"Version %s is not supported by the API. Minimum is %s and maximum is %s.", asked, novaMinimum, novaMaximum))
			return
		}
		serve(w, &computeCall{Request: r, ident: id, minor: n})
	})
}

func microversion(r *http.Request) string {
	asked := r.Header.Get("X-OpenStack-Nova-API-Version")
	if service, version, ok := strings.Cut(r.Header.Get("OpenStack-API-Version"), " "); ok && service == "compute" {
		asked = version
	}
	switch asked {
	case "":
		return novaMinimum
	case "latest":
		return novaMaximum
	}
	return asked
}

// visibleFlavors are the public ones; an administrator sees the others by
// asking with is_public.
func (c *Cloud) visibleFlavors(r *computeCall) []Flavor {
	public, known := truth(r.URL.Query().Get("is_public"))
	either := r.isAdmin() && strings.EqualFold(r.URL.Query().Get("is_public"), "none")
	c.mu.Lock()
	defer c.mu.Unlock()
	var seen []Flavor
	for _, flavor := range c.stock.flavors {
		if either || flavor.Private == (r.isAdmin() && known && !public) {
			seen = append(seen, flavor)
		}
	}
	return seen
}

// flavorPage is the most that Nova lists at once.
const flavorPage = 1000

func (c *Cloud) listFlavors(w http.ResponseWriter, r *computeCall) {
	query := r.URL.Query()
	limit, err := strconv.Atoi(query.Get("limit"))
	if query.Get("limit") != "" && (err != nil || limit < 0) {
		nova.fail(w, http.StatusBadRequest, "Invalid input for query parameters limit. Value: "+query.Get("limit")+".")
		return
	}
	if limit == 0 || limit > flavorPage {
		limit = flavorPage
	}
	marker := query.Get("marker")
	page, more, found := cut(c.visibleFlavors(r), func(f Flavor) string { return f.ID }, marker, limit)
	if !found {
		nova.fail(w, http.StatusBadRequest, "marker ["+marker+"] not found")
		return
	}
	detail := strings.HasSuffix(r.URL.Path, "/detail")
	items := []object{}
	for _, flavor := range page {
		items = append(items, c.showFlavor(flavor, detail, r.minor))
	}
	body := object{"flavors": items}
	if more {
		body["flavors_links"] = []object{{"rel": "next", "href": c.base + r.URL.Path + search(query, page[len(page)-1].ID)}}
	}
	answer(w, http.StatusOK, body)
}

func (c *Cloud) flavor(r *computeCall) (Flavor, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, flavor := range c.stock.flavors {
		if flavor.ID == r.PathValue("flavor") && (!flavor.Private || r.isAdmin()) {
			return flavor, true
		}
	}
	return Flavor{}, false
}

func (c *Cloud) getFlavor(w http.ResponseWriter, r *computeCall) {
	flavor, ok := c.flavor(r)
	if !ok {
		nova.fail(w, http.StatusNotFound, "Flavor "+r.PathValue("flavor")+" could not be found.")
		return
	}
	answer(w, http.StatusOK, object{"flavor": c.showFlavor(flavor, true, r.minor)})
}

func (c *Cloud) extraSpecs(w http.ResponseWriter, r *computeCall) {
	if _, ok := c.flavor(r); !ok {
		nova.fail(w, http.StatusNotFound, "Flavor "+r.PathValue("flavor")+" could not be found.")
		return
	}
	answer(w, http.StatusOK, object{"extra_specs": object{}})
}

func (c *Cloud) showFlavor(f Flavor, detail bool, minor int) object {
	shown := object{"id": f.ID, "name": f.Name, "links": []object{
		{"rel": "self", "href": c.base + "/compute/v2.1/flavors/" + f.ID},
		{"rel": "bookmark", "href": c.base + "/compute/flavors/" + f.ID},
	}}
	if minor >= 55 {
		shown["description"] = nil
	}
	if !detail {
		return shown
	}
	shown["ram"], shown["disk"], shown["vcpus"], shown["rxtx_factor"] = f.RAM, f.Disk, f.VCPUs, 1.0
	shown["OS-FLV-EXT-DATA:ephemeral"], shown["OS-FLV-DISABLED:disabled"] = 0, false
	shown["os-flavor-access:is_public"] = !f.Private
	shown["swap"] = ""
	if minor >= 75 {
		shown["swap"] = 0
	}
	if minor >= 61 {
		shown["extra_specs"] = object{}
	}
	return shown
}

// ownKeypairs are the caller's; a key pair belongs to a user.
func (c *Cloud) ownKeypairs(r *computeCall) []Keypair {
	c.mu.Lock()
	defer c.mu.Unlock()
	var own []Keypair
	for _, pair := range c.stock.keypairs {
		if u := c.accounts.userNamed(pair.User, defaultDomain); u != nil && u.ID == r.UserID {
			own = append(own, pair)
		}
	}
	return own
}

func (c *Cloud) listKeypairs(w http.ResponseWriter, r *computeCall) {
	items := []object{}
	for _, pair := range c.ownKeypairs(r) {
		items = append(items, object{"keypair": showKeypair(pair, r.minor)})
	}
	answer(w, http.StatusOK, object{"keypairs": items})
}

func (c *Cloud) getKeypair(w http.ResponseWriter, r *computeCall) {
	for i, pair := range c.ownKeypairs(r) {
		if pair.Name != r.PathValue("keypair") {
			continue
		}
		shown := showKeypair(pair, r.minor)
		shown["user_id"], shown["id"], shown["deleted"] = r.UserID, i+1, false
		shown["created_at"], shown["updated_at"], shown["deleted_at"] = "2024-01-01T00:00:00.000000", nil, nil
		answer(w, http.StatusOK, object{"keypair": shown})
		return
	}
	nova.fail(w, http.StatusNotFound, fmt.Sprintf("Keypair %s not found for user %s", r.PathValue("keypair"), r.UserID))
}

func showKeypair(pair Keypair, minor int) object {
	shown := object{"name": pair.Name, "public_key": pair.PublicKey, "fingerprint": fingerprint(pair.PublicKey)}
	if minor >= 2 {
		shown["type"] = "ssh"
	}
	return shown
}

// fingerprint is an SSH key's, in its oldest form.
func fingerprint(publicKey string) string {
	fields := strings.Fields(publicKey)
	if len(fields) < 2 {
		return ""
	}
	raw, err := base64.StdEncoding.DecodeString(fields[1])
	if err != nil {
		return ""
	}
	var parts []string
	for _, b := range md5.Sum(raw) { //nolint:gosec // see above
		parts = append(parts, fmt.Sprintf("%02x", b))
	}
	return strings.Join(parts, ":")
}

func (c *Cloud) listServers(w http.ResponseWriter, _ *computeCall) {
	answer(w, http.StatusOK, object{"servers": []object{}})
}

func (c *Cloud) getServer(w http.ResponseWriter, r *computeCall) {
	nova.fail(w, http.StatusNotFound, "Instance "+r.PathValue("server")+" could not be found.")
}

// computeLimits has no limits: the embedded cloud is as large as one likes.
func (c *Cloud) computeLimits(w http.ResponseWriter, r *computeCall) {
	absolute := object{}
	for _, name := range []string{"maxTotalInstances", "maxTotalCores", "maxTotalRAMSize", "maxTotalKeypairs", "maxServerGroups", "maxServerGroupMembers", "maxServerMeta"} {
		absolute[name] = -1
	}
	for _, name := range []string{"totalInstancesUsed", "totalCoresUsed", "totalRAMUsed", "totalServerGroupsUsed"} {
		absolute[name] = 0
	}
	answer(w, http.StatusOK, object{"limits": object{"rate": []object{}, "absolute": absolute}})
}
