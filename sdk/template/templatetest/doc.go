// Package templatetest tests drivers that are a template.Definition: [Suite]
// holds every one of them to what a stack must be, with the driver's requests,
// and a [Machine] is the root of a file system in which its boot scripts run to
// their end against a [Cloud] that plays Keystone, Magnum and Heat.
package templatetest
