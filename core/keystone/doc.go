// Package keystone is how the service knows who calls it and in whose name it
// acts: it validates tokens, logs the service in, and makes, uses and removes
// the trustee and the trust of each cluster.
//
// Nothing of a token, a password or a trust's id appears in an error or a log
// line of this package.
package keystone
