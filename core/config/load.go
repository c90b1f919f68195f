package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

const sectionDefault = "DEFAULT"

// Load reads the files in turn, a later one's options winning over an earlier
// one's; a folder stands for its *.conf files in the order of their names. No
// path at all is every default.
//
// The error has every option that is wrong, not only the first.
func Load(paths ...string) (*Config, error) {
	files, err := expand(paths)
	if err != nil {
		return nil, err
	}
	var entries []entry
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read configuration: %w", err)
		}
		more, err := parse(file, string(text))
		if err != nil {
			return nil, err
		}
		entries = append(entries, more...)
	}
	c, err := build(entries)
	if err != nil {
		return nil, err
	}
	c.folders = foldersOf(files)
	return c, nil
}

// systemFolder is where a service's files are looked for last.
const systemFolder = "/etc/magnum"

func foldersOf(files []string) []string {
	var folders []string
	for _, file := range append(slices.Clone(files), filepath.Join(systemFolder, "magnum.conf")) {
		if folder := filepath.Dir(file); !slices.Contains(folders, folder) {
			folders = append(folders, folder)
		}
	}
	return folders
}

// DefaultFiles are the places oslo.config looks for a service's file, those
// that exist: the user's own, then the system's.
func DefaultFiles() []string {
	folders := []string{systemFolder, "/etc"}
	if home, err := os.UserHomeDir(); err == nil {
		folders = append([]string{filepath.Join(home, ".magnum"), home}, folders...)
	}
	for _, folder := range folders {
		file := filepath.Join(folder, "magnum.conf")
		if _, err := os.Stat(file); err == nil {
			return []string{file}
		}
	}
	return nil
}

func expand(paths []string) ([]string, error) {
	var files []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("read configuration: %w", err)
		}
		if !info.IsDir() {
			files = append(files, path)
			continue
		}
		inside, err := filepath.Glob(filepath.Join(path, "*.conf"))
		if err != nil {
			return nil, fmt.Errorf("read configuration folder %s: %w", path, err)
		}
		slices.Sort(inside)
		files = append(files, inside...)
	}
	return files, nil
}

// build makes a Config of what the files say.
func build(entries []entry) (*Config, error) {
	c := &Config{}
	l := newLoader(c, entries)
	var errs []error
	for i := range l.options {
		if err := l.fill(&l.options[i]); err != nil {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	l.warnUnknown()
	if err := c.settle(l); err != nil {
		return nil, err
	}
	c.warnings = l.warnings
	return c, nil
}

// settle fills in what depends on more than one option.
func (c *Config) settle(l *loader) error {
	if c.Default.Host == "" {
		host, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("[DEFAULT] host is not set and this machine has no name: %w", err)
		}
		c.Default.Host = host
	}
	if c.Default.TempDir == "" {
		c.Default.TempDir = os.TempDir()
	}
	accounts := map[string]*KeystoneAuth{
		"keystone_authtoken": &c.KeystoneAuthtoken,
		"keystone_auth":      &c.KeystoneAuth,
	}
	for _, section := range []string{"keystone_authtoken", "keystone_auth"} {
		from := normalSection(accounts[section].AuthSection)
		if from == "" {
			continue
		}
		other, ok := accounts[from]
		if !ok || from == section {
			e := l.set[optionKey{section, "auth_section"}]
			return &Error{File: e[len(e)-1].file, Line: e[len(e)-1].line, Section: section, Option: "auth_section",
				Message: fmt.Sprintf("expected keystone_auth or keystone_authtoken, the other of the two, found %q", from)}
		}
		uri := accounts[section].WWWAuthenticateURI
		*accounts[section] = *other
		if uri != "" { // not of the account
			accounts[section].WWWAuthenticateURI = uri
		}
	}
	if c.KeystoneAuth.AuthURL == "" {
		c.KeystoneAuth = c.KeystoneAuthtoken
	}
	for _, account := range accounts {
		account.defaultDomains()
	}
	return c.TokenValidation.settle(l)
}

func (a *KeystoneAuth) defaultDomains() {
	if a.UserDomainID == "" && a.UserDomainName == "" {
		a.UserDomainID, a.UserDomainName = a.DefaultDomainID, a.DefaultDomainName
	}
	if a.ProjectDomainID == "" && a.ProjectDomainName == "" {
		a.ProjectDomainID, a.ProjectDomainName = a.DefaultDomainID, a.DefaultDomainName
	}
}

// optionKey names an option within its section.
type optionKey struct{ section, option string }

func (k optionKey) String() string { return "[" + k.section + "] " + k.option }

// option is a field of the struct with what its tags say.
type option struct {
	optionKey
	field   reflect.Value
	tag     reflect.StructTag
	initial string // the default, as a file would have it
	aliases []optionKey
}

// fields lists the options of a Config.
func fields(c *Config) []option {
	var all []option
	root := reflect.ValueOf(c).Elem()
	for i := range root.NumField() {
		group := root.Type().Field(i)
		section, ok := group.Tag.Lookup("section")
		if !ok {
			continue
		}
		for j := range root.Field(i).NumField() {
			field := group.Type.Field(j)
			o := option{
				optionKey: optionKey{section, field.Tag.Get("ini")},
				field:     root.Field(i).Field(j),
				tag:       field.Tag,
				initial:   field.Tag.Get("default"),
			}
			if value, ok := group.Tag.Lookup(o.option); ok {
				o.initial = value // a default that differs by section
			}
			for alias := range strings.SplitSeq(field.Tag.Get("alias"), ",") {
				if alias == "" {
					continue
				}
				key := optionKey{section, alias}
				if in, name, ok := strings.Cut(alias, "."); ok {
					key = optionKey{normalSection(in), name}
				}
				o.aliases = append(o.aliases, key)
			}
			all = append(all, o)
		}
	}
	return all
}
