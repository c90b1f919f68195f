// Package k8scoreos is the place of the driver for Kubernetes on CoreOS. There is no driver in it
// yet: the module is here so that its import rules hold from the first line on.
package k8scoreos
