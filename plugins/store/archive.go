package store

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
)

// ArchiveSuffix ends the name of a package in one file.
const ArchiveSuffix = ".tar.zst"

// zstdWindow bounds the memory that an archive can ask for.
const zstdWindow = 64 << 20

// limits bound what comes out of an archive.
type limits struct {
	bytes int64
	files int
}

// writeArchive packs the files of a directory. The same files give the same
// bytes: no times, no owners, names in order.
func writeArchive(dir string, to io.Writer) error {
	packed, err := zstd.NewWriter(to, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	out := tar.NewWriter(packed)
	err = filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		return archiveFile(out, file, filepath.ToSlash(name))
	})
	if err == nil {
		err = out.Close()
	}
	return errors.Join(err, packed.Close())
}

func archiveFile(out *tar.Writer, file, name string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	mode := int64(0o644)
	if info.Mode()&0o100 != 0 {
		mode = 0o755
	}
	err = out.WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg, Name: name, Size: info.Size(), Mode: mode, ModTime: time.Unix(0, 0), Format: tar.FormatPAX,
	})
	if err != nil {
		return err
	}
	_, err = io.Copy(out, f)
	return err
}

// unpack writes the files of an archive to a directory that is empty. What is
// not a plain file at a plain path is refused: nothing is ever written
// elsewhere, and never more than the limits.
func unpack(ctx context.Context, from io.Reader, dir string, most limits) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	defer func() { _ = root.Close() }()
	plain, err := zstd.NewReader(interruptible{ctx, from}, zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderMaxWindow(zstdWindow), zstd.WithDecoderLowmem(true))
	if err != nil {
		return refuse(ErrNotPackage, "it is not a %s archive: %w", ArchiveSuffix, err)
	}
	defer plain.Close()
	u := unpacking{root: root, left: most, seen: map[string]bool{}, most: most}
	in := tar.NewReader(plain)
	for {
		header, err := in.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("unpack: %w", ctx.Err())
		case err != nil:
			return refuse(ErrNotPackage, "it is not a whole %s archive: %w", ArchiveSuffix, err)
		}
		if err := u.entry(header, in); err != nil {
			return err
		}
	}
}

// interruptible ends a long read with its context.
type interruptible struct {
	ctx context.Context
	io.Reader
}

func (r interruptible) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}

type unpacking struct {
	root       *os.Root
	left, most limits
	seen       map[string]bool
}

func (u *unpacking) entry(h *tar.Header, content io.Reader) error {
	if u.left.files--; u.left.files < 0 {
		return refuse(ErrTooLarge, "the archive holds more than the %d files allowed", u.most.files)
	}
	name := strings.TrimPrefix(h.Name, "./") // as tar -C DIR -c . writes them
	if h.Typeflag == tar.TypeDir {
		name = strings.TrimSuffix(name, "/")
		if name == "" || name == "." {
			return nil
		}
	}
	if err := checkPath(name); err != nil {
		return fmt.Errorf("the archive: %w", err)
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return u.mkdir(name)
	case tar.TypeReg:
	case tar.TypeSymlink, tar.TypeLink:
		return refuse(ErrLink, "%s in the archive is a link to %q: a package holds plain files only", name, h.Linkname)
	default:
		return refuse(ErrSpecialFile, "%s in the archive is not a plain file but of type %q: a package holds plain files only",
			name, h.Typeflag)
	}
	if mode := h.FileInfo().Mode(); mode&(fs.ModeSetuid|fs.ModeSetgid) != 0 {
		return refuse(ErrSpecialFile, "%s in the archive has mode %s: set-user-id and set-group-id are not allowed in a package", name, mode)
	}
	if u.seen[name] {
		return refuse(ErrDuplicateName, "%s is in the archive twice", name)
	}
	u.seen[name] = true
	if h.Size > u.left.bytes {
		return u.tooLarge()
	}
	if err := u.mkdir(path.Dir(name)); err != nil {
		return err
	}
	return u.write(name, h.FileInfo().Mode(), content)
}

func (u *unpacking) write(name string, mode fs.FileMode, content io.Reader) error {
	perm := fs.FileMode(0o600)
	if mode&0o111 != 0 {
		perm = 0o700
	}
	f, err := u.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, perm)
	if err != nil {
		return refuse(ErrNotPackage, "unpack %s: %w", name, err)
	}
	// One more than allowed, to see that there is more.
	n, err := io.Copy(f, io.LimitReader(content, u.left.bytes+1))
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return refuse(ErrNotPackage, "unpack %s: %w", name, err)
	}
	if u.left.bytes -= n; u.left.bytes < 0 {
		return u.tooLarge()
	}
	return nil
}

func (u *unpacking) mkdir(name string) error {
	if err := u.root.MkdirAll(name, 0o700); err != nil {
		return refuse(ErrNotPackage, "unpack %s: %w", name, err)
	}
	return nil
}

func (u *unpacking) tooLarge() error {
	return refuse(ErrTooLarge, "the archive unpacks to more than the %d bytes allowed", u.most.bytes)
}

// checkPath refuses a name that is not the plain path of a file in the package.
func checkPath(name string) error {
	switch {
	case strings.HasPrefix(name, "/"):
		return refuse(ErrAbsolutePath, "%q is an absolute path: a package names files relative to itself", name)
	case slices.Contains(strings.Split(name, "/"), ".."), !cleanPath(name):
		return refuse(ErrPathEscapes, "%q is not the plain path of a file in the package", name)
	}
	return nil
}
