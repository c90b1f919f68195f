package cert

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base32"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/youmark/pkcs8"
)

// passphraseBytes make 24 letters.
const passphraseBytes = 15

func (a *Authority) passphrase() (string, error) {
	b := make([]byte, passphraseBytes)
	if _, err := io.ReadFull(a.config.Rand, b); err != nil {
		return "", fmt.Errorf("make a passphrase: %w", err)
	}
	return base32.StdEncoding.EncodeToString(b), nil
}

// encryption of stored keys: what OpenSSL and Python's cryptography write by
// default. The rounds are few since the passphrase is not guessable.
func encryption() *pkcs8.Opts {
	return &pkcs8.Opts{
		Cipher:  pkcs8.AES256CBC,
		KDFOpts: pkcs8.PBKDF2Opts{SaltSize: 16, IterationCount: 2048, HMACHash: sha256Hash},
	}
}

func encryptKey(key *rsa.PrivateKey, passphrase string) (string, error) {
	der, err := pkcs8.MarshalPrivateKey(key, []byte(passphrase), encryption())
	if err != nil {
		return "", errors.New("encrypt a private key") // the cause could hold some of it
	}
	return trimmedPEM("ENCRYPTED PRIVATE KEY", der), nil
}

// decryptKey reads a stored key, also one that upstream has written.
func decryptKey(text, passphrase string) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("the stored private key is not PEM")
	}
	key, _, err := pkcs8.ParsePrivateKey(block.Bytes, []byte(passphrase))
	if err != nil {
		return nil, errors.New("the stored private key cannot be decrypted")
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("the stored private key is %T, not RSA", key)
	}
	return private, nil
}

func publicPEM(key *rsa.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "", fmt.Errorf("write a public key: %w", err)
	}
	return trimmedPEM("PUBLIC KEY", der), nil
}

func certificatePEM(der []byte) string { return trimmedPEM("CERTIFICATE", der) }

// trimmedPEM is PEM as upstream keeps and shows it: without the last newline.
func trimmedPEM(kind string, der []byte) string {
	return strings.TrimSuffix(string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})), "\n")
}

// oneBlock decodes the first PEM block of some kinds.
func oneBlock(text []byte, kinds ...string) ([]byte, bool) {
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			return nil, false
		}
		for _, kind := range kinds {
			if block.Type == kind {
				return block.Bytes, true
			}
		}
		text = bytes.TrimSpace(rest)
	}
}
