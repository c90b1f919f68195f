package config

import (
	"fmt"
	"strings"
)

// entry is one option as a file has it.
type entry struct {
	file    string
	line    int
	section string
	option  string
	value   string
}

// Error says where in which file something is wrong, and what was expected.
type Error struct {
	File    string
	Line    int    // from 1; 0 if it is not about a line
	Section string // empty where no section is open
	Option  string // empty where the line is not an option
	Message string
}

func (e *Error) Error() string {
	var at strings.Builder
	if e.File != "" {
		at.WriteString(e.File)
		if e.Line > 0 {
			fmt.Fprintf(&at, ":%d", e.Line)
		}
		at.WriteString(": ")
	}
	if e.Section != "" {
		fmt.Fprintf(&at, "[%s] ", e.Section)
	}
	if e.Option != "" {
		at.WriteString(e.Option + ": ")
	}
	return at.String() + e.Message
}

// parser is the state between two lines.
type parser struct {
	file    string
	section string
	open    *entry // the option that an indented line would continue
	entries []entry
}

// parse reads oslo.config's ini language. It stops at the first error: what
// follows a malformed line would be understood wrongly.
func parse(file, text string) ([]entry, error) {
	p := parser{file: file}
	text = strings.TrimPrefix(text, "\ufeff")
	number := 0
	for line := range strings.SplitSeq(text, "\n") {
		number++
		if err := p.line(number, strings.TrimRight(line, " \t\r\v\f")); err != nil {
			return nil, err
		}
	}
	p.close()
	return p.entries, nil
}

func (p *parser) line(number int, line string) error {
	switch {
	case line == "":
		p.close() // a blank line ends a value of several lines
		return nil
	case line[0] == ' ' || line[0] == '\t':
		if p.open == nil {
			return p.fail(number, "an indented line continues the value above it, and there is none: "+
				"expected `option = value` at the start of the line")
		}
		p.open.value += "\n" + strings.TrimLeft(line, " \t")
		return nil
	}
	p.close()
	switch line[0] {
	case '#', ';':
		return nil
	case '[':
		return p.header(number, line)
	}
	return p.option(number, line)
}

func (p *parser) header(number int, line string) error {
	if !strings.HasSuffix(line, "]") || len(line) < 2 {
		return p.fail(number, "expected a section header that ends with ], as in [api]")
	}
	name := strings.TrimSpace(line[1 : len(line)-1])
	if name == "" {
		return p.fail(number, "expected a name in the section header, as in [api]")
	}
	p.section = normalSection(name)
	return nil
}

func (p *parser) option(number int, line string) error {
	at := strings.IndexAny(line, ":=")
	if at < 0 {
		return p.fail(number, "expected `option = value` or `option: value`")
	}
	name := normalOption(line[:at])
	if name == "" {
		return p.fail(number, "expected the name of an option before "+line[at:at+1])
	}
	if p.section == "" {
		return p.fail(number, fmt.Sprintf("option %s stands before any section: expected a header such as [DEFAULT] first", name))
	}
	p.open = &entry{
		file: p.file, line: number, section: p.section, option: name,
		value: unquote(strings.TrimSpace(line[at+1:])),
	}
	return nil
}

func (p *parser) close() {
	if p.open != nil {
		p.entries = append(p.entries, *p.open)
		p.open = nil
	}
}

func (p *parser) fail(number int, message string) error {
	return &Error{File: p.file, Line: number, Section: p.section, Message: message}
}

// unquote takes away one pair of like quotes around a whole value.
func unquote(value string) string {
	n := len(value)
	if n == 0 || (value[0] != '"' && value[0] != '\'') || value[n-1] != value[0] {
		return value
	}
	if n == 1 {
		return "" // as oslo.config reads a quote on its own
	}
	return value[1 : n-1]
}

// normalSection spells a section as the struct does: oslo.config matches
// section names without regard to case.
func normalSection(name string) string {
	if strings.EqualFold(name, sectionDefault) {
		return sectionDefault
	}
	return strings.ToLower(name)
}

// normalOption spells an option with underscores: keystoneauth's have dashes
// in their documented names.
func normalOption(name string) string {
	return strings.ReplaceAll(strings.TrimSpace(name), "-", "_")
}
