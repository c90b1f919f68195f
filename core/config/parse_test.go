package config

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	tests := map[string]struct {
		text string
		want []entry
	}{
		"equals and colon": {
			"[api]\nport = 1\nhost: ::1\nurl=http://a=b\n",
			[]entry{{"f", 2, "api", "port", "1"}, {"f", 3, "api", "host", "::1"}, {"f", 4, "api", "url", "http://a=b"}},
		},
		"the first of both separates": {
			"[a]\nx = http://h:1/\ny: a=b\n",
			[]entry{{"f", 2, "a", "x", "http://h:1/"}, {"f", 3, "a", "y", "a=b"}},
		},
		"continuation": {
			"[a]\nx = one,\n  two,\n\tthree\ny = 1\n",
			[]entry{{"f", 2, "a", "x", "one,\ntwo,\nthree"}, {"f", 5, "a", "y", "1"}},
		},
		"comments and blank lines": {
			"# top\n; also\n[a]\n\n# x = 1\nx = 2 # not a comment\n",
			[]entry{{"f", 6, "a", "x", "2 # not a comment"}},
		},
		"quotes go, one pair": {
			"[a]\nx = \"  two  \"\ny = 'it''s'\nz = \"open\nw = \"\n",
			[]entry{{"f", 2, "a", "x", "  two  "}, {"f", 3, "a", "y", "it''s"}, {"f", 4, "a", "z", `"open`}, {"f", 5, "a", "w", ""}},
		},
		"repeated and reopened": {
			"[a]\nx=1\n[b]\ny=2\n[A]\nx=3\n",
			[]entry{{"f", 2, "a", "x", "1"}, {"f", 4, "b", "y", "2"}, {"f", 6, "a", "x", "3"}},
		},
		"carriage returns, byte order mark, dashes": {
			"\ufeff[default]\r\nauth-url = u\r\n",
			[]entry{{"f", 2, "DEFAULT", "auth_url", "u"}},
		},
		"empty value": {"[a]\nx =\n", []entry{{"f", 2, "a", "x", ""}}},
		"nothing":     {"", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parse("f", test.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(entry{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	tests := map[string]struct {
		text string
		line int
		says string
	}{
		"no separator":         {"[a]\nx\n", 2, "expected `option = value`"},
		"no name":              {"[a]\n= 1\n", 2, "expected the name of an option before ="},
		"outside a section":    {"x = 1\n", 1, "option x stands before any section"},
		"open header":          {"[a\n", 1, "ends with ]"},
		"header without name":  {"[]\n", 1, "expected a name in the section header"},
		"indented out of hand": {"[a]\n\n  x = 1\n", 3, "an indented line continues the value above it"},
		"comment ends a value": {"[a]\nx = 1\n# c\n  2\n", 4, "an indented line continues the value above it"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := parse("some.conf", test.text)
			var found *Error
			if !errors.As(err, &found) {
				t.Fatalf("got %v", err)
			}
			if found.File != "some.conf" || found.Line != test.line || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %q, want line %d and %q", err, test.line, test.says)
			}
		})
	}
}

func TestSplitList(t *testing.T) {
	tests := map[string]struct {
		text string
		want []string
	}{
		"plain":         {"a, b ,c", []string{"a", "b", "c"}},
		"lines":         {"a,\nb,\nc", []string{"a", "b", "c"}},
		"empty items":   {",a,,b,", []string{"a", "b"}},
		"quoted":        {`"a, b", 'c,d' ,e`, []string{"a, b", "c,d", "e"}},
		"inner blanks":  {"Digital Signature, Non Repudiation", []string{"Digital Signature", "Non Repudiation"}},
		"empty":         {"  ", nil},
		"quoted at end": {`a,"b"`, []string{"a", "b"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := splitList(test.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, bad := range []string{`"a, b`, `"a" b, c`} {
		if got, err := splitList(bad); err == nil {
			t.Errorf("%s gave %q", bad, got)
		}
	}
}

// FuzzParse holds that no text breaks the parser, that positions are of this
// text, and that what is understood can be written down and read again.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		sample, "[a]\nx=1\n y\n", "[DEFAULT]\nx: \"y\"\n", "[a]\n\n =", "\ufeff[", "[a]\nx=$y\ny=$x\n", "[a]\r\nx=\x00\r\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Count(text, "\n") + 1
		entries, err := parse("f", text)
		if err != nil {
			var found *Error
			if !errors.As(err, &found) || found.Line < 1 || found.Line > lines {
				t.Fatalf("error without a place in the text: %v", err)
			}
			return
		}
		for _, e := range entries {
			if e.section == "" || e.option == "" || e.line < 1 || e.line > lines {
				t.Fatalf("entry without a place: %+v", e)
			}
			if strings.ContainsAny(e.value+e.option+e.section, "\r\n\v\f") || e.section != normalSection(strings.TrimSpace(e.section)) {
				continue // several lines do not fit on one
			}
			again, err := parse("f", "["+e.section+"]\n"+e.option+" = \""+e.value+"\"\n")
			if err != nil || len(again) != 1 || again[0].value != e.value {
				t.Fatalf("%+v reads back as %+v, %v", e, again, err)
			}
		}
		// And the whole way: values, references, unknown options.
		if c, err := build(entries); (c == nil) == (err == nil) {
			t.Fatalf("neither a configuration nor an error, or both: %v", err)
		}
	})
}
