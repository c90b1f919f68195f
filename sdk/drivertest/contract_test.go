package drivertest

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const contract = "../../docs/contract/driver.md"

// The rules that the document marks as the suite's are those that the suite
// checks.
func TestContractAndSuiteAgree(t *testing.T) {
	text, err := os.ReadFile(contract)
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]string{}
	var order []string
	for _, row := range regexp.MustCompile(`(?m)^\| (DRV-\d{3}) \| (.+) \| (.+) \|$`).FindAllStringSubmatch(string(text), -1) {
		if _, twice := documented[row[1]]; twice {
			t.Errorf("%s is there twice", row[1])
		}
		documented[row[1]] = row[3]
		order = append(order, row[1])
		if held, _, _ := strings.Cut(row[3], " "); !slices.Contains([]string{"suite", "core:", "review", "review:"}, held) {
			t.Errorf("%s is held by %q", row[1], row[3])
		}
	}
	if !slices.IsSorted(order) || len(order) == 0 {
		t.Errorf("the rules are not in order: %v", order)
	}
	checked := map[string]bool{}
	for _, r := range Rules() {
		checked[r.ID] = true
		if documented[r.ID] != "suite" {
			t.Errorf("the suite checks %s, which the document says is held by %q", r.ID, documented[r.ID])
		}
	}
	for id, held := range documented {
		if held == "suite" && !checked[id] {
			t.Errorf("%s is said to be checked by the suite, and is not", id)
		}
	}

	// Every number in the code is one of the document's.
	number := regexp.MustCompile(`DRV-\d{3}`)
	err = filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") {
			if entry != nil && entry.IsDir() && strings.HasPrefix(entry.Name(), ".git") {
				return fs.SkipDir
			}
			return err
		}
		source, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a file of another test's, gone already
		}
		for _, id := range number.FindAllString(string(source), -1) {
			if _, ok := documented[id]; !ok && id != "DRV-999" {
				t.Errorf("%s names %s, which the contract does not have", path, id)
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestSchema(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"none":              {"null", ""},
		"no JSON":           {"{", "cannot be read"},
		"not of an object":  {`{"type": "array"}`, "not object"},
		"unknown type":      {`{"type": "object", "properties": {"a": {"type": "text"}}}`, `"text" is no type`},
		"bad pattern":       {`{"type": "object", "properties": {"a": {"pattern": "("}}}`, "pattern"},
		"crossed bounds":    {`{"type": "object", "properties": {"a": {"minimum": 2, "maximum": 1}}}`, "above its maximum"},
		"default of a type": {`{"type": "object", "properties": {"a": {"type": "integer", "default": 1.5}}}`, "not of type integer"},
		"default listed":    {`{"type": "object", "properties": {"a": {"enum": ["x"], "default": "y"}}}`, "not in the enumeration"},
		"default matches":   {`{"type": "object", "properties": {"a": {"type": "string", "pattern": "^x$", "default": "y"}}}`, "does not match"},
		"default in bounds": {`{"type": "object", "properties": {"a": {"type": "integer", "maximum": 1, "default": 2}}}`, "out of bounds"},
		"required":          {`{"type": "object", "required": ["b"]}`, "does not describe"},
		"good":              {`{"type": "object", "required": ["a"], "properties": {"a": {"type": "integer", "minimum": 1, "default": 2}}}`, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s, err := parseSchema([]byte(tt.text))
			if err == nil {
				err = s.check()
			}
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}
