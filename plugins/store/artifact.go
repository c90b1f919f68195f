package store

import (
	"context"
	"encoding/json"
	"io"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote/auth"
)

// A package in a registry is an OCI artifact of a type of its own, whose one
// layer is the archive.
const (
	artifactType = "application/vnd.magnum.driver.v1"
	layerType    = "application/vnd.magnum.driver.v1.tar+zstd"
)

// openArtifact asks a registry for a package: for the manifest, which must have
// the source's digest, and for the archive that it names, whose digest it
// returns. The requests are plain ones, so that they have the bounds and the
// refusals of those to any server.
func (s *Store) openArtifact(ctx context.Context, src source) (archive io.ReadCloser, digest string, err error) {
	repo := src.repository
	ctx = auth.AppendRepositoryScope(ctx, repo.Reference, auth.ActionPull)
	client := newRegistryClient(repo, s.client())
	from, err := s.get(ctx, client, repo.url("manifests", src.digest), ocispec.MediaTypeImageManifest, textLimit)
	if err != nil {
		return nil, "", err
	}
	text, err := io.ReadAll(io.LimitReader(from, textLimit+1))
	_ = from.Close()
	switch {
	case err != nil:
		return nil, "", s.fetchFailed(ctx, err)
	case len(text) > textLimit:
		return nil, "", refuse(ErrTooLarge, "its manifest is larger than the %d bytes allowed", textLimit)
	}
	if got := digestOf(text); got != src.digest {
		return nil, "", refuse(ErrOtherDigest, "the sha256 of its manifest is %s, not %s: it is not what was asked for", got, src.digest)
	}
	layer, err := s.layerOf(text)
	if err != nil {
		return nil, "", err
	}
	digest = layer.Digest.Encoded()
	if from, err = s.get(ctx, client, repo.url("blobs", digest), "", s.MaxArchive); err != nil {
		return nil, "", err
	}
	// One byte more than there should be spoils the digest.
	return readCloser{io.LimitReader(from, layer.Size+1), from}, digest, nil
}

// layerOf finds the archive in a manifest.
func (s *Store) layerOf(manifest []byte) (ocispec.Descriptor, error) {
	var m ocispec.Manifest
	if err := json.Unmarshal(manifest, &m); err != nil {
		return ocispec.Descriptor{}, refuse(ErrNotPackage, "its manifest cannot be read: %w", err)
	}
	if m.ArtifactType != artifactType {
		return ocispec.Descriptor{}, refuse(ErrNotPackage, "its artifact type is %q, not %q: it is not a driver package", m.ArtifactType, artifactType)
	}
	if len(m.Layers) != 1 {
		return ocispec.Descriptor{}, refuse(ErrNotPackage, "its manifest has %d layers: a driver package has one", len(m.Layers))
	}
	layer := m.Layers[0]
	switch {
	case layer.MediaType != layerType:
		return layer, refuse(ErrNotPackage, "its layer is of type %q, not %q", layer.MediaType, layerType)
	case layer.Digest.Validate() != nil || !digestPattern.MatchString(layer.Digest.Encoded()):
		return layer, refuse(ErrNotPackage, "its layer's digest %q is not a sha256", layer.Digest)
	case layer.Size < 0:
		return layer, refuse(ErrNotPackage, "its layer's size is %d", layer.Size)
	case layer.Size > s.MaxArchive:
		return layer, refuse(ErrTooLarge, "the archive has %d bytes, more than the %d allowed", layer.Size, s.MaxArchive)
	}
	return layer, nil
}

type readCloser struct {
	io.Reader
	io.Closer
}
