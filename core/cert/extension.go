package cert

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"strings"

	"github.com/go-magnum/magnum/core/magnum"
)

// oid of extensions whose content is looked at, in dotted form.
const (
	oidKeyUsage         = "2.5.29.15"
	oidBasicConstraints = "2.5.29.19"
)

// extensionNames are the names that [x509] allowed_extensions may use, which
// also appear in errors.
func extensionNames() map[string]string {
	return map[string]string{
		"2.5.29.9":           "subjectDirectoryAttributes",
		"2.5.29.14":          "subjectKeyIdentifier",
		oidKeyUsage:          "keyUsage",
		"2.5.29.17":          "subjectAltName",
		"2.5.29.18":          "issuerAltName",
		oidBasicConstraints:  "basicConstraints",
		"2.5.29.30":          "nameConstraints",
		"2.5.29.31":          "cRLDistributionPoints",
		"2.5.29.32":          "certificatePolicies",
		"2.5.29.33":          "policyMappings",
		"2.5.29.35":          "authorityKeyIdentifier",
		"2.5.29.36":          "policyConstraints",
		"2.5.29.37":          "extendedKeyUsage",
		"2.5.29.46":          "freshestCRL",
		"2.5.29.54":          "inhibitAnyPolicy",
		"1.3.6.1.5.5.7.1.1":  "authorityInfoAccess",
		"1.3.6.1.5.5.7.1.11": "subjectInfoAccess",
		"1.3.6.1.5.5.7.1.24": "TLSFeature",
	}
}

func extensionSet(allowed []string) map[string]bool {
	byName := map[string]string{}
	for oid, name := range extensionNames() {
		byName[name] = oid
	}
	set := map[string]bool{}
	for _, name := range allowed {
		name = strings.TrimSpace(name)
		if oid, ok := byName[name]; ok {
			name = oid
		}
		set[name] = true
	}
	return set
}

// usageNames are the bits of keyUsage in their order, as [x509]
// allowed_key_usage names them.
var usageNames = [...]string{"Digital Signature", "Non Repudiation", "Key Encipherment", "Data Encipherment",
	"Key Agreement", "Certificate Sign", "CRL Sign", "Encipher Only", "Decipher Only"}

// usageFields are the same bits as Python's cryptography names them.
var usageFields = [...]string{"digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
	"key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"}

const (
	usageCertSign = 5
	usageCRLSign  = 6
)

func usageBits(allowed []string, allowCA bool) int {
	bits := 0
	for _, name := range allowed {
		for i, known := range usageNames {
			if strings.TrimSpace(name) == known && (allowCA || i != usageCertSign && i != usageCRLSign) {
				bits |= 1 << i
			}
		}
	}
	return bits
}

func parseUsage(value []byte) (bits int, err error) {
	var s asn1.BitString
	if rest, err := asn1.Unmarshal(value, &s); err != nil || len(rest) > 0 {
		return 0, fmt.Errorf("read keyUsage: %w", err)
	}
	for i := range usageNames {
		bits |= s.At(i) << i
	}
	return bits, nil
}

// usageString is the DER form of a named bit list: without trailing zeros.
func usageString(bits int) asn1.BitString {
	var s asn1.BitString
	for i := range usageNames {
		if bits>>i&1 == 0 {
			continue
		}
		for len(s.Bytes) <= i/8 {
			s.Bytes = append(s.Bytes, 0)
		}
		s.Bytes[i/8] |= 0x80 >> (i % 8)
		s.BitLength = i + 1
	}
	return s
}

type basicConstraints struct {
	IsCA       bool `asn1:"optional"`
	MaxPathLen int  `asn1:"optional,default:-1"`
}

func extension(oid string, critical bool, value any) (pkix.Extension, error) {
	der, err := asn1.Marshal(value)
	if err != nil {
		return pkix.Extension{}, fmt.Errorf("write extension %s: %w", oid, err)
	}
	id := asn1.ObjectIdentifier{2, 5, 29, 15}
	if oid == oidBasicConstraints {
		id = asn1.ObjectIdentifier{2, 5, 29, 19}
	}
	return pkix.Extension{Id: id, Critical: critical, Value: der}, nil
}

// filter returns what a certificate takes over of a request's extensions. What
// is not allowed is dropped if the request can do without, that is, if it is
// not critical, and refused otherwise.
func (a *Authority) filter(asked []pkix.Extension) ([]pkix.Extension, error) {
	var granted []pkix.Extension
	for _, e := range asked {
		oid := e.Id.String()
		if !a.extensions[oid] {
			if e.Critical {
				return nil, notAllowed(e, unrecognized(e))
			}
			continue
		}
		var err error
		switch oid {
		case oidKeyUsage:
			e, err = a.limitUsage(e)
		case oidBasicConstraints:
			e, err = a.limitConstraints(e)
		}
		if err != nil {
			return nil, err
		}
		granted = append(granted, e)
	}
	return granted, nil
}

func (a *Authority) limitUsage(e pkix.Extension) (pkix.Extension, error) {
	bits, err := parseUsage(e.Value)
	if err != nil {
		return e, notAllowed(e, unrecognized(e))
	}
	granted := bits & a.usages
	if granted == bits {
		return e, nil
	}
	if e.Critical {
		return e, notAllowed(e, pythonUsage(bits))
	}
	// Even where no bit is left: without the extension all would be granted.
	return extension(oidKeyUsage, false, usageString(granted))
}

func (a *Authority) limitConstraints(e pkix.Extension) (pkix.Extension, error) {
	asked := basicConstraints{MaxPathLen: -1}
	if rest, err := asn1.Unmarshal(e.Value, &asked); err != nil || len(rest) > 0 {
		return e, notAllowed(e, unrecognized(e))
	}
	if !asked.IsCA || a.config.AllowCA {
		return e, nil
	}
	if e.Critical {
		return e, notAllowed(e, pythonConstraints(asked))
	}
	return extension(oidBasicConstraints, false, basicConstraints{MaxPathLen: -1})
}

func notAllowed(e pkix.Extension, value string) error {
	return magnum.Errorf(magnum.Invalid, "Extension '%s' not allowed", pythonExtension(e, value))
}
