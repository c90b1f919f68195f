// Package store keeps driver packages on disk: verified, content-addressed and
// never changed after they were installed.
//
// A package is a directory, or one archive of it, which may be the layer of an
// artifact in a registry, with at least
//
//	driver         the binary
//	driver.yaml    the manifest: what the package claims to be
//	describe.json  what "driver describe" prints
//	files.sha256   the digests of all other files, as sha256sum writes them
//
// and signatures over the last, in files.sha256.minisig, files.sha256.minisig.2
// and so on. A package's own digest is that of its files.sha256. The store is
//
//	lock                       held by whoever changes anything
//	store/sha256/<digest>/     unpacked packages, read-only
//	signatures/<digest>/       what vouched for the package
//	index/<name>/<version>     link to the package; a version never changes
//	generations/<name>/NNNN.json  what was activated when
//	sources/<digest of a source's name>  link to what it has
//	active/<name>              link to the package in use
//
// Reading needs no lock and starts no process: every change becomes visible by
// one rename.
package store
