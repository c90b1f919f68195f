package apitest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// Hold returns a handler that answers as the next one does, and reports every
// exchange that is not as the document has it.
func (d *Document) Hold(next http.Handler, report func(error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &Exchange{Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Header: r.Header.Clone()}
		var sent bytes.Buffer
		if r.Body != nil && r.Body != http.NoBody {
			// What nobody reads is not looked at, so that a body without an
			// end stays one.
			r.Body = tee{io.TeeReader(r.Body, &sent), r.Body}
		}
		heard := &listener{ResponseWriter: w}
		next.ServeHTTP(heard, r)
		x.Body, x.Status, x.AnswerHeader, x.Answer = sent.Bytes(), heard.status, w.Header(), heard.body.Bytes()
		if err := d.Check(x); err != nil {
			report(err)
		}
	})
}

// Watch returns a transport that carries requests as the next one does, and
// reports every exchange with a host that is not as the document has it.
func (d *Document) Watch(next http.RoundTripper, host string, report func(error)) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.URL.Host != host {
			return next.RoundTrip(r)
		}
		var sent bytes.Buffer
		if r.Body != nil {
			r = r.Clone(r.Context())
			r.Body = tee{io.TeeReader(r.Body, &sent), r.Body}
		}
		resp, err := next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		answer, err := io.ReadAll(resp.Body)
		if err := errors.Join(err, resp.Body.Close()); err != nil {
			return nil, fmt.Errorf("read the answer: %w", err)
		}
		resp.Body = io.NopCloser(bytes.NewReader(answer))
		if err := d.Check(&Exchange{
			Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Header: r.Header, Body: sent.Bytes(),
			Status: resp.StatusCode, AnswerHeader: resp.Header, Answer: answer,
		}); err != nil {
			report(err)
		}
		return resp, nil
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

type tee struct {
	io.Reader
	io.Closer
}

// listener remembers an answer.
type listener struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (l *listener) WriteHeader(status int) {
	if l.status == 0 {
		l.status = status
	}
	l.ResponseWriter.WriteHeader(status)
}

func (l *listener) Write(b []byte) (int, error) {
	if l.status == 0 {
		l.status = http.StatusOK
	}
	l.body.Write(b)
	return l.ResponseWriter.Write(b)
}
