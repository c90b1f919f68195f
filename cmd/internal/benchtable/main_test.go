package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	m, err := read(strings.NewReader(`goos: linux
BenchmarkShow-2      	      20	        20.00 bare-p99-ms	     10000 bare-req/s	 30.00 p99-ms	 1.500 p99-ratio	 0.5000 rate-ratio	 5000 req/s
BenchmarkList/100-2   	     400	   2700000 ns/op	   2.700 ms	  5000 B/op
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
