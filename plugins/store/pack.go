package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.yaml.in/yaml/v3"

	"github.com/go-magnum/magnum/plugins/launch"
)

// packTimeout bounds the run of describe when a package is made.
const packTimeout = 30 * time.Second

// Pack makes a package in dir from a driver's binary: it asks the binary what
// it is, and writes manifest, with what the driver asks for, description and
// digests. A package that is there
// already is replaced; anything else is left alone, with an error. The same
// binary gives the same package, byte for byte. A name that ends in
// [ArchiveSuffix] makes it one file.
func Pack(ctx context.Context, to, binary string, asks Asks) error {
	do := pack
	if isArchive(to) {
		do = packArchive
	}
	if err := do(ctx, filepath.Clean(to), binary, asks); err != nil {
		return fmt.Errorf("make a package of %s: %w", binary, err)
	}
	return nil
}

func pack(ctx context.Context, dir, binary string, asks Asks) error {
	if err := replaceable(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), dirMode); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+"-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	if err := os.Chmod(temp, dirMode); err != nil {
		return err
	}
	if err := fill(ctx, temp, binary, asks); err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.Rename(temp, dir)
}

func packArchive(ctx context.Context, file, binary string, asks Asks) error {
	if info, err := os.Lstat(file); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is there and is not a file: name a new one", file)
	}
	if err := os.MkdirAll(filepath.Dir(file), dirMode); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(filepath.Dir(file), "."+filepath.Base(file)+"-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	content := filepath.Join(dir, "package")
	if err := os.Mkdir(content, dirMode); err != nil {
		return err
	}
	if err := fill(ctx, content, binary, asks); err != nil {
		return err
	}
	return replaceArchive(file, content, dir)
}

// replaceArchive packs a directory into a file, which is whole or as before.
// What is in the making is in temp.
func replaceArchive(file, content, temp string) error {
	whole := filepath.Join(temp, "archive")
	err := writeFile(whole, 0o644, func(f *os.File) error { return writeArchive(content, f) })
	if err != nil {
		return err
	}
	return os.Rename(whole, file)
}

// replaceable reports an error unless dir is absent, empty or a package.
func replaceable(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || (err == nil && len(entries) == 0) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == digestsFile {
			return nil
		}
	}
	return fmt.Errorf("%s is there and is not a driver package: name a new directory", dir)
}

func fill(ctx context.Context, dir, binary string, asks Asks) error {
	files := digests{}
	var err error
	if files[binaryFile], err = copyBinary(filepath.Join(dir, binaryFile), binary); err != nil {
		return err
	}
	description, err := launch.Describe(ctx, launch.Config{
		Name:         filepath.Base(binary),
		Binary:       filepath.Join(dir, binaryFile),
		SHA256:       files[binaryFile],
		Logger:       hclog.NewNullLogger(),
		StartTimeout: packTimeout,
		Package:      dir,
		Sandbox:      asks.Sandbox,
		Limits:       asks.Resources,
	})
	if err != nil {
		return fmt.Errorf("it is not a driver, or a broken one: %w", err)
	}
	d, err := parseDescription(description)
	if err != nil {
		first, _, _ := strings.Cut(string(description), "\n")
		return fmt.Errorf("what its describe prints cannot be read, it begins with %.80q: %w", first, err)
	}
	m := manifestOf(d)
	m.Asks = asks
	manifest, err := yaml.Marshal(m)
	if err != nil {
		return fmt.Errorf("write %s: %w", manifestFile, err)
	}
	if _, err := parseManifest(manifest); err != nil {
		return err
	}
	for name, text := range map[string][]byte{manifestFile: manifest, describeFile: description} {
		files[name] = digestOf(text)
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, digestsFile), files.text(), 0o644)
}

func copyBinary(to, from string) (digest string, err error) {
	in, err := os.Open(from)
	if err != nil {
		return "", err
	}
	defer func() { _ = in.Close() }()
	sum := sha256.New()
	err = writeFile(to, 0o755, func(f *os.File) error {
		_, err := io.Copy(io.MultiWriter(f, sum), in)
		return err
	})
	return hex.EncodeToString(sum.Sum(nil)), err
}
