package drivertest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	pb "github.com/go-magnum/magnum/sdk/driverpb"
)

// authority is that of the suite's clusters.
type authority struct {
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate
}

func newAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the key of an authority: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "conform"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a := &authority{key: key, certificate: template}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err == nil {
		a.certificate, err = x509.ParseCertificate(der)
	}
	return a, err
}

func (a *authority) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw}))
}

// sign answers a request as the core does: with a certificate for servers.
func (a *authority) sign(csr string) (string, error) {
	block, rest := pem.Decode([]byte(csr))
	if block == nil || strings.TrimSpace(string(rest)) != "" {
		return "", errors.New("the certificate request is not one block of PEM")
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err == nil {
		err = request.CheckSignature()
	}
	switch {
	case err != nil:
		return "", fmt.Errorf("the certificate request cannot be read: %w", err)
	case len(request.DNSNames)+len(request.IPAddresses) == 0:
		return "", errors.New("the certificate request has no name and no address")
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: request.Subject.CommonName},
		NotBefore: a.certificate.NotBefore, NotAfter: a.certificate.NotAfter, BasicConstraintsValid: true,
		DNSNames: request.DNSNames, IPAddresses: request.IPAddresses, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, a.certificate, request.PublicKey, a.key)
	if err != nil {
		return "", fmt.Errorf("the certificate request cannot be signed: %w", err)
	}
	return strings.TrimSpace(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))), nil
}

// certify gives a driver what it has asked for.
func certify(ctx context.Context, client pb.LifecycleClient, o *operation, e *pb.Event, certificate string) error {
	state := o.made.GetState()
	if e.State != nil {
		state = e.State
	}
	now, err := client.Resume(ctx, &pb.ResumeRequest{Begin: o.begin, Handle: o.made.GetHandle(), State: state, Certificate: certificate})
	if err != nil {
		return fmt.Errorf("it does not take the certificate that it asked for: %s", said(err))
	}
	o.made = &pb.BeginResponse{Handle: now.GetHandle(), State: now.GetState()}
	return nil
}

// asksUnheard watches from a number on until the driver asks, and leaves it
// without an answer.
func (s *session) asksUnheard(ctx context.Context, client pb.LifecycleClient, o *operation, from int64) (*pb.Event, error) {
	all, err := s.watch(ctx, client, o, from, func(all []*pb.Event) bool { return all[len(all)-1].GetCertificateRequest() != "" })
	if err != nil {
		return nil, err
	}
	for _, e := range all {
		if text, err := proto.Marshal(e); err != nil || strings.Contains(string(text), "PRIVATE KEY") {
			return nil, fmt.Errorf("event %d has a private key", e.GetSeq())
		}
	}
	if e := all[len(all)-1]; e.GetCertificateRequest() != "" {
		return e, nil
	}
	return nil, nil
}

func checkCertificate(ctx context.Context, s *session) error {
	client, err := s.lifecycle(ctx)
	if err != nil {
		return err
	}
	o, err := s.begin(ctx, client)
	if err != nil {
		return err
	}
	defer func() { _ = s.remove(ctx, client, o) }()
	e, err := s.asksUnheard(ctx, client, o, 1)
	switch {
	case err != nil:
		return err
	case e == nil:
		return skip("the driver asks for no certificate")
	case e.GetDone():
		return errors.New("the event that asks for a certificate is done")
	}
	certificate, err := s.authority.sign(e.GetCertificateRequest())
	if err != nil {
		return err
	}
	again, err := s.asksUnheard(ctx, client, o, e.GetSeq())
	if err != nil {
		return err
	}
	if again == nil {
		return errors.New("it has no answer, and does not ask again")
	}
	for range 2 {
		if err := certify(ctx, client, o, again, certificate); err != nil {
			return err
		}
	}
	all, err := s.watch(ctx, client, o, again.GetSeq()+1, nil)
	if err != nil {
		return fmt.Errorf("with the certificate: %w", err)
	}
	if last := all[len(all)-1]; last.GetFailed() {
		return fmt.Errorf("with the certificate it fails: %.300q", last.GetMessage())
	}
	return s.asksNobody(ctx, client)
}

// asksNobody makes a cluster without an authority.
func (s *session) asksNobody(ctx context.Context, client pb.LifecycleClient) error {
	had := s.authority
	s.authority = nil
	defer func() { s.authority = had }()
	o, err := s.begin(ctx, client)
	if err != nil {
		return err
	}
	defer func() { _ = s.remove(ctx, client, o) }()
	e, err := s.asksUnheard(ctx, client, o, 1)
	if e != nil {
		return errors.New("without an authority it asks for a certificate")
	}
	return err
}
