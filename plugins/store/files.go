package store

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
)

// The files that every package has.
const (
	binaryFile   = "driver"
	manifestFile = "driver.yaml"
	describeFile = "describe.json"
	digestsFile  = "files.sha256"
)

// The modes of directories: the store's own, and a kept package's, which nobody
// writes to again. Operators may look: there are no secrets in a package.
const (
	dirMode     fs.FileMode = 0o755
	keptDirMode fs.FileMode = 0o555
)

const (
	// textLimit bounds the files that are read into memory.
	textLimit = 4 << 20
	// packageFiles, packageBytes and archiveBytes bound a whole package.
	packageFiles = 10_000
	packageBytes = 1 << 30
	archiveBytes = 512 << 20
)

// digests is the content of files.sha256: file → sha256 in hex.
type digests map[string]string

// parseDigests reads what sha256sum writes. Paths that could mean a file
// outside the package, or the same file twice, are refused.
func parseDigests(text []byte) (digests, error) {
	line := regexp.MustCompile(`^([0-9a-f]{64}) [ *](.+)$`)
	files := digests{}
	in := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; in.Scan(); n++ {
		parts := line.FindStringSubmatch(in.Text())
		if parts == nil {
			return nil, refuse(ErrNotPackage, "%s, line %d: not a digest and a file's name", digestsFile, n)
		}
		name := parts[2]
		if err := checkPath(name); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", digestsFile, n, err)
		}
		if name == digestsFile {
			return nil, refuse(ErrNotPackage, "%s, line %d: it lists itself", digestsFile, n)
		}
		if _, twice := files[name]; twice {
			return nil, refuse(ErrDuplicateName, "%s, line %d: %s is listed twice", digestsFile, n, name)
		}
		files[name] = parts[1]
	}
	if err := in.Err(); err != nil {
		return nil, refuse(ErrNotPackage, "read %s: %w", digestsFile, err)
	}
	if len(files) > packageFiles {
		return nil, refuse(ErrTooLarge, "%s lists %d files, more than the %d allowed", digestsFile, len(files), packageFiles)
	}
	for _, required := range []string{binaryFile, manifestFile, describeFile} {
		if _, ok := files[required]; !ok {
			return nil, refuse(ErrMissingFile, "%s does not list %s, which every package has", digestsFile, required)
		}
	}
	return files, nil
}

// cleanPath reports whether a name is relative, stays inside, has one spelling
// and only visible characters.
func cleanPath(name string) bool {
	return fs.ValidPath(name) && path.Clean(name) == name && !strings.ContainsFunc(name, func(r rune) bool {
		return r < ' ' || r == 0x7f || r == '\\' || r == '\uFFFD'
	})
}

func (d digests) names() []string { return slices.Sorted(maps.Keys(d)) }

// text is the content of files.sha256, the same for the same files.
func (d digests) text() []byte {
	var out bytes.Buffer
	for _, name := range d.names() {
		fmt.Fprintf(&out, "%s  %s\n", d[name], name)
	}
	return out.Bytes()
}

func digestOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// checkTree refuses anything in the directory that is not listed, and anything
// that is not a plain file or a directory.
func (d digests) checkTree(root *os.Root) error {
	seen := 0
	err := fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		mode := info.Mode()
		switch {
		case mode&(fs.ModeSetuid|fs.ModeSetgid) != 0 && !mode.IsDir():
			return refuse(ErrSpecialFile, "%s has mode %s: set-user-id and set-group-id are not allowed in a package", name, mode)
		case mode.IsDir():
			return nil
		case mode&fs.ModeSymlink != 0:
			return refuse(ErrLink, "%s is not a plain file but a link: a package holds plain files only", name)
		case !mode.IsRegular():
			return refuse(ErrSpecialFile, "%s is not a plain file but of mode %s: a package holds plain files only", name, mode)
		case name == digestsFile, signatureName.MatchString(name):
			return nil
		}
		if _, listed := d[name]; !listed {
			return refuse(ErrUnlistedFile, "%s is in the package but not in %s: take it out, or build the package again", name, digestsFile)
		}
		if name == binaryFile && mode.Perm()&0o111 == 0 {
			return refuse(ErrMismatch, "%s is not executable (mode %s)", name, mode)
		}
		seen++
		return nil
	})
	if err != nil {
		return err
	}
	if seen != len(d) {
		for _, name := range d.names() {
			if _, err := root.Lstat(name); errors.Is(err, fs.ErrNotExist) {
				return refuse(ErrMissingFile, "%s is in %s but not in the package: the package is incomplete", name, digestsFile)
			}
		}
	}
	return nil
}

// checkContent reads all listed files and compares digests.
func (d digests) checkContent(root *os.Root) error {
	for _, name := range d.names() {
		if _, err := d.copyFile(root, name, io.Discard); err != nil {
			return err
		}
	}
	return nil
}

// copyFile copies a listed file and refuses it if it is not as listed.
func (d digests) copyFile(root *os.Root, name string, to io.Writer) (int64, error) {
	f, err := root.Open(name)
	if err != nil {
		return 0, fmt.Errorf("open %s: %w", name, err)
	}
	defer func() { _ = f.Close() }()
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(to, sum), io.LimitReader(f, packageBytes))
	if err != nil {
		return n, fmt.Errorf("copy %s: %w", name, err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != d[name] {
		return n, refuse(ErrChanged, "%s is not what %s says: its sha256 is %s, not %s: it was changed or damaged on the way; "+
			"fetch the package again", name, digestsFile, got, d[name])
	}
	return n, nil
}

// readText reads one of a package's own small files.
func readText(root *os.Root, name string) ([]byte, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, textLimit+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(text) > textLimit {
		return nil, refuse(ErrTooLarge, "%s is larger than the %d bytes allowed", name, textLimit)
	}
	return text, nil
}

// readListed reads one of a package's own small files, as listed.
func (d digests) readListed(root *os.Root, name string) ([]byte, error) {
	text, err := readText(root, name)
	if err != nil {
		return nil, err
	}
	if got := digestOf(text); got != d[name] {
		return nil, refuse(ErrChanged, "%s is not what %s says: its sha256 is %s, not %s: it was changed; install the package again",
			name, digestsFile, got, d[name])
	}
	return text, nil
}
