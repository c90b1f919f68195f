// Package k8s is what drivers of Kubernetes clusters share: which nodes go
// first when a cluster shrinks, how a cluster's health is read, what a cluster
// leaves in the cloud, and how its API is addressed. It speaks to the
// Kubernetes API with net/http alone.
package k8s
