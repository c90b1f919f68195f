// Package magnum is the domain: clusters, cluster templates, node groups,
// operations, their statuses and the rules between them. It imports nothing
// of ours and does no I/O.
//
// Zero values stand for upstream's nulls: no field of upstream's API accepts
// an empty string or a zero where null means something else. Where that does
// not hold, a field's comment says so.
package magnum
