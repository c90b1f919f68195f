package state

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMapText(t *testing.T) {
	// What Python's json.dumps writes.
	for want, m := range map[string]map[string]string{
		`{}`:         nil,
		`{"a": "b"}`: {"a": "b"},
		`{"a": "1", "b": "\u00fc", "c": "\u007f"}`: {"c": "\x7f", "b": "ü", "a": "1"},
		`{"\"\\\n": "\r\t\b\f\u0000\u001f"}`:       {"\"\\\n": "\r\t\b\f\x00\x1f"},
		`{"x": "\ud83d\ude00</>&\u2028"}`:          {"x": "😀</>&\u2028"},
	} {
		if got := mapText(m); got != want {
			t.Errorf("%v is written as %s, want %s", m, got, want)
		}
		got, err := textMap(want)
		if err != nil {
			t.Errorf("%s: %v", want, err)
		}
		if m == nil {
			m = map[string]string{}
		}
		if diff := cmp.Diff(m, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want, diff)
		}
	}
}

func TestTextMapOfOldDatabases(t *testing.T) {
	for text, want := range map[string]map[string]string{
		"":     nil,
		"null": nil,
		`{"a": 1, "b": 1.50, "c": true, "d": false, "e": null, "f": "x"}`: {
			"a": "1", "b": "1.50", "c": "True", "d": "False", "e": "None", "f": "x"},
	} {
		got, err := textMap(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
	for _, text := range []string{"{", "[]", `"x"`, "{'a': 'b'}"} {
		if got, err := textMap(text); err == nil {
			t.Errorf("%s is read as %v", text, got)
		}
	}
}

func TestListText(t *testing.T) {
	for want, list := range map[string][]string{`[]`: {}, `["10.0.0.1"]`: {"10.0.0.1"}, `["a", "b\u00fc"]`: {"a", "bü"}} {
		if got := listText(list); got != want {
			t.Errorf("%v is written as %s, want %s", list, got, want)
		}
		got, err := textList(want)
		if err != nil {
			t.Errorf("%s: %v", want, err)
		}
		if diff := cmp.Diff(list, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want, diff)
		}
	}
	if got, err := textList("{}"); err == nil {
		t.Errorf("{} is read as %v", got)
	}
}

// TestPlain holds that the plain readers understand texts as encoding/json
// does, or not at all.
func TestPlain(t *testing.T) {
	for text, plain := range map[string]bool{
		`{"a": "b"}`: true, `{"a":"b","c":  "d", "e": ""}`: true, `{"a": "1", "a": "2"}`: true,
		`["a"]`: true, `["a","b",  "c"]`: true,
		`{}`: false, `[]`: false, `{"a": "b"} `: false, ` {"a": "b"}`: false, `{"a" : "b"}`: false, `{"a": "b" }`: false,
		`{"a": "\n"}`: false, `{"a": "ü"}`: false, "{\"a\": \"\x01\"}": false, "{\"a\": \"\xff\"}": false,
		`{"a": 1}`: false, `{"a": null}`: false, `{"a": {}}`: false, `{"a"}`: false, `{"a": "b",}`: false, `{"a": "b"`: false,
		`{"a": "b"}}`: false, `{"a": "b`: false, `{"a`: false, `{a: "b"}`: false, `{`: false, `[`: false, `["a",]`: false,
		`["a"`: false, `["a" "b"]`: false, `[1]`: false, `["a"]]`: false, ``: false, `"a"`: false,
	} {
		var asMap map[string]string
		var asList []string
		m, okMap := plainMap(text)
		if okMap && (json.Unmarshal([]byte(text), &asMap) != nil || !cmp.Equal(m, asMap)) {
			t.Errorf("%s is read as %v", text, m)
		}
		list, okList := plainList(text)
		if okList && (json.Unmarshal([]byte(text), &asList) != nil || !cmp.Equal(list, asList)) {
			t.Errorf("%s is read as %v", text, list)
		}
		if plain != (okMap || okList) {
			t.Errorf("%s: plain is %t", text, !plain)
		}
	}
}

func TestStampOfText(t *testing.T) {
	want := stampOf(time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC))
	for text, want := range map[string]stamp{
		"2026-03-04 05:06:07.123456": want, "2026-03-04 05:06:07": want, "2026-03-04T05:06:07Z": want,
		"2026-03-04 06:06:07+01:00": want, "": 0, "yesterday": 0,
	} {
		for _, src := range []any{text, []byte(text)} {
			var got stamp
			if err := got.Scan(src); err != nil || got != want {
				t.Errorf("%q is read as %d, %v, want %d", text, got, err, want)
			}
		}
	}
}

func FuzzMapText(f *testing.F) {
	f.Add("key", "value")
	f.Add("\xff", "\u2028😀\x00")
	f.Fuzz(func(t *testing.T, key, value string) {
		text := mapText(map[string]string{key: value})
		for _, r := range text {
			if r < ' ' || r > '~' {
				t.Fatalf("%q is not plain ASCII", text)
			}
		}
		got, err := textMap(text)
		if err != nil || len(got) != 1 {
			t.Fatalf("%s: %v, %v", text, got, err)
		}
		if again := mapText(got); again != text {
			t.Errorf("%s becomes %s", text, again)
		}
	})
}
