package main

import (
	"errors"

	"github.com/go-magnum/magnum/cmd/internal/command"
	"github.com/go-magnum/magnum/plugins/launch"
	"github.com/go-magnum/magnum/plugins/store"
	"github.com/go-magnum/magnum/plugins/supervise"
)

// Exit codes beyond those all executables share that no single error stands for.
const (
	exitNotFound     = 3
	exitVerification = 4
	exitDiffers      = 52
	exitUnhealthy    = 53
)

// exit is what a kind of error makes the process exit with.
type exit struct {
	code int
	kind error // nil for the codes above and for what all executables share
	when string
}

// exits are all exit codes. docs/drivers/store.md shows this list, and scripts
// rely on it: a code is never given another meaning.
var exits = []exit{
	{0, nil, "all is well"},
	{command.ExitFailed, nil, "the work failed for a reason without a code of its own"},
	{command.ExitUsage, nil, "the command line was wrong"},
	{exitNotFound, store.ErrNotFound, "the driver or version is not installed"},
	{exitVerification, store.ErrDamaged, "an installed package is not what was installed"},
	{7, store.ErrLocked, "somebody else is changing the store"},
	{10, store.ErrNotPackage, "it is not a package: no `files.sha256`, a damaged archive, a manifest that cannot be read"},
	{11, store.ErrChanged, "a file does not have its listed digest"},
	{12, store.ErrUnlistedFile, "a file is not listed in `files.sha256`"},
	{13, store.ErrMissingFile, "a listed or required file is missing"},
	{14, store.ErrPathEscapes, "a path leaves the package"},
	{15, store.ErrAbsolutePath, "a path is absolute"},
	{16, store.ErrLink, "the package holds a symbolic or hard link"},
	{17, store.ErrSpecialFile, "the package holds a device, a pipe, a socket or a set-user-id file"},
	{18, store.ErrDuplicateName, "two files have one name"},
	{19, store.ErrTooLarge, "archive or content is larger than allowed, or has too many files"},
	{20, store.ErrManifestVersion, "manifest or driver contract is of a version that this Magnum does not know"},
	{21, store.ErrMismatch, "manifest, description and binary contradict each other, or the binary does not run"},
	{22, store.ErrNoDigest, "what comes from a server was named without a digest"},
	{23, store.ErrOtherDigest, "the source does not have the digest that was asked for"},
	{24, store.ErrFetch, "the source cannot be read, or not in time"},
	{25, store.ErrVersionTaken, "the version is installed with other content"},
	{26, store.ErrConflict, "an active driver makes clusters of the same type with the same priority"},
	{27, store.ErrOtherDriver, "the source has another driver or version than the file of `drivers.d` wants"},
	{30, store.ErrUnsigned, "the package is not signed and has to be"},
	{31, store.ErrBadSignature, "a signature is wrong: it is of other content"},
	{32, store.ErrUnknownKey, "only keys that the trust file does not name have signed"},
	{33, store.ErrExpiredKey, "a key that has expired would be needed"},
	{34, store.ErrTooFewSignatures, "fewer keys have signed than the threshold"},
	{35, store.ErrNameNotAllowed, "who signed may not publish a driver of this name"},
	{36, launch.ErrOwner, "others than root and this user may write to the package, the store, the trust file or a file of `drivers.d`"},
	{37, store.ErrTrustFile, "the trust file cannot be used"},
	{40, store.ErrDowngrade, "the version is older than the active one"},
	{41, store.ErrPinned, "clusters are pinned to the version"},
	{42, store.ErrActive, "the version is active"},
	{43, store.ErrNoGeneration, "there is nothing to roll back to"},
	{44, errUnfit, "the driver's version cannot serve the cluster"},
	{45, errBusy, "the cluster has an operation under way, or the version is being removed"},
	{46, supervise.ErrUnproved, "the driver does not come up in its self-test"},
	{47, errRolledBack, "a service had trouble with the version, and what was active before is so again"},
	{48, errSkew, "hosts differ in what is active"},
	{49, errUsersBreak, "templates or clusters use what the version does not have"},
	{50, store.ErrDesired, "a file of `drivers.d`, or a lock file, cannot be used"},
	{51, store.ErrConfig, "the driver does not take the configuration in its file of `drivers.d`"},
	{exitDiffers, nil, "`sync --check`, `lock --check`: the drivers are not as they are wanted"},
	{exitUnhealthy, nil, "`doctor`: a check of this host fails"},
}

// failed gives an error its exit code.
func failed(err error) error {
	for _, e := range exits {
		if e.kind != nil && errors.Is(err, e.kind) {
			return &command.ExitError{Code: e.code, Err: err}
		}
	}
	return err
}
