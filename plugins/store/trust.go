package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"aead.dev/minisign"
	"go.yaml.in/yaml/v3"

	"github.com/go-magnum/magnum/plugins/launch"
)

// Trust is driver-trust.yaml: whose signature makes which driver installable.
// The empty one takes unsigned packages, of this host's files only.
type Trust struct {
	Keys       []TrustedKey `yaml:"keys"`
	Publishers []Publisher  `yaml:"publishers"`
}

// TrustedKey is a publisher's minisign key.
type TrustedKey struct {
	Name   string `yaml:"name"`
	Public string `yaml:"public"`
	// Expires is a day, such as 2027-12-31, at whose end the key is good for
	// no installation any more; empty for never. What is installed stays.
	Expires string `yaml:"expires,omitempty"`

	key   minisign.PublicKey
	until time.Time
}

// ID is the key's, as minisign prints it.
func (k TrustedKey) ID() string { return keyID(k.key.ID()) }

// Expired reports whether the key is good for no installation any more.
func (k TrustedKey) Expired(now time.Time) bool { return !k.until.IsZero() && !now.Before(k.until) }

// Publisher says who may publish drivers of some names.
type Publisher struct {
	// Drivers are patterns of names, such as acme_*.
	Drivers []string `yaml:"drivers"`
	// Keys are names of keys, and Threshold how many of them must have signed.
	Keys      []string `yaml:"keys"`
	Threshold int      `yaml:"threshold,omitempty"`
}

func (p Publisher) mayPublish(name string) bool {
	return slices.ContainsFunc(p.Drivers, func(pattern string) bool {
		ok, err := path.Match(pattern, name)
		return ok && err == nil
	})
}

// LoadTrust reads a trust file; one that is not there is the empty one. Only
// root and this user may be able to write to it.
func LoadTrust(file string) (Trust, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) || file == "" {
		return Trust{}, nil
	}
	if err != nil {
		return Trust{}, refuse(ErrTrustFile, "read whom to trust: %w", err)
	}
	if err := launch.CheckOwner(file); err != nil {
		return Trust{}, err
	}
	var t Trust
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true) // a misspelt field must not make anybody trusted
	if err := decoder.Decode(&t); err != nil && !errors.Is(err, io.EOF) {
		return Trust{}, refuse(ErrTrustFile, "%s: %w", file, err)
	}
	if err := t.check(); err != nil {
		return Trust{}, refuse(ErrTrustFile, "%s: %w", file, err)
	}
	return t, nil
}

func (t Trust) check() error {
	ids := map[uint64]string{}
	names := map[string]bool{}
	for i := range t.Keys {
		k := &t.Keys[i]
		if err := k.key.UnmarshalText([]byte(k.Public)); err != nil {
			return fmt.Errorf("key %q: %q is not a minisign public key", k.Name, k.Public)
		}
		// Two names for one key would be two signatures where there is one.
		if other, twice := ids[k.key.ID()]; twice {
			return fmt.Errorf("keys %q and %q are the same", other, k.Name)
		}
		if k.Name == "" || names[k.Name] {
			return fmt.Errorf("key %d: the name %q is empty or given twice", i+1, k.Name)
		}
		ids[k.key.ID()], names[k.Name] = k.Name, true
		if k.Expires != "" {
			day, err := time.Parse(time.DateOnly, k.Expires)
			if err != nil {
				return fmt.Errorf("key %q: expires %q is not a day, such as 2027-12-31", k.Name, k.Expires)
			}
			k.until = day.AddDate(0, 0, 1)
		}
	}
	if len(t.Keys) > 0 && len(t.Publishers) == 0 {
		return errors.New("there are keys but no publishers, who say which drivers the keys are for")
	}
	for i := range t.Publishers {
		p := &t.Publishers[i]
		p.Threshold = max(p.Threshold, 1)
		for _, pattern := range p.Drivers {
			if _, err := path.Match(pattern, ""); err != nil {
				return fmt.Errorf("publisher %d: %q is not a pattern", i+1, pattern)
			}
		}
		for _, name := range p.Keys {
			if !names[name] {
				return fmt.Errorf("publisher %d: there is no key %q", i+1, name)
			}
		}
		if distinct := len(slices.Compact(slices.Sorted(slices.Values(p.Keys)))); distinct != len(p.Keys) || p.Threshold > distinct {
			return fmt.Errorf("publisher %d: threshold %d needs as many different keys, not %q", i+1, p.Threshold, p.Keys)
		}
	}
	return nil
}

// Empty reports whether nobody is trusted by name.
func (t Trust) Empty() bool { return len(t.Publishers) == 0 }

// verify returns the names of the keys whose signatures make a driver
// installable, or says what is wrong with them. With a zero time no key is
// expired.
func (t Trust) verify(driver string, list []byte, signatures []signature, now time.Time) ([]string, error) {
	if len(signatures) == 0 {
		return nil, refuse(ErrUnsigned, "driver %s is not signed, and this host takes signed drivers only: "+
			"ask its publisher for a signed package", driver)
	}
	var good, unknown []string
	for _, s := range signatures {
		i := slices.IndexFunc(t.Keys, func(k TrustedKey) bool { return k.key.ID() == s.KeyID })
		switch {
		case i < 0:
			unknown = append(unknown, keyID(s.KeyID))
		case !minisign.Verify(t.Keys[i].key, list, s.text):
			return nil, refuse(ErrBadSignature, "the signature of driver %s by key %q is wrong: it is of another content. "+
				"Fetch the package again", driver, t.Keys[i].Name)
		case !slices.Contains(good, t.Keys[i].Name):
			good = append(good, t.Keys[i].Name)
		}
	}
	if len(good) == 0 {
		return nil, refuse(ErrUnknownKey, "driver %s is signed by key %s, which is not in the trust file", driver, strings.Join(unknown, ", "))
	}
	return good, t.enough(driver, good, now)
}

// enough reports an error unless one of the driver's publishers has as many
// good signatures as it needs. The error is about the one closest to it.
func (t Trust) enough(driver string, good []string, now time.Time) error {
	failure := refuse(ErrNameNotAllowed, "driver %s is signed by %s, who may not publish a driver of this name", driver, strings.Join(good, ", "))
	best := 0
	for _, p := range t.Publishers {
		if !p.mayPublish(driver) {
			continue
		}
		var valid, expired []string
		for _, k := range t.Keys {
			switch {
			case !slices.Contains(good, k.Name) || !slices.Contains(p.Keys, k.Name):
			case !now.IsZero() && k.Expired(now):
				expired = append(expired, fmt.Sprintf("%s (%s)", k.Name, k.Expires))
			default:
				valid = append(valid, k.Name)
			}
		}
		if len(valid) >= p.Threshold {
			return nil
		}
		if near := 2*len(valid) + len(expired); near > best {
			best = near
			failure = refuse(ErrTooFewSignatures, "driver %s has %d of the %d signatures it needs: %s signed, of %s",
				driver, len(valid), p.Threshold, strings.Join(valid, ", "), strings.Join(p.Keys, ", "))
			if len(valid)+len(expired) >= p.Threshold {
				failure = refuse(ErrExpiredKey, "driver %s is signed by a key that has expired: %s. "+
					"Ask its publisher for a signature by another key", driver, strings.Join(expired, ", "))
			}
		}
	}
	return failure
}

func keyID(id uint64) string { return fmt.Sprintf("%016X", id) }
