package serve

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"strconv"
	"time"
)

const (
	// EnvKeys names the environment variable with the number of the file
	// descriptor from which a driver reads its [Keys] as JSON, up to the end
	// of the file. The keys themselves are never in the environment, which
	// others can read.
	EnvKeys = "MAGNUM_DRIVER_KEYS_FD"

	serverName = "magnum-driver"
	// keysLimit is far more than keys take.
	keysLimit = 1 << 20
	// keysValidity covers any clock and outlives any process: the pair dies
	// with the process it was made for.
	keysValidity = 10 * 365 * 24 * time.Hour
)

// Keys is what one side of a connection needs: its own certificate and key,
// and the one certificate it trusts. All are PEM.
type Keys struct {
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
	Peer        string `json:"peer"`
}

// NewKeys makes the keys of the two sides of one driver process. They are
// P-256: with go-plugin's automatic P-521 ones a start takes five times as
// long.
func NewKeys(now time.Time) (host, process Keys, err error) {
	host.Certificate, host.Key, err = selfSigned(now, "magnum-core")
	if err != nil {
		return host, process, err
	}
	process.Certificate, process.Key, err = selfSigned(now, serverName)
	if err != nil {
		return host, process, err
	}
	host.Peer, process.Peer = process.Certificate, host.Certificate
	return host, process, nil
}

func selfSigned(now time.Time, name string) (certificate, key string, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", fmt.Errorf("make a key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: name},
		DNSNames:              []string{name},
		NotBefore:             now.Add(-24 * time.Hour),
		NotAfter:              now.Add(keysValidity),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return "", "", fmt.Errorf("make a certificate: %w", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", "", fmt.Errorf("encode a key: %w", err)
	}
	return encodePEM("CERTIFICATE", der), encodePEM("PRIVATE KEY", secret), nil
}

func encodePEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// ServerConfig is the driver's side of the connection.
func (k Keys) ServerConfig() (*tls.Config, error) {
	config, peer, err := k.config()
	if err != nil {
		return nil, err
	}
	config.ClientAuth = tls.RequireAndVerifyClientCert
	config.ClientCAs = peer
	config.SessionTicketsDisabled = true
	return config, nil
}

// ClientConfig is the host's side of the connection.
func (k Keys) ClientConfig() (*tls.Config, error) {
	config, peer, err := k.config()
	if err != nil {
		return nil, err
	}
	config.RootCAs = peer
	config.ServerName = serverName
	return config, nil
}

func (k Keys) config() (*tls.Config, *x509.CertPool, error) {
	own, err := tls.X509KeyPair([]byte(k.Certificate), []byte(k.Key))
	if err != nil {
		return nil, nil, fmt.Errorf("read the connection's key pair: %w", err)
	}
	peer := x509.NewCertPool()
	if !peer.AppendCertsFromPEM([]byte(k.Peer)) {
		return nil, nil, errors.New("read the connection's peer certificate: there is none")
	}
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{own},
		// The second is the only one of gRPC's implementation in C, which serves
		// for Python, Ruby and others. It costs them one more round trip.
		CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP256},
	}, peer, nil
}

// inheritedKeys reads the keys from the pipe that the host left open.
func inheritedKeys() (Keys, error) {
	number := os.Getenv(EnvKeys)
	if number == "" {
		return Keys{}, fmt.Errorf("%s is not set: the host gave no keys for the connection", EnvKeys)
	}
	fd, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		return Keys{}, fmt.Errorf("%s=%q is not the number of a file descriptor", EnvKeys, number)
	}
	pipe := os.NewFile(uintptr(fd), "keys")
	defer func() { _ = pipe.Close() }()
	return readKeys(pipe, fmt.Sprintf("file descriptor %d", fd))
}

// ReadKeys reads keys from a file, as JSON. One that others than its owner may
// read is refused.
func ReadKeys(path string) (Keys, error) {
	file, err := os.Open(path) //nolint:gosec // the path is for who starts the driver to choose
	if err != nil {
		return Keys{}, fmt.Errorf("read the connection's keys: %w", err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return Keys{}, fmt.Errorf("read the connection's keys: %w", err)
	}
	if mode := info.Mode(); mode.Perm()&0o077 != 0 {
		return Keys{}, fmt.Errorf("%s has mode %s: others may use the keys of the connection; chmod go= it", path, mode)
	}
	return readKeys(file, path)
}

func readKeys(from io.Reader, name string) (Keys, error) {
	text, err := io.ReadAll(io.LimitReader(from, keysLimit))
	if err != nil {
		return Keys{}, fmt.Errorf("read the connection's keys from %s: %w", name, err)
	}
	var keys Keys
	if err := json.Unmarshal(text, &keys); err != nil {
		return Keys{}, fmt.Errorf("read the connection's keys from %s: not the JSON expected", name)
	}
	return keys, nil
}
