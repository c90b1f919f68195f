// Package sdk is all that a driver author needs. Start with the packages
// template and serve; driver is the contract itself.
package sdk
