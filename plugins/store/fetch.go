package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"oras.land/oras-go/v2/registry/remote"
)

// digestPattern is a sha256 in hex.
var digestPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)

// source is where a package comes from: a directory or an archive on disk, or
// an archive on a server, or in a registry.
type source struct {
	text       string // as it was named
	path       string
	url        string     // of a server or a registry
	repository repository // of a registry
	digest     string     // that it must have, in hex; empty for any
}

// Remote reports whether a source, as [Store.Install] takes it, is on a server.
func Remote(text string) bool {
	return strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "https://") || inRegistry(text)
}

// parseSource reads SOURCE[@sha256:DIGEST].
func parseSource(text string) (source, error) {
	src := source{text: text, path: text}
	if at := strings.LastIndex(text, "@sha256:"); at >= 0 {
		src.path, src.digest = text[:at], text[at+len("@sha256:"):]
		if !digestPattern.MatchString(src.digest) {
			return src, refuse(ErrOtherDigest, "%q is not a sha256 in hex", src.digest)
		}
	}
	scheme, _, found := strings.Cut(src.path, "://")
	switch {
	case !found:
		return src, nil
	case scheme == "file":
		u, err := url.Parse(src.path)
		if err != nil || (u.Host != "" && u.Host != "localhost") || !filepath.IsAbs(u.Path) {
			return src, refuse(ErrFetch, "%q does not name a file of this host, as file:///path does", src.path)
		}
		src.path = u.Path
		return src, nil
	case Remote(src.path):
		if src.digest == "" {
			return src, refuse(ErrNoDigest, "what comes from a server needs a digest: ask its author for it and add @sha256:DIGEST")
		}
		src.url, src.path = src.path, ""
		if inRegistry(src.url) {
			var err error
			if src.repository, err = parseRepository(src.url); err != nil {
				return src, refuse(ErrFetch, "%w", err)
			}
		}
		return src, nil
	}
	return src, refuse(ErrFetch, "%s:// is not known: name a path, or a file://, https://, http:// or oci:// URL", scheme)
}

// holds refuses a folder whose package is not the one that was asked for. What
// is an archive was compared when it was fetched.
func (src source) holds(dir, digest string) error {
	if src.path == dir && src.digest != "" && src.digest != digest {
		return refuse(ErrOtherDigest, "the sha256 of its %s is %s, not %s: it is not what was asked for",
			digestsFile, digest, src.digest)
	}
	return nil
}

// fetch brings a package into the store's own directory, unpacked if it is an
// archive, and returns where it is and what to do afterwards.
func (s *Store) fetch(ctx context.Context, src source) (dir string, clean func(), err error) {
	nothing := func() {}
	if src.url == "" {
		info, err := os.Stat(src.path)
		if err != nil {
			return "", nothing, refuse(ErrFetch, "open the package: %w", err)
		}
		if info.IsDir() {
			return src.path, nothing, nil
		}
		if !info.Mode().IsRegular() {
			return "", nothing, refuse(ErrNotPackage, "it is neither a directory nor a file: it is not a driver package")
		}
	}
	room, err := os.MkdirTemp(filepath.Join(s.dir, contentDir), ".unpack-")
	if err != nil {
		return "", nothing, fmt.Errorf("make room in the driver store: %w", err)
	}
	clean = func() { removeTree(room) }
	if err := s.fetchArchive(ctx, src, room); err != nil {
		clean()
		return "", nothing, err
	}
	return filepath.Join(room, "package"), clean, nil
}

// fetchArchive copies an archive, proves its digest, and only then looks into
// it: into the copy, which nobody else writes to.
func (s *Store) fetchArchive(ctx context.Context, src source, room string) error {
	ctx, cancel := context.WithTimeout(ctx, s.FetchTimeout)
	defer cancel()
	from, digest, err := s.openSource(ctx, src)
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }()
	file, err := os.OpenFile(filepath.Join(room, "archive"), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("make room in the driver store: %w", err)
	}
	defer func() { _ = file.Close() }()
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(file, sum), io.LimitReader(interruptible{ctx, from}, s.MaxArchive+1))
	switch {
	case err != nil:
		return s.fetchFailed(ctx, err)
	case n > s.MaxArchive:
		return refuse(ErrTooLarge, "the archive is larger than the %d bytes allowed", s.MaxArchive)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); digest != "" && got != digest {
		return refuse(ErrOtherDigest, "its sha256 is %s, not %s: it is not what was asked for", got, digest)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	unpacked := filepath.Join(room, "package")
	if err := os.Mkdir(unpacked, 0o700); err != nil {
		return err
	}
	return unpack(ctx, file, unpacked, limits{bytes: s.MaxBytes, files: packageFiles})
}

// openSource opens an archive, and returns the digest that it must have, if any.
func (s *Store) openSource(ctx context.Context, src source) (from io.ReadCloser, digest string, err error) {
	switch {
	case src.url == "":
		if from, err = os.Open(src.path); err != nil {
			err = refuse(ErrFetch, "open the package: %w", err)
		}
	case inRegistry(src.url):
		return s.openArtifact(ctx, src)
	default:
		from, err = s.get(ctx, s.client(), src.url, "", s.MaxArchive)
	}
	return from, src.digest, err
}

func (s *Store) client() *http.Client {
	return &http.Client{Transport: s.Transport, CheckRedirect: checkRedirect}
}

// get asks a server for something of a media type, or of any, and of so many
// bytes at most. The body is as long as the server likes.
func (s *Store) get(ctx context.Context, client remote.Client, url, accept string, most int64) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, refuse(ErrFetch, "fetch it: %w", err)
	}
	if accept != "" {
		request.Header.Set("Accept", accept)
	}
	answer, err := client.Do(request)
	if err != nil {
		return nil, s.fetchFailed(ctx, err)
	}
	if answer.StatusCode != http.StatusOK {
		_ = answer.Body.Close()
		return nil, refuse(ErrFetch, "fetch it: the server %s", answered(answer.StatusCode))
	}
	if answer.ContentLength > most {
		_ = answer.Body.Close()
		return nil, refuse(ErrTooLarge, "it has %d bytes, more than the %d allowed", answer.ContentLength, most)
	}
	return answer.Body, nil
}

func (s *Store) fetchFailed(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return refuse(ErrFetch, "fetch it: it was not there within %s: %w", s.FetchTimeout, err)
	}
	return refuse(ErrFetch, "fetch it: %w", err)
}

// checkRedirect follows a few redirections, and none that gives TLS up.
func checkRedirect(next *http.Request, before []*http.Request) error {
	if len(before) > 5 {
		return errors.New("more than 5 redirections")
	}
	if before[0].URL.Scheme == "https" && next.URL.Scheme != "https" {
		return fmt.Errorf("it is redirected from https to %s", next.URL.Scheme)
	}
	return nil
}

// isArchive reports whether a package is to be one file.
func isArchive(name string) bool { return strings.HasSuffix(name, ArchiveSuffix) }
