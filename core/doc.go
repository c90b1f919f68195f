// Package core is the service without its drivers: API, quota, certificates,
// state, conductor. Its packages are listed in CONTRIBUTING.md.
package core
