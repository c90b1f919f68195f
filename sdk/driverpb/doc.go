// Package driverpb is the wire form of the driver contract: the protobuf
// sources under magnum/driver/v1 and the Go code generated from them. Drivers
// written in Go use the types of package driver instead; package serve turns
// one into the other.
package driverpb
