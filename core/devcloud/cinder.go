package devcloud

import "net/http"

// routeCinder is the volume API: types. Volumes that stacks make live in
// Heat.
func (c *Cloud) routeCinder(mux *http.ServeMux) {
	const v = "/volume/v3/{project}"
	mux.HandleFunc("GET "+v+"/types", c.volume(c.listVolumeTypes))
	mux.HandleFunc("GET "+v+"/types/{type}", c.volume(c.getVolumeType))
	mux.HandleFunc("GET "+v+"/volumes", c.volume(c.listVolumes))
	mux.HandleFunc("GET "+v+"/volumes/detail", c.volume(c.listVolumes))
	mux.HandleFunc("GET "+v+"/limits", c.volume(c.volumeLimits))
}

// volume checks that the project in the path is the token's.
func (c *Cloud) volume(serve http.HandlerFunc) http.HandlerFunc {
	return c.authed(cinder, func(w http.ResponseWriter, r *http.Request, id ident) {
		w.Header().Set("Openstack-Api-Version", "volume 3.0")
		if r.PathValue("project") != id.ProjectID {
			cinder.fail(w, http.StatusBadRequest, "Malformed request url")
			return
		}
		serve(w, r)
	})
}

func (c *Cloud) volumeTypes() []volumeType {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stock.volumeTypes
}

func (c *Cloud) listVolumeTypes(w http.ResponseWriter, _ *http.Request) {
	items := []object{}
	for _, t := range c.volumeTypes() {
		items = append(items, showVolumeType(t))
	}
	answer(w, http.StatusOK, object{"volume_types": items})
}

func (c *Cloud) getVolumeType(w http.ResponseWriter, r *http.Request) {
	for _, t := range c.volumeTypes() {
		if t.ID == r.PathValue("type") {
			answer(w, http.StatusOK, object{"volume_type": showVolumeType(t)})
			return
		}
	}
	cinder.fail(w, http.StatusNotFound, "Volume type "+r.PathValue("type")+" could not be found.")
}

func showVolumeType(t volumeType) object {
	return object{
		"id": t.ID, "name": t.Name, "description": nullable(t.Description), "is_public": true,
		"os-volume-type-access:is_public": true, "extra_specs": object{},
	}
}

func (c *Cloud) listVolumes(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, object{"volumes": []object{}})
}

func (c *Cloud) volumeLimits(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, object{"limits": object{"rate": []object{}, "absolute": object{
		"maxTotalVolumes": -1, "maxTotalVolumeGigabytes": -1, "maxTotalSnapshots": -1,
		"totalVolumesUsed": 0, "totalGigabytesUsed": 0, "totalSnapshotsUsed": 0,
	}}})
}
