package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"sync"
	"time"

	"github.com/go-magnum/magnum/sdk/driver"
)

// takes is how long an operation goes on.
const takes = 500 * time.Millisecond

// runs are operations that do nothing but take their time. What another process
// has to know of one is in its state.
type runs struct {
	rule string

	mu        sync.Mutex
	pending   map[string]errand // by cluster
	cancelled map[string]bool
}

type errand struct {
	ID, Cluster string
	Until       time.Time
	// Waits is that its API has no certificate yet.
	Waits bool
}

func (r *runs) Begin(_ context.Context, req driver.BeginRequest) (driver.BeginResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now, there := r.pending[req.Cluster.UUID]
	switch {
	case there && now.ID == req.OperationID:
	case there && !r.cancelled[now.ID] && time.Now().Before(now.Until) && r.rule != "DRV-070":
		return driver.BeginResponse{}, driver.Errorf(driver.ClassConflict, "busy")
	default:
		now = errand{ID: req.OperationID, Cluster: req.Cluster.UUID, Until: time.Now().Add(takes).Round(0), Waits: req.CACert != ""}
		r.keep(now)
	}
	state, err := json.Marshal(now)
	return driver.BeginResponse{Handle: now.Cluster, State: state}, err
}

func (r *runs) keep(one errand) {
	if r.pending == nil {
		r.pending, r.cancelled = map[string]errand{}, map[string]bool{}
	}
	r.pending[one.Cluster] = one
}

func (r *runs) Resume(_ context.Context, req driver.ResumeRequest) (driver.ResumeResponse, error) {
	var one errand
	if err := json.Unmarshal(req.State, &one); err != nil {
		return driver.ResumeResponse{}, driver.Errorf(driver.ClassInvalidInput, "the state cannot be read: %v", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, there := r.pending[one.Cluster]; !there && r.rule == "DRV-072" {
		return driver.ResumeResponse{}, driver.Errorf(driver.ClassNotFound, "never heard of it")
	}
	one.Waits = one.Waits && req.Certificate == ""
	r.keep(one)
	state, err := json.Marshal(one)
	return driver.ResumeResponse{Handle: req.Handle, State: state}, err
}

// The numbers of the events.
const (
	seqWait = 1
	seqAsk  = 2
	seqDone = 4
)

// request is made anew for each process: no server will have its certificate.
var request = sync.OnceValues(func() (string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{DNSNames: []string{"api"}}, key)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})), err
})

func (r *runs) Watch(ctx context.Context, req driver.WatchRequest, send func(driver.Event) error) error {
	var one errand
	if err := json.Unmarshal(req.State, &one); err != nil {
		return driver.Errorf(driver.ClassInvalidInput, "the state cannot be read: %v", err)
	}
	if r.rule == "DRV-071" && req.FromSeq == seqDone {
		return nil
	}
	if req.FromSeq <= seqWait {
		if err := send(driver.Event{Seq: seqWait, Phase: "wait", Percent: 50}); err != nil {
			return err
		}
	}
	if one.Waits && req.FromSeq <= seqAsk {
		csr, err := request()
		if r.rule == "DRV-074" {
			csr = "whatever"
		}
		if err == nil {
			err = send(driver.Event{Seq: seqAsk, Phase: "certificate", CertificateRequest: csr})
		}
		if err != nil {
			return err
		}
	}
	if r.rule == "DRV-074" {
		one.Waits = false
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		r.mu.Lock()
		stopped := r.cancelled[one.ID]
		r.mu.Unlock()
		if stopped || !one.Waits && !time.Now().Before(one.Until) {
			return send(driver.Event{Seq: seqDone, Done: true, Failed: stopped})
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (r *runs) Cancel(_ context.Context, req driver.CancelRequest) (driver.CancelResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range r.pending {
		if one.ID == req.OperationID {
			r.cancelled[one.ID] = true
			return driver.CancelResponse{Cancelled: true}, nil
		}
	}
	if r.rule == "DRV-073" {
		return driver.CancelResponse{}, driver.Errorf(driver.ClassBug, "as told")
	}
	return driver.CancelResponse{}, driver.Errorf(driver.ClassNotFound, "never heard of it")
}
