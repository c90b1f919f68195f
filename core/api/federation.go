package api

import (
	"net/http"
	"slices"

	"github.com/go-magnum/magnum/core/magnum"
)

// Federations were never finished upstream: requests are checked and answered,
// and then nothing is made of them. So it is here, and there are none.

// federationColumns are what a list can be sorted by.
var federationColumns = []string{
	"created_at", "updated_at", "id", "project_id", "uuid", "name", "hostcluster_id", "member_ids", "status",
	"status_reason", "properties",
}

func federationNotFound(ident string) error {
	return magnum.Errorf(magnum.NotFound, "Federation %s could not be found.", ident)
}

func (a *api) listFederations(rq *request) (*answer, error) {
	values, err := rq.arguments("marker", "limit", "sort_key", "sort_dir")
	if err != nil {
		return nil, err
	}
	if err := rq.enforce(rq); err != nil {
		return nil, err
	}
	page, err := a.paging(values)
	switch {
	case err != nil:
		return nil, err
	case page.Marker != "":
		return nil, federationNotFound(page.Marker)
	case !slices.Contains(federationColumns, page.SortKey):
		return nil, badRequest(`The sort_key value "%s" is an invalid field for sorting`, page.SortKey)
	}
	var e encoder
	e.openList("federations")
	e.close(']')
	e.close('}')
	return &answer{status: http.StatusOK, body: e.b}, nil
}

func (a *api) showFederation(rq *request) (*answer, error) {
	if _, err := rq.arguments(); err != nil {
		return nil, err
	}
	return nil, federationNotFound(rq.args["federation_ident"])
}

// federationBody is what of a federation's body is looked at again.
type federationBody struct {
	host       *string
	properties map[string]string // nil: none sent
}

func federationAttributes(b *federationBody) []attribute {
	var unused string
	return []attribute{
		uuidAttribute("uuid", &unused),
		textAttribute("name", 1, 242, namePattern, func(string) {}),
		freeAttribute("hostcluster_id", func(s string) { b.host = &s }),
		listAttribute("member_ids", func([]string) {}),
		enumAttribute("status", federationStatuses, func(string) {}),
		freeAttribute("status_reason", func(string) {}),
		mapAttribute("properties", func(m map[string]string) { b.properties = m }),
		readOnly("links"),
		stampAttribute("created_at"),
		stampAttribute("updated_at"),
	}
}

var federationStatuses = []string{
	"CREATE_IN_PROGRESS", "CREATE_FAILED", "CREATE_COMPLETE",
	"UPDATE_IN_PROGRESS", "UPDATE_FAILED", "UPDATE_COMPLETE",
	"DELETE_IN_PROGRESS", "DELETE_FAILED", "DELETE_COMPLETE",
}

func (a *api) createFederation(rq *request) (*answer, error) {
	if _, err := rq.query(); err != nil {
		return nil, err
	}
	body, err := rq.content()
	if err != nil {
		return nil, err
	}
	var b federationBody
	if err := decode("federation", body, federationAttributes(&b)); err != nil {
		return nil, err
	}
	if err := rq.enforce(rq); err != nil {
		return nil, err
	}
	if b.host == nil {
		return nil, badRequest("No hostcluster specified. Please specify a hostcluster_id.")
	}
	scope, err := rq.scope("")
	if err != nil {
		return nil, err
	}
	if _, err := a.DB.Cluster(rq.Context(), scope, *b.host); err != nil {
		return nil, err
	}
	if b.properties == nil {
		return nil, badRequest("Please specify a `properties` dict for the federation.")
	}
	if _, ok := b.properties["dns-zone"]; !ok {
		return nil, badRequest("No DNS zone specified. Please specify a `dns-zone`.")
	}
	var e encoder
	e.open('{')
	e.str("uuid", a.NewID())
	e.close('}')
	return &answer{status: http.StatusAccepted, body: e.b}, nil
}

func (a *api) updateFederation(rq *request) (*answer, error) {
	if _, err := rq.query("rollback"); err != nil {
		return nil, err
	}
	if _, err := readPatch(rq, dialect{internal: internalAttributes}); err != nil {
		return nil, err
	}
	return nil, federationNotFound(rq.args["federation_ident"])
}

func (a *api) deleteFederation(rq *request) (*answer, error) {
	if _, err := rq.arguments(); err != nil {
		return nil, err
	}
	return nil, federationNotFound(rq.args["federation_ident"])
}
