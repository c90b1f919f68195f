package keystone

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The strategies of [keystone_authtoken] memcache_security_strategy.
const (
	strategyNone    = "NONE"
	strategyMAC     = "MAC"
	strategyEncrypt = "ENCRYPT"
)

// entryHeader is what every entry begins with; another format gets another
// number. After it come the strategy's first letter, the time until which the
// entry is good in Unix milliseconds, and what Keystone said.
const entryHeader = "magnum1"

// entrySealer writes and reads entries of the shared cache. Under a strategy
// an entry says for which name it was made, so that nobody can put one token's
// data in another's place, and until when, so that an old one cannot be
// brought back.
type entrySealer struct {
	strategy      string
	naming, proof []byte
	aead          cipher.AEAD
}

func newEntrySealer(strategy, secret string) (*entrySealer, error) {
	s := &entrySealer{strategy: strings.ToUpper(strategy)}
	switch s.strategy {
	case "", strategyNone:
		s.strategy = strategyNone
		return s, nil
	case strategyMAC, strategyEncrypt:
	default:
		return nil, fmt.Errorf("[keystone_authtoken] memcache_security_strategy: expected None, MAC or ENCRYPT, found %q", strategy)
	}
	if secret == "" {
		return nil, fmt.Errorf("[keystone_authtoken] memcache_secret_key must be set where memcache_security_strategy is %s", s.strategy)
	}
	keys := make([][]byte, 3)
	for i, use := range []string{"name", "proof", "content"} {
		var err error
		if keys[i], err = hkdf.Key(sha256.New, []byte(secret), nil, "magnum token cache "+s.strategy+" "+use, 32); err != nil {
			return nil, fmt.Errorf("[keystone_authtoken] memcache_secret_key: %w", err)
		}
	}
	s.naming, s.proof = keys[0], keys[1]
	if s.strategy == strategyEncrypt {
		block, err := aes.NewCipher(keys[2])
		if err != nil {
			return nil, fmt.Errorf("[keystone_authtoken] memcache_secret_key: %w", err)
		}
		if s.aead, err = cipher.NewGCMWithRandomNonce(block); err != nil {
			return nil, fmt.Errorf("[keystone_authtoken] memcache_secret_key: %w", err)
		}
	}
	return s, nil
}

// name is where a token's entry is. With a secret nobody without it can tell
// which token's.
func (s *entrySealer) name(key tokenKey) string {
	if s.strategy == strategyNone {
		return "magnum/tokens/" + hexKey(key)
	}
	return "magnum/tokens/" + hex.EncodeToString(sum(s.naming, key[:]))
}

func (s *entrySealer) seal(name string, raw []byte, until time.Time) []byte {
	entry := make([]byte, 0, len(raw)+128)
	entry = append(entry, entryHeader...)
	entry = append(entry, s.strategy[0])
	entry = binary.BigEndian.AppendUint64(entry, uint64(until.UnixMilli()))
	switch s.strategy {
	case strategyMAC:
		entry = append(entry, raw...)
		return append(entry, sum(s.proof, []byte(name), entry)...)
	case strategyEncrypt:
		about := append([]byte(name), entry...)
		return s.aead.Seal(entry, nil, raw, about) //nolint:gosec // the nonce is random and made by aead itself
	}
	return append(entry, raw...)
}

var errEntry = errors.New("it is of another format, strategy or secret, or was altered")

func (s *entrySealer) open(name string, entry []byte) (raw []byte, until time.Time, err error) {
	const fixed = len(entryHeader) + 1 + 8
	if len(entry) < fixed || string(entry[:len(entryHeader)]) != entryHeader || entry[len(entryHeader)] != s.strategy[0] {
		return nil, time.Time{}, errEntry
	}
	until = time.UnixMilli(int64(binary.BigEndian.Uint64(entry[fixed-8 : fixed])))
	switch s.strategy {
	case strategyMAC:
		end := len(entry) - sha256.Size
		if end < fixed || !hmac.Equal(entry[end:], sum(s.proof, []byte(name), entry[:end])) {
			return nil, time.Time{}, errEntry
		}
		return entry[fixed:end], until, nil
	case strategyEncrypt:
		about := append([]byte(name), entry[:fixed]...)
		if raw, err = s.aead.Open(nil, nil, entry[fixed:], about); err != nil {
			return nil, time.Time{}, errEntry
		}
		return raw, until, nil
	}
	return entry[fixed:], until, nil
}

// sum is an HMAC over texts none of which can run into the next: names are of
// one length.
func sum(key []byte, texts ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	for _, t := range texts {
		h.Write(t)
	}
	return h.Sum(nil)
}
