package api

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPythonWords(t *testing.T) {
	for sent, want := range map[string]string{
		`null`: "None", `true`: "True", `false`: "False", `1`: "1", `-0`: "-0", `1.0`: "1.0", `1.50`: "1.5", `1e3`: "1000.0", `1e16`: "1e+16", `0.0001`: "0.0001", `0.00001`: "1e-05",
		`1e999`: "inf", `"a"`: "a", `["a", 1, null]`: "['a', 1, None]", `{"b": 1, "a": "it's", "b": 2}`: `{'b': 2, 'a': "it's"}`,
		`["'\"", "\\", "\n\t\r\u0001", "ä", "\ud83d\ude00", "\u200b"]`: `['\'"', '\\', '\n\t\r\x01', 'ä', '😀', '\u200b']`,
	} {
		v, err := parseJSON([]byte(sent))
		if err != nil {
			t.Errorf("%s: %v", sent, err)
			continue
		}
		if got := v.str(); got != want {
			t.Errorf("%s prints as %s, want %s", sent, got, want)
		}
	}
}

func TestLiterals(t *testing.T) {
	for text, want := range map[string]string{
		`{}`: "{}", `{'a': 'b'}`: "{'a': 'b'}", ` { "a" : True , 'b': None, 'c': -1.5, } `: "{'a': True, 'b': None, 'c': -1.5}",
		`{"a": true}`: "{'a': True}", `[1, (2, 3), [],]`: "[1, [2, 3], []]", `{1: 2}`: "{'1': 2}",
		`'\x41\u00e4\U0001F600\n\q\''`: "Aä😀\n\\q'", `"x"`: "x", `{'a': 1, 'a': 2}`: "{'a': 2}",
	} {
		v, err := parseLiteral(text)
		if err != nil || v.str() != want {
			t.Errorf("%s is %s (%v), want %s", text, v.str(), err, want)
		}
	}
	for _, text := range []string{
		"", "a", "{", "{'a'}", "{'a': }", "{'a': 1 'b': 2}", "{[]: 1}", "{,}", "'a", "'\\", "'\\x4'", "'\\ud800'", "[1 2]", "{} {}", "1 + 1", "os.exit()", "nan", "inf", "0x10",
		"'a\nb'", strings.Repeat("[", 1000), strings.Repeat("{'a':", 1000),
	} {
		if v, err := parseLiteral(text); err == nil {
			t.Errorf("%.40q is taken for %s", text, v.str())
		}
	}
}

func TestEncoder(t *testing.T) {
	for _, s := range []string{"", "plain", "a\"b\\c", "\x00\x1f\n\r\t", "ä€😀", "<>&\u2028", "bad\xffbytes\xc3"} {
		var got string
		if err := json.Unmarshal(appendString(nil, s), &got); err != nil {
			t.Errorf("%q: %v", s, err)
		}
		if want := strings.ToValidUTF8(s, "\ufffd"); got != want {
			t.Errorf("%q comes back as %q", s, got)
		}
	}
	var e encoder
	e.open('{')
	e.time("a", time.Date(2026, 1, 2, 3, 4, 5, 678, time.FixedZone("", 3600)))
	e.time("b", time.Time{})
	e.stringMap("c", map[string]string{"y": "2", "x": "1"})
	e.texts("d", []string{"q", "r"})
	e.close('}')
	want := `{"a": "2026-01-02T02:04:05+00:00", "b": null, "c": {"x": "1", "y": "2"}, "d": ["q", "r"]}`
	if diff := cmp.Diff(want, string(e.b)); diff != "" {
		t.Error(diff)
	}
}

func TestIntegers(t *testing.T) {
	for sent, want := range map[string]int{`"2"`: 2, `" 2 "`: 2, `1.9`: 1, `-1.9`: -1, `true`: 1, `false`: 0, `1e3`: 1000, `99999999999999999999`: 1<<63 - 1, `1e300`: 1<<63 - 1} {
		v, err := parseJSON([]byte(sent))
		if err != nil {
			t.Fatal(err)
		}
		if n, ok := v.integer(); !ok || n != want {
			t.Errorf("%s is %d %v, want %d", sent, n, ok, want)
		}
	}
	for _, sent := range []string{`"x"`, `"1.5"`, `""`, `[]`, `{}`, `null`} {
		v, err := parseJSON([]byte(sent))
		if err != nil {
			t.Fatal(err)
		}
		if n, ok := v.integer(); ok {
			t.Errorf("%s is %d", sent, n)
		}
	}
}
