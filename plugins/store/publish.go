package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/registry/remote"
)

// publishTimeout bounds the way of a package into a registry.
const publishTimeout = 10 * time.Minute

// Publish puts a package that is whole, a folder or an archive, into a
// registry as oci://HOST/REPOSITORY:TAG, and returns what [Store.Install] takes
// it from there by. The same package has the same digest everywhere.
func Publish(ctx context.Context, pkg, to string) (source string, err error) {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	manifest, err := publish(ctx, filepath.Clean(pkg), to)
	if err != nil {
		return "", fmt.Errorf("publish %s as %s: %w", pkg, to, err)
	}
	return to + "@" + manifest.String(), nil
}

func publish(ctx context.Context, pkg, to string) (digest.Digest, error) {
	repo, err := parseRepository(to)
	if err != nil {
		return "", err
	}
	if repo.Reference.Reference == "" {
		return "", errors.New("it names no tag, as oci://HOST/REPOSITORY:TAG does: registries may drop what has none")
	}
	temp, err := os.MkdirTemp("", "magnum-publish-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	archive, p, err := openPackage(ctx, pkg, temp)
	if archive != nil {
		defer func() { _ = archive.Close() }()
	}
	if err != nil {
		return "", err
	}
	client := newRegistryClient(repo, &http.Client{CheckRedirect: checkRedirect})
	manifest, err := push(ctx, &remote.Repository{Client: client, Reference: repo.Reference, PlainHTTP: repo.plain()}, archive, p)
	if err != nil {
		return "", client.failed(err)
	}
	return manifest, nil
}

// openPackage opens a package's archive, which it makes in temp of a folder,
// after all that can be proven without running anything.
func openPackage(ctx context.Context, pkg, temp string) (*os.File, Package, error) {
	info, err := os.Stat(pkg)
	if err != nil {
		return nil, Package{}, err
	}
	if info.IsDir() {
		p, err := readFolder(pkg)
		if err != nil {
			return nil, Package{}, err
		}
		f, err := os.OpenFile(filepath.Join(temp, "archive"), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
		if err != nil {
			return nil, Package{}, err
		}
		return f, p, writeArchive(pkg, f)
	}
	content := filepath.Join(temp, "package")
	if err := os.Mkdir(content, 0o700); err != nil {
		return nil, Package{}, err
	}
	f, err := os.Open(pkg)
	if err != nil {
		return nil, Package{}, err
	}
	var p Package
	if err = unpack(ctx, f, content, limits{bytes: packageBytes, files: packageFiles}); err == nil {
		p, err = readFolder(content)
	}
	return f, p, err
}

func readFolder(dir string) (Package, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Package{}, err
	}
	defer func() { _ = root.Close() }()
	p, _, err := readWhole(root)
	return p, err
}

// push brings archive, manifest and tag into a repository. Nothing in the
// manifest depends on when or where.
func push(ctx context.Context, repo *remote.Repository, archive *os.File, p Package) (digest.Digest, error) {
	layer := ocispec.Descriptor{
		MediaType:   layerType,
		Annotations: map[string]string{ocispec.AnnotationTitle: p.Name + "-" + p.Version + ArchiveSuffix},
	}
	if _, err := archive.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	sum := sha256.New()
	var err error
	if layer.Size, err = io.Copy(sum, archive); err != nil {
		return "", err
	}
	layer.Digest = digest.NewDigest(digest.SHA256, sum)
	if _, err = archive.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	there, err := repo.Blobs().Exists(ctx, layer)
	if err == nil && !there {
		err = repo.Blobs().Push(ctx, layer, archive)
	}
	if err != nil {
		return "", err
	}
	manifest, err := oras.PackManifest(ctx, repo, oras.PackManifestVersion1_1, artifactType, oras.PackManifestOptions{
		Layers: []ocispec.Descriptor{layer},
		ManifestAnnotations: map[string]string{
			ocispec.AnnotationCreated: "1970-01-01T00:00:00Z",
			ocispec.AnnotationTitle:   p.Name,
			ocispec.AnnotationVersion: p.Version,
		},
	})
	if err != nil {
		return "", err
	}
	return manifest.Digest, repo.Tag(ctx, manifest, repo.Reference.Reference)
}
