package store

import (
	"errors"
	"fmt"
)

// Why a package is refused. An error of this package wraps the one that it is,
// and says in its text which file and what to do. docs/drivers/store.md has the
// exit code of each.
var (
	// ErrDamaged is for an installed package that is not what was installed;
	// what happened to it is wrapped beside.
	ErrDamaged = errors.New("not what was installed")
	// ErrNotPackage is for what is neither a package's directory nor its archive.
	ErrNotPackage = errors.New("not a driver package")
	// ErrChanged is for a file whose digest is not the listed one.
	ErrChanged = errors.New("a file was changed")
	// ErrUnlistedFile is for a file that files.sha256 does not name.
	ErrUnlistedFile = errors.New("a file is not listed")
	// ErrMissingFile is for a listed file that is not there.
	ErrMissingFile = errors.New("a file is missing")
	// ErrPathEscapes is for a name that is not the plain path of a file in the package.
	ErrPathEscapes = errors.New("a path leaves the package")
	// ErrAbsolutePath is for a name that begins at the root.
	ErrAbsolutePath = errors.New("a path is absolute")
	// ErrLink is for a symbolic or hard link.
	ErrLink = errors.New("a link")
	// ErrSpecialFile is for a device, a pipe, a socket, or a set-user-id file.
	ErrSpecialFile = errors.New("not a plain file")
	// ErrDuplicateName is for two files of one name.
	ErrDuplicateName = errors.New("a name is there twice")
	// ErrTooLarge is for more bytes or files than allowed, packed or unpacked.
	ErrTooLarge = errors.New("too large")
	// ErrManifestVersion is for a manifest or a protocol of another version.
	ErrManifestVersion = errors.New("of a version that is not known")
	// ErrMismatch is for a manifest, a description and a binary that do not agree.
	ErrMismatch = errors.New("the package contradicts itself")
	// ErrNoDigest is for a download whose digest was not named.
	ErrNoDigest = errors.New("no digest is given")
	// ErrOtherDigest is for a source that has not the digest that was asked for.
	ErrOtherDigest = errors.New("of another digest")
	// ErrFetch is for a source that cannot be read.
	ErrFetch = errors.New("cannot be fetched")
	// ErrVersionTaken is for other content of a version that is installed.
	ErrVersionTaken = errors.New("the version is installed with other content")
	// ErrConflict is for two drivers that claim the same cluster type.
	ErrConflict = errors.New("another driver makes the same clusters")
	// ErrTrustFile is for a trust file that cannot be used.
	ErrTrustFile = errors.New("the trust file cannot be used")
	// ErrUnsigned is for a package without a signature where one is needed.
	ErrUnsigned = errors.New("not signed")
	// ErrBadSignature is for a signature of something else.
	ErrBadSignature = errors.New("a signature is wrong")
	// ErrUnknownKey is for signatures by nobody that is trusted.
	ErrUnknownKey = errors.New("signed by an unknown key")
	// ErrExpiredKey is for a signature by a key that is good no more.
	ErrExpiredKey = errors.New("signed by an expired key")
	// ErrTooFewSignatures is for fewer than the threshold.
	ErrTooFewSignatures = errors.New("signed by too few")
	// ErrNameNotAllowed is for a driver whose name is not its signers' to give.
	ErrNameNotAllowed = errors.New("signed by who may not publish it")
	// ErrDowngrade is for an older version than the active one.
	ErrDowngrade = errors.New("older than the active version")
	// ErrPinned is for a version that clusters need.
	ErrPinned = errors.New("clusters are pinned to the version")
	// ErrActive is for a version that is in use for new clusters.
	ErrActive = errors.New("the version is active")
	// ErrNoGeneration is for a rollback that has nowhere to go.
	ErrNoGeneration = errors.New("there is nothing to roll back to")
	// ErrDesired is for a file of drivers.d that cannot be used.
	ErrDesired = errors.New("a file of drivers.d cannot be used")
	// ErrOtherDriver is for a source with another driver or version than wanted.
	ErrOtherDriver = errors.New("another driver or version than wanted")
	// ErrConfig is for a configuration that a driver does not take.
	ErrConfig = errors.New("the configuration does not fit")
	// ErrLocked is for a store that somebody else is changing.
	ErrLocked = errors.New("the driver store is locked")
)

// refusal is an error of one of the kinds above, in words of its own.
type refusal struct{ kind, text error }

func refuse(kind error, format string, args ...any) error {
	return refusal{kind, fmt.Errorf(format, args...)}
}

func (r refusal) Error() string   { return r.text.Error() }
func (r refusal) Unwrap() []error { return []error{r.kind, r.text} }
