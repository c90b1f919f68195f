package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"aead.dev/minisign"

	"github.com/go-magnum/magnum/plugins/launch"
)

// signatureFile is the first signature of a package; others have a number.
const signatureFile = digestsFile + ".minisig"

// signatureMost is how many signatures a package may have.
const signatureMost = 16

var signatureName = regexp.MustCompile(`^files\.sha256\.minisig(\.([2-9]|1[0-6]))?$`)

// signature is one over files.sha256, and with it over all of a package.
type signature struct {
	minisign.Signature
	text []byte
}

// readSignatures reads those beside a package's files.
func readSignatures(root *os.Root) ([]signature, error) {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, fmt.Errorf("read the package: %w", err)
	}
	var all []signature
	for _, e := range entries {
		if !signatureName.MatchString(e.Name()) {
			continue
		}
		text, err := readText(root, e.Name())
		if err != nil {
			return nil, err
		}
		s := signature{text: text}
		if err := s.UnmarshalText(text); err != nil {
			return nil, refuse(ErrBadSignature, "%s is not a minisign signature: %w", e.Name(), err)
		}
		all = append(all, s)
	}
	return all, nil
}

// vouch decides whether a package may be installed: by its signatures, or
// where nobody is trusted by name, by who could have written it.
func (s *Store) vouch(p Package, src source, list []byte, signatures []signature) (signers []string, err error) {
	trust, err := LoadTrust(s.TrustFile)
	if err != nil {
		return nil, err
	}
	if !trust.Empty() {
		return trust.verify(p.Name, list, signatures, s.Now())
	}
	if src.url != "" {
		return nil, refuse(ErrUnsigned, "driver %s comes from a server, and %s names no publishers: "+
			"without them packages are taken from this host's files only", p.Name, trustFileName(s.TrustFile))
	}
	return nil, checkSourceOwner(src.path)
}

func trustFileName(file string) string {
	if file == "" {
		return "the trust file"
	}
	return file
}

// checkSourceOwner refuses an unsigned package that somebody else could write.
func checkSourceOwner(path string) error {
	return filepath.WalkDir(path, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("look at the package: %w", err)
		}
		info, err := entry.Info()
		if err != nil {
			return fmt.Errorf("look at the package: %w", err)
		}
		return launch.CheckOwnerOf(path, info)
	})
}

// keepSignatures stores signatures beside the content, which never changes:
// a later installation may bring more of them.
func (s *Store) keepSignatures(digest string, signatures []signature) error {
	if len(signatures) == 0 {
		return nil
	}
	dir := filepath.Join(s.dir, signaturesDir, digest)
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return fmt.Errorf("keep the signatures: %w", err)
	}
	for i, sig := range signatures {
		name := signatureFile
		if i > 0 {
			name = fmt.Sprintf("%s.%d", signatureFile, i+1)
		}
		temp := filepath.Join(dir, ".new")
		_ = os.Remove(temp)
		err := writeFile(temp, 0o444, func(f *os.File) error {
			_, err := f.Write(sig.text)
			return err
		})
		if err == nil {
			err = os.Rename(temp, filepath.Join(dir, name))
		}
		if err != nil {
			return fmt.Errorf("keep the signatures: %w", err)
		}
	}
	return syncDir(dir)
}

// VerifyDeep is Verify, and also checks the signatures with today's trust
// file, and that the binary still says what its package says. A key that
// expired since makes nothing invalid.
func (s *Store) VerifyDeep(ctx context.Context, p Package) (signers []string, err error) {
	if err := s.Verify(p); err != nil {
		return nil, err
	}
	if signers, err = s.verifySignatures(p); err == nil {
		err = s.ask(ctx, p.Path, p)
	}
	if err != nil {
		return nil, fmt.Errorf("verify driver %s: %w", p, err)
	}
	return signers, nil
}

func (s *Store) verifySignatures(p Package) ([]string, error) {
	trust, err := LoadTrust(s.TrustFile)
	if err != nil || trust.Empty() {
		return nil, err
	}
	list, err := os.ReadFile(filepath.Join(p.Path, digestsFile))
	if err != nil {
		return nil, err
	}
	var signatures []signature
	root, err := os.OpenRoot(filepath.Join(s.dir, signaturesDir, p.Digest))
	if err == nil {
		defer func() { _ = root.Close() }()
		signatures, err = readSignatures(root)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return trust.verify(p.Name, list, signatures, time.Time{})
}

// Sign adds a signature to a package, a folder or an archive, that is whole. A
// signature by the same key is replaced.
func Sign(ctx context.Context, pkg string, key minisign.PrivateKey) error {
	err := signPackage(ctx, filepath.Clean(pkg), key)
	if err != nil {
		return fmt.Errorf("sign %s: %w", pkg, err)
	}
	return nil
}

func signPackage(ctx context.Context, pkg string, key minisign.PrivateKey) error {
	info, err := os.Stat(pkg)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return signDir(pkg, key)
	}
	temp, err := os.MkdirTemp(filepath.Dir(pkg), "."+filepath.Base(pkg)+"-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	content := filepath.Join(temp, "package")
	if err := os.Mkdir(content, 0o700); err != nil {
		return err
	}
	f, err := os.Open(pkg)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if err := unpack(ctx, f, content, limits{bytes: packageBytes, files: packageFiles}); err != nil {
		return err
	}
	if err := signDir(content, key); err != nil {
		return err
	}
	return replaceArchive(pkg, content, temp)
}

func signDir(dir string, key minisign.PrivateKey) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	p, list, err := readWhole(root)
	if err != nil {
		return err
	}
	name, err := signatureSlot(root, key.ID())
	if err != nil {
		return err
	}
	hashed := minisign.NewReader(bytes.NewReader(list)) // as minisign itself signs today
	if _, err := io.Copy(io.Discard, hashed); err != nil {
		return err
	}
	text := hashed.SignWithComments(key, "driver "+p.String(), "signature of a Magnum driver")
	return root.WriteFile(name, text, 0o644)
}

// signatureSlot is the file for a key's signature: its own, or a free one.
func signatureSlot(root *os.Root, key uint64) (string, error) {
	free := ""
	for i := 1; i <= signatureMost; i++ {
		name := signatureFile
		if i > 1 {
			name = fmt.Sprintf("%s.%d", signatureFile, i)
		}
		text, err := readText(root, name)
		if err != nil {
			if free == "" {
				free = name
			}
			continue
		}
		var s minisign.Signature
		if err := s.UnmarshalText(text); err == nil && s.KeyID == key {
			return name, nil
		}
	}
	if free == "" {
		return "", fmt.Errorf("it has %d signatures, the most there can be", signatureMost)
	}
	return free, nil
}
