// Package plugins is the host side of drivers: installed packages, verified
// launch, supervision, gRPC client. Its packages are listed in CONTRIBUTING.md.
package plugins
