package policy

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.yaml.in/yaml/v3"

	"github.com/go-magnum/magnum/core/config"
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
	// Classic lets who has a right by the classic defaults do as before,
	// whatever roles the new ones ask for: enforce_new_defaults = false.
	Classic bool
	// AnyScope takes tokens for the system or a domain where a project's are
	// meant, and logs it: enforce_scope = false.
	AnyScope bool
	Remote   Remote
}

// Of reads the section [oslo_policy] and where the configuration was found.
func Of(c *config.Config) Config {
	o := &c.OsloPolicy
	return Config{
		File: o.PolicyFile, Dirs: o.PolicyDirs, Folders: c.Folders(), DefaultRule: o.PolicyDefaultRule,
		Classic: !o.EnforceNewDefaults, AnyScope: !o.EnforceScope,
		Remote: Remote{
			Timeout: time.Duration(min(o.RemoteTimeout, 3600) * float64(time.Second)), JSON: o.RemoteContentType == "application/json",
			CAFile: o.RemoteSSLCACrtFile, CertFile: o.RemoteSSLClientCrtFile, KeyFile: o.RemoteSSLClientKeyFile,
			Insecure: !o.RemoteSSLVerifyServerCrt,
		},
	}
}

// defaultFile has an elder in JSON, which is taken where it alone is there.
const (
	defaultFile = "policy.yaml"
	elderFile   = "policy.json"
)

// New reads the rules once. A file that cannot be read or understood is an
// error: half a policy is worse than none. The logger may be nil.
func New(c Config, logger hclog.Logger) (*Enforcer, error) {
	stamps, err := c.survey()
	if err != nil {
		return nil, err
	}
	e, _, err := c.read(stamps, logger)
	return e, err
}

// Files returns the paths of the files there are, in the order in which they
// are read.
func (c Config) Files() ([]string, error) {
	stamps, err := c.survey()
	paths := make([]string, 0, len(stamps))
	for _, s := range stamps {
		paths = append(paths, s.path)
	}
	return paths, err
}

// stamp is a file as far as a change shows in it without reading.
type stamp struct {
	path string
	info fs.FileInfo
}

// equal compares the file itself too: one that was put in another's place by
// renaming may have its size and its time.
func (s stamp) equal(other stamp) bool {
	return s.path == other.path && s.info.Size() == other.info.Size() &&
		s.info.ModTime().Equal(other.info.ModTime()) && os.SameFile(s.info, other.info)
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
		return &stamp{path, info}, nil
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
			all = append(all, stamp{path, info})
		}
	}
	slices.SortFunc(all, func(a, b stamp) int { return cmp.Compare(a.path, b.path) })
	return all, nil
}

// digest tells whether files say the same as before.
type digest [sha256.Size]byte

// read makes an Enforcer of the defaults and of what the files change.
func (c Config) read(stamps []stamp, logger hclog.Logger) (*Enforcer, digest, error) {
	if logger == nil {
		logger = hclog.NewNullLogger()
	}
	sum := sha256.New()
	overrides := map[string]override{}
	for _, s := range stamps {
		content, err := load(s)
		if err != nil {
			return nil, digest{}, err
		}
		fmt.Fprintf(sum, "%s\x00%d\x00%s", s.path, len(content), content)
		rules, err := parseFile(content)
		if err != nil {
			return nil, digest{}, fmt.Errorf("policy file %s: %w", s.path, err)
		}
		for name, t := range rules {
			overrides[name] = override{t, s.path}
		}
	}
	remote, err := c.Remote.connect(logger)
	if err != nil {
		return nil, digest{}, err
	}
	words := language{remote: remote}
	e, err := words.compile(effective(Defaults(), overrides, c.Classic), c.DefaultRule)
	if err != nil {
		return nil, digest{}, err
	}
	e.anyScope, e.logger = c.AnyScope, logger
	return e, digest(sum.Sum(nil)), nil
}

// maxFile is far more than all rules of a service.
const maxFile = 4 << 20

func load(s stamp) ([]byte, error) {
	if !s.info.Mode().IsRegular() {
		return nil, fmt.Errorf("read policy file %s: it is not a file", s.path)
	}
	file, err := os.Open(s.path)
	if err != nil {
		return nil, fmt.Errorf("read policy file: %w", err)
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read policy file: %w", err)
	}
	if len(content) > maxFile {
		return nil, fmt.Errorf("read policy file %s: it has more than %d bytes", s.path, maxFile)
	}
	return content, nil
}

// parseFile reads a file's rules. JSON is YAML, so one reader does for both.
func parseFile(content []byte) (map[string]text, error) {
	var file map[string]yaml.Node
	if err := yaml.Unmarshal(content, &file); err != nil {
		return nil, err
	}
	rules := make(map[string]text, len(file))
	for _, name := range slices.Sorted(maps.Keys(file)) {
		node := file[name]
		t, err := ruleText(&node)
		if err != nil {
			return nil, fmt.Errorf("rule %s: %w", name, err)
		}
		rules[name] = t
	}
	return rules, nil
}

// ruleText takes a rule as text, or as oslo.policy's old list of lists, in
// which a check may also stand alone. An empty outer list allows everybody,
// empty inner ones do not count, and nothing but those allows nobody.
func ruleText(node *yaml.Node) (text, error) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if node.Kind == yaml.ScalarNode {
		if node.Tag == "!!null" {
			return text{}, errors.New("there is no text; write \"@\" to allow everybody, \"!\" nobody")
		}
		return text{words: node.Value}, nil
	}
	wrong := errors.New("a rule is a text or a list of lists of texts")
	if node.Kind != yaml.SequenceNode {
		return text{}, wrong
	}
	if len(node.Content) == 0 {
		return text{words: "@"}, nil
	}
	t := text{list: true}
	for _, inner := range node.Content {
		var list []string
		if inner.Kind == yaml.ScalarNode && inner.Tag != "!!null" {
			list = []string{inner.Value}
		} else if inner.Kind != yaml.SequenceNode || inner.Decode(&list) != nil {
			return text{}, wrong
		}
		if len(list) > 0 {
			t.lists = append(t.lists, list)
		}
	}
	return t, nil
}
