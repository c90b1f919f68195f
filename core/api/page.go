package api

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/go-magnum/magnum/core/state"
)

// paging reads the arguments of a list.
func (a *api) paging(values url.Values) (state.Page, error) {
	p := state.Page{Limit: a.Options.API.MaxLimit, Marker: values.Get("marker"), SortKey: values.Get("sort_key")}
	if p.SortKey == "" {
		p.SortKey = "id"
	}
	if text := values.Get("limit"); text != "" {
		n, _ := parseInt(strings.TrimSpace(text)) // checked with the query
		if n <= 0 {
			return p, badRequest("Limit must be positive")
		}
		p.Limit = min(n, p.Limit)
	}
	switch dir := values.Get("sort_dir"); dir {
	case "", "asc":
	case "desc":
		p.Descending = true
	default:
		return p, badRequest("Invalid sort direction: %s. Acceptable values are 'asc' or 'desc'", dir)
	}
	return p, nil
}

// next writes the link to the next page after a full one; only an empty page
// tells a client of upstream that it was the last.
func (e *encoder) next(rq *request, path string, p state.Page, count int, last string) {
	if count == 0 || count != p.Limit {
		return
	}
	dir := "asc"
	if p.Descending {
		dir = "desc"
	}
	e.str("next", rq.base+"/v1"+path+"?sort_key="+url.QueryEscape(p.SortKey)+"&sort_dir="+dir+
		"&limit="+strconv.Itoa(p.Limit)+"&marker="+last)
}
