package conductor

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

// towns are a farm whose clusters have an API with a certificate: each
// operation asks for one, as its first event, until it has it.
type towns struct {
	*farm
	csr     string
	always  bool                // also where there is no authority
	lose    int                 // so many answers
	states  []string            // with which answers came
	answers map[string][]string // by operation
}

func newTowns(t testing.TB, f *farm, names ...string) *towns {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{DNSNames: names}, key)
	if err != nil {
		t.Fatal(err)
	}
	return &towns{farm: f, csr: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})), answers: map[string][]string{}}
}

func (w *towns) Resume(ctx context.Context, r driver.ResumeRequest) (driver.ResumeResponse, error) {
	w.mu.Lock()
	if r.Certificate != "" {
		w.states = append(w.states, string(r.State))
		if w.lose > 0 {
			w.lose--
			w.mu.Unlock()
			return driver.ResumeResponse{}, driver.Errorf(driver.ClassRestarted, "the process is gone")
		}
		w.answers[r.Begin.OperationID] = append(w.answers[r.Begin.OperationID], r.Certificate)
	}
	w.mu.Unlock()
	return w.farm.Resume(ctx, r)
}

func (w *towns) Watch(ctx context.Context, r driver.WatchRequest, send func(driver.Event) error) error {
	w.mu.Lock()
	asks := r.FromSeq <= 1 && len(w.answers[r.OperationID]) == 0 && (w.always || w.requests[r.OperationID].CACert != "")
	w.mu.Unlock()
	if !asks {
		return w.farm.Watch(ctx, r, send)
	}
	if err := send(driver.Event{Seq: 1, Message: "the API waits", State: []byte("half"), CertificateRequest: w.csr}); err != nil {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}

// signed checks that an operation's only answer is of the authority that its
// request has, and of the one that users are told of.
func (w *towns) signed(b *bench, uuid, operation string) {
	b.Helper()
	if len(w.answers[operation]) != 1 {
		b.Fatalf("%d certificates for operation %s", len(w.answers[operation]), operation)
	}
	shown, err := b.conductor().Cert.CA(b.Context(), b.cluster(uuid), "")
	b.must(err)
	if got := w.requests[operation].CACert; got != shown {
		b.Errorf("the request has the authority %q, and users %q", got, shown)
	}
	block, _ := pem.Decode([]byte(w.answers[operation][0]))
	certificate, err := x509.ParseCertificate(block.Bytes)
	b.must(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(shown))
	if _, err := certificate.Verify(x509.VerifyOptions{Roots: roots, DNSName: "api.example", CurrentTime: b.clock.Now()}); err != nil {
		b.Error(err)
	}
}

func (w *towns) operation(intent driver.Intent) string {
	for id, r := range w.requests {
		if r.Intent == intent {
			return id
		}
	}
	return ""
}

// The driver gets its certificates, one for each that it asks for, also where
// the answer is lost on its way, and from the new authority after a rotation.
func TestCertificatesForDrivers(t *testing.T) {
	for lose := range 3 {
		t.Run(fmt.Sprintf("%d answers are lost", lose), func(t *testing.T) {
			b, f := withoutHeat(t)
			w := newTowns(t, f, "api.example")
			w.lose = lose
			b.driver.lifecycle = w
			c := b.conductor()
			uuid := b.stackless()
			b.over(uuid, c)
			b.want(uuid, magnum.CreateComplete, 4, f)
			first := w.operation(driver.IntentCreate)
			w.signed(b, uuid, first)
			if want := slices.Repeat([]string{"half"}, lose+1); !slices.Equal(w.states, want) {
				t.Errorf("answers came with the states %q, want %q", w.states, want)
			}
			if !strings.Contains(b.log.String(), "a server of the cluster gets a certificate") {
				t.Error("the log does not have it")
			}
			b.rotateCA(uuid)
			b.over(uuid, c)
			b.want(uuid, magnum.UpdateComplete, 4, f)
			second := w.operation(driver.IntentRotateCA)
			w.signed(b, uuid, second)
			if w.requests[first].CACert == w.requests[second].CACert {
				t.Error("the rotation has the former authority")
			}
			b.delete(uuid)
			b.over(uuid, c)
			b.nothingLeft(uuid)
		})
	}
}

// A conductor that dies between the question and the answer has signed for
// nothing: the next one hears the question again.
func TestCertificateSurvivesCrash(t *testing.T) {
	b, f := withoutHeat(t)
	w := newTowns(t, f, "api.example")
	b.driver.lifecycle = w
	w.lose, f.hold = 1, true // the answer does not get there
	dead := b.conductor()
	uuid := b.stackless()
	turn(t.Context(), dead)
	dead.streams.Wait()
	own, err := b.db.DriverOperations(t.Context(), uuid)
	if err != nil || len(own) != 1 || own[0].Seq != 0 {
		t.Fatalf("saved %+v, %v", own, err)
	}
	c := b.conductor()
	b.until("the answer gets there", func() bool { return strings.Contains(b.cluster(uuid).StatusReason, "the API waits") }, c)
	own, err = b.db.DriverOperations(t.Context(), uuid)
	if err != nil || len(own) != 1 || own[0].Seq != 1 || string(own[0].State) != "half" {
		t.Fatalf("saved %+v, %v", own, err)
	}
	f.release()
	b.over(uuid, c)
	b.want(uuid, magnum.CreateComplete, 4, f)
	w.signed(b, uuid, w.operation(driver.IntentCreate))
}

func TestCertificatesThatDriversCannotHave(t *testing.T) {
	for name, tt := range map[string]struct {
		prepare func(b *bench, w *towns)
		why     string
	}{
		"no names":      {func(b *bench, w *towns) { w.csr = newTowns(b.TB, w.farm).csr }, "has 0 names and addresses"},
		"rubbish":       {func(_ *bench, w *towns) { w.csr = "no" }, "Received invalid csr"},
		"no encryption": {func(b *bench, w *towns) { b.template, w.always = b.plain(), true }, "has no authority"},
	} {
		t.Run(name, func(t *testing.T) {
			b, f := withoutHeat(t)
			w := newTowns(t, f, "api.example")
			b.driver.lifecycle = w
			tt.prepare(b, w)
			uuid := b.stackless()
			b.over(uuid, b.conductor())
			got := b.cluster(uuid)
			if got.Status != magnum.CreateFailed || got.StatusReason != "Driver fake asks for a certificate that it cannot have." {
				t.Errorf("%s %q", got.Status, got.StatusReason)
			}
			if len(w.answers) != 0 || !slices.Equal(f.begun, []string{"create", "cancelled"}) {
				t.Errorf("answers %v, begun %v", w.answers, f.begun)
			}
			if !strings.Contains(b.log.String(), tt.why) {
				t.Errorf("the log does not say why: %s", b.log)
			}
		})
	}
}

// plain is a template without TLS.
func (b *bench) plain() *magnum.ClusterTemplate {
	b.Helper()
	t := *b.template
	t.UUID, t.Name, t.TLSDisabled = "", "plain", true
	b.must(b.db.CreateTemplate(b.Context(), &t))
	return &t
}

func TestNoAuthorityWithoutTLS(t *testing.T) {
	b, f := withoutHeat(t)
	c := b.conductor()
	b.template = b.plain()
	uuid := b.stackless()
	b.over(uuid, c)
	b.want(uuid, magnum.CreateComplete, 4, f)
	for _, r := range f.requests {
		if r.CACert != "" {
			t.Errorf("the request has %q", r.CACert)
		}
	}
}
