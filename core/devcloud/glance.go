package devcloud

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// routeGlance is the image API: images to look at, none to upload.
func (c *Cloud) routeGlance(mux *http.ServeMux) {
	mux.HandleFunc("GET /image/v2/images", c.authed(glance, c.listImages))
	mux.HandleFunc("GET /image/v2/images/{image}", c.authed(glance, c.getImage))
	mux.HandleFunc("GET /image/v2/schemas/image", c.authed(glance, c.imageSchema))
}

// visibleImages are those a caller may see, the newest first.
func (c *Cloud) visibleImages(id ident) []Image {
	c.mu.Lock()
	defer c.mu.Unlock()
	var seen []Image
	for _, image := range slices.Backward(c.stock.images) {
		if !image.Private || id.isAdmin() || c.projectID(image.Project) == id.ProjectID {
			seen = append(seen, image)
		}
	}
	return seen
}

// imagePage is what Glance gives at most, and if not asked.
const (
	imagePage        = 25
	imagePageAtMost  = 1000
	imageSortMessage = "The embedded cloud sorts images by created_at only."
)

func (c *Cloud) listImages(w http.ResponseWriter, r *http.Request, id ident) {
	query := r.URL.Query()
	limit := imagePage
	if text := query.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			glance.fail(w, http.StatusBadRequest, "limit param must be an integer")
			return
		}
		if n < 0 {
			glance.fail(w, http.StatusBadRequest, "limit param must be positive")
			return
		}
		limit = min(n, imagePageAtMost)
	}
	images := c.visibleImages(id)
	for name, values := range query {
		switch name {
		case "limit", "marker", "sort_dir":
			continue
		case "sort_key", "sort":
			if key, _, _ := strings.Cut(values[0], ":"); key != "created_at" && key != "name" {
				glance.fail(w, http.StatusBadRequest, imageSortMessage)
				return
			}
			if strings.HasPrefix(values[0], "name") {
				slices.SortStableFunc(images, func(a, b Image) int { return strings.Compare(a.Name, b.Name) })
				if query.Get("sort_dir") == "desc" || strings.HasSuffix(values[0], ":desc") {
					slices.Reverse(images)
				}
			}
		default:
			images = slices.DeleteFunc(images, func(image Image) bool { return !c.imageFits(image, name, values[0]) })
		}
	}
	if limit == 0 {
		images, limit = nil, 1
	}
	page, more, found := cut(images, func(image Image) string { return image.ID }, query.Get("marker"), limit)
	if !found {
		glance.fail(w, http.StatusBadRequest, "No image found with ID "+query.Get("marker"))
		return
	}
	items := []object{}
	for _, image := range page {
		items = append(items, c.showImage(image))
	}
	body := object{"images": items, "schema": "/v2/schemas/images", "first": "/v2/images" + search(query, "")}
	if more {
		body["next"] = "/v2/images" + search(query, page[len(page)-1].ID)
	}
	answer(w, http.StatusOK, body)
}

// search is a query with another marker, or with none.
func search(query url.Values, marker string) string {
	query = maps.Clone(query)
	query.Del("marker")
	if marker != "" {
		query.Set("marker", marker)
	}
	if len(query) == 0 {
		return ""
	}
	return "?" + query.Encode()
}

// imageFits compares one member; "in:" gives several values.
func (c *Cloud) imageFits(image Image, name, wanted string) bool {
	if name == "visibility" && wanted == "all" || name == "os_hidden" && wanted == "false" || name == "member_status" {
		return true
	}
	have, _ := c.showImage(image)[name].(string)
	if list, ok := strings.CutPrefix(wanted, "in:"); ok {
		for value := range strings.SplitSeq(list, ",") {
			if strings.Trim(value, `"`) == have {
				return true
			}
		}
		return false
	}
	return have == strings.TrimPrefix(wanted, "eq:")
}

func (c *Cloud) getImage(w http.ResponseWriter, r *http.Request, id ident) {
	wanted := r.PathValue("image")
	for _, image := range c.visibleImages(id) {
		if image.ID == wanted {
			answer(w, http.StatusOK, c.showImage(image))
			return
		}
	}
	glance.fail(w, http.StatusNotFound, "No image found with ID "+wanted)
}

func (c *Cloud) showImage(image Image) object {
	shown := object{}
	for name, value := range image.Properties {
		shown[name] = value
	}
	visibility := "public"
	if image.Private {
		visibility = "private"
	}
	c.mu.Lock()
	owner := c.projectID(image.Project)
	c.mu.Unlock()
	maps.Copy(shown, object{
		"id": image.ID, "name": image.Name, "status": "active", "visibility": visibility, "owner": owner,
		"disk_format": "raw", "container_format": "bare", "size": 65536, "virtual_size": 65536, "protected": false,
		"min_ram": image.MinRAM, "min_disk": image.MinDisk, "os_hidden": false, "tags": []string{},
		"checksum": nil, "os_hash_algo": nil, "os_hash_value": nil,
		"created_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-01T00:00:00Z",
		"self": "/v2/images/" + image.ID, "file": "/v2/images/" + image.ID + "/file", "schema": "/v2/schemas/image",
	})
	return shown
}

// imageSchema names the members; whatever else an image has is a property.
func (c *Cloud) imageSchema(w http.ResponseWriter, _ *http.Request, _ ident) {
	properties := object{}
	for name, value := range c.showImage(Image{}) {
		kind := "string"
		switch value.(type) {
		case int:
			kind = "integer"
		case bool:
			kind = "boolean"
		case []string:
			kind = "array"
		}
		properties[name] = object{"type": []string{"null", kind}}
	}
	answer(w, http.StatusOK, object{
		"name": "image", "properties": properties, "additionalProperties": object{"type": "string"},
	})
}
