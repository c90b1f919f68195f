// Package coe is how drivers ask the APIs of their own clusters, whatever the
// container engine: over HTTP, with the certificates of the call, never for long
// and never for more than fits. What is asked is the driver's; which nodes go
// first once their load is known is here again.
package coe
