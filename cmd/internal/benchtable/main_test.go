package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	m, err := read(strings.NewReader(`goos: linux
BenchmarkShow/magnum-2   	   10000	    180000 ns/op	      5000 req/s	 30.0 p99-ms
BenchmarkShow/bare-2     	   10000	    110000 ns/op	     10000 req/s	 20.0 p99-ms
BenchmarkList//v1/clusters-2   	     400	   2700000 ns/op
PASS
`))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	missing, err := show(&out, m)
	if err != nil {
		t.Fatal(err)
	}
	if want := len(figures) - 4; missing != want {
		t.Errorf("%d figures are missing, want %d", missing, want)
	}
	for _, want := range []string{"0.50 x", "≥ 0.6 x", "MISSED", "1.50 x", "2.70 ms", "≤ 10 ms", "met", "not measured"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, out.String())
		}
	}
}
