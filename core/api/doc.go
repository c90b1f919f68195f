// Package api is the REST API: upstream Magnum's paths, bodies, texts and
// refusals.
//
// A request passes, in this order: request id, panic guard, body limit, token,
// microversion, route, microversion of the route, Accept header, arguments,
// body, the checks of its resource, policy. A request that is accepted is rows
// and an operation in one transaction; a refused one changes nothing.
//
// Errors become answers in errors.go and nowhere else; paths are in router.go
// and nowhere else.
package api
