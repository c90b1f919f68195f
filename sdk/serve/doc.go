// Package serve puts a driver on the wire, and takes it off again.
//
// A driver's main is one line:
//
//	func main() { serve.Main(serve.Plugin{Name: "example", Version: "1.0.0", Driver: d, Templates: d}) }
//
// Main answers the subcommands describe and version, and otherwise serves the
// contract over gRPC to the Magnum process that started it: mutual TLS with
// keys that arrive on an inherited pipe, panics turned into errors of
// [driver.ClassBug], messages of up to [driver.MaxMessage], calls in flight
// finished on SIGTERM, and an end when the host's end of stdin closes.
//
// The other direction, [Dial], turns a connection into a [driver.Set].
package serve
