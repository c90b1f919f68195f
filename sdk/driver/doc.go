// Package driver is the contract between the Magnum core and a driver, as Go
// types. It uses the standard library only.
//
// A driver answers questions; it never acts on a cloud. What it is asked, in
// the order of a cluster's life:
//
//	Describe    what can you make, with which labels, and what are your limits
//	Validate    is this request one you could carry out
//	Render      which Heat stack makes it
//	MapOutputs  what do the stack's outputs say about the cluster
//	SelectNodes which nodes should go first when the cluster shrinks
//	PreDelete   what has the cluster made by itself that must go before the stack
//
// Every answer is a pure function of its request: no clock, no randomness, no
// memory of earlier calls. That is why a driver that crashed loses nothing, and
// why the core may ask again. Secrets never reach a driver; where Heat needs
// one, the driver puts a [SecretRef] and the core fills it in.
//
// The wire form of these types is package driverpb; package serve turns one
// into the other on both sides.
package driver
