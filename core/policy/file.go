package policy

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Config says where rules come from. What is found there takes the place of
// the defaults of the same name, rule by rule.
type Config struct {
	// File is a YAML or JSON file. Empty, or a file that does not exist: none.
	File string
	// Dirs are folders whose files are read after File in the order of their
	// names; the later rule wins. Those that do not exist do not count, nor do
	// files whose names begin with a dot.
	Dirs []string
	// Folders are where File and Dirs without a full path are looked for; the
	// first that has them counts.
	Folders []string
	// DefaultRule names the rule that stands for every one that is not there.
	DefaultRule string
}

// defaultFile has an elder in JSON, which is taken where it alone is there.
const (
	defaultFile = "policy.yaml"
	elderFile   = "policy.json"
)

// New reads the rules once. A file that cannot be read or understood is an
// error: half a policy is worse than none.
func New(c Config) (*Enforcer, error) {
	stamps, err := c.survey()
	if err != nil {
		return nil, err
	}
	return c.read(stamps)
}

// stamp is a file as far as a change shows in it without reading.
type stamp struct {
	path     string
	modified time.Time
	size     int64
}

func (s stamp) equal(other stamp) bool {
	return s.path == other.path && s.size == other.size && s.modified.Equal(other.modified)
}

// survey finds the files there are, in the order in which they are read.
func (c Config) survey() ([]stamp, error) {
	var all []stamp
	file, err := c.find(c.File)
	if err == nil && file == nil && c.File == defaultFile {
		file, err = c.find(elderFile)
	}
	if err != nil {
		return nil, err
	}
	if file != nil {
		all = append(all, *file)
	}
	for _, name := range c.Dirs {
		dir, err := c.find(name)
		if err != nil {
			return nil, err
		}
		if dir == nil {
			continue
		}
		inside, err := surveyDir(dir.path)
		if err != nil {
			return nil, err
		}
		all = append(all, inside...)
	}
	return all, nil
}

// find looks a name up in the folders; nil if none has it.
func (c Config) find(name string) (*stamp, error) {
	if name == "" {
		return nil, nil
	}
	paths := []string{name}
	if !filepath.IsAbs(name) {
		paths = nil
		for _, folder := range c.Folders {
			paths = append(paths, filepath.Join(folder, name))
		}
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("look for policy file: %w", err)
		}
		return &stamp{path, info.ModTime(), info.Size()}, nil
	}
	return nil, nil
}

func surveyDir(dir string) ([]stamp, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read policy folder: %w", err)
	}
	var all []stamp
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		path := filepath.Join(dir, entry.Name())
		info, err := os.Stat(path) // of what a link points to
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone since, or a link to nothing
		}
		if err != nil {
			return nil, fmt.Errorf("read policy folder: %w", err)
		}
		if !info.IsDir() {
			all = append(all, stamp{path, info.ModTime(), info.Size()})
		}
	}
	slices.SortFunc(all, func(a, b stamp) int { return cmp.Compare(a.path, b.path) })
	return all, nil
}

// read makes an Enforcer of the defaults and of what the files change.
func (c Config) read(stamps []stamp) (*Enforcer, error) {
	texts := Defaults()
	for _, s := range stamps {
		overrides, err := load(s.path)
		if err != nil {
			return nil, err
		}
		for name, text := range overrides {
			texts[name] = text
		}
	}
	return compile(texts, c.DefaultRule)
}

func load(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read policy file: %w", err)
	}
	// JSON is YAML, so one reader does for both.
	var file map[string]yaml.Node
	if err := yaml.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("read policy file %s: %w", path, err)
	}
	rules := make(map[string]string, len(file))
	for name, node := range file {
		if rules[name], err = ruleText(node); err != nil {
			return nil, fmt.Errorf("policy file %s, rule %s: %w", path, name, err)
		}
	}
	return rules, nil
}

// ruleText takes a rule as text, or as oslo.policy's old list of lists: any
// of the inner lists, of which all checks must hold.
func ruleText(node yaml.Node) (string, error) {
	var text string
	if node.Tag == "!!null" {
		return "", errors.New("there is no text; write \"@\" to allow everybody, \"!\" nobody")
	}
	if node.Decode(&text) == nil {
		return text, nil
	}
	var lists [][]string
	if err := node.Decode(&lists); err != nil {
		return "", errors.New("a rule is a text or a list of lists of texts")
	}
	if len(lists) == 0 {
		return "@", nil
	}
	alternatives := make([]string, 0, len(lists))
	for _, list := range lists {
		if len(list) > 0 {
			alternatives = append(alternatives, "("+strings.Join(list, " and ")+")")
		}
	}
	if len(alternatives) == 0 {
		return "!", nil
	}
	return strings.Join(alternatives, " or "), nil
}
