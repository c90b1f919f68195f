package keystone

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
)

// SealKey derives the key under which tokens wait in the database. API and
// conductor share the service's password, so nothing else must be handed out.
// Where the derivation is refused (FIPS 140 mode and a short password) the key
// is nil, and Seal and Open say so.
func SealKey(servicePassword string) []byte {
	key, err := hkdf.Key(sha256.New, []byte(servicePassword), nil, "magnum operation token", 32)
	if err != nil {
		return nil
	}
	return key
}

// Seal encrypts a token.
func Seal(key []byte, token string) ([]byte, error) {
	aead, err := sealer(key)
	if err != nil {
		return nil, err
	}
	//nolint:gosec // the nonce is random and made by aead itself
	return aead.Seal(nil, nil, []byte(token), nil), nil
}

// Open decrypts what Seal made.
func Open(key, sealed []byte) (string, error) {
	aead, err := sealer(key)
	if err != nil {
		return "", err
	}
	token, err := aead.Open(nil, nil, sealed, nil)
	if err != nil {
		return "", errors.New("the sealed token does not open: the service's password has changed since, or the row was altered")
	}
	return string(token), nil
}

func sealer(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("sealing key: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("sealing key: %w", err)
	}
	return aead, nil
}
