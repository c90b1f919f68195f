package api

// Operation is a route and the rule that every request to it is checked by.
type Operation struct {
	Method, Path string
	Rule         string // "@" where no token is needed
	Min, Max     string // the microversions that have it
}

// Operations are all routes of the table, in its order.
func Operations() []Operation {
	var a api
	table := a.routes()
	all := make([]Operation, 0, len(table))
	for _, rt := range table {
		path := rt.path
		if path != "/" && path != "/v1" {
			path = "/v1" + path
		}
		all = append(all, Operation{rt.method, path, rt.rule, rt.min.String(), rt.max.String()})
	}
	return all
}
