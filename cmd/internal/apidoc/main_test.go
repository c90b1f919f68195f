package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func root(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", path))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestPageIsUpToDate(t *testing.T) {
	page, err := render(root(t, source))
	if err != nil {
		t.Fatal(err)
	}
	if have := root(t, target); !bytes.Equal(have, page) {
		t.Errorf("%s is not what %s says; make generate makes it anew (-have +want):\n%s", target, source,
			cmp.Diff(strings.Split(string(have), "\n"), strings.Split(string(page), "\n")))
	}
}

// TestLinks holds that links within the page lead somewhere.
func TestLinks(t *testing.T) {
	page, err := render(root(t, source))
	if err != nil {
		t.Fatal(err)
	}
	places := map[string]int{}
	for _, m := range regexp.MustCompile(`<a id="([^"]+)">`).FindAllSubmatch(page, -1) {
		places[string(m[1])]++
	}
	links := regexp.MustCompile(`\]\(#([^)]+)\)`).FindAllSubmatch(page, -1)
	if len(links) < 100 {
		t.Errorf("%d links only", len(links))
	}
	for _, m := range links {
		if places[string(m[1])] != 1 {
			t.Errorf("#%s leads to %d places", m[1], places[string(m[1])])
		}
	}
}

func TestRender(t *testing.T) {
	page, err := render([]byte(`
info: {title: Things, version: '1.3', description: All about them.}
tags: [{name: things, description: What there is}]
paths:
  /things:
    parameters: [{name: all, in: query, description: Or some, schema: {$ref: '#/components/schemas/Flag'}}]
    post:
      operationId: makeThing
      tags: [things]
      summary: Make one
      x-min-version: '1.2'
      x-policy-rule: thing:create
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}
      responses:
        '201': {$ref: '#/components/responses/Thing'}
        '400': {$ref: '#/components/responses/Bad'}
components:
  responses:
    Thing: {description: The thing, headers: {Location: {required: true, description: Where, schema: {}}}, content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}
    Bad: {description: No}
  schemas:
    Flag: {anyOf: [{type: boolean}, {enum: [0, 1]}]}
    Thing:
      required: [name]
      properties:
        name: {type: string, minLength: 1, maxLength: 3, description: 'one | two'}
        parts: {type: array, items: {type: object, properties: {size: {type: [integer, 'null'], minimum: 1, x-max-version: '1.2'}}}}
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# Things, API 1.1 to 1.3\n",
		"| [POST /things](#makething) | Make one | 1.2 and later |\n",
		"\n<a id=\"makething\"></a>\n### POST /things\n\nMake one. From version 1.2. Rule `thing:create`.\n",
		"| `all` | query | [Flag](#value-flag) | Or some. |\n",
		"Body: [Thing](#value-thing).\n",
		"| 201 | The thing. | [Thing](#value-thing) |\n| [400](#answer-bad) | Refusals. |  |\n",
		"| <a id=\"answer-bad\"></a>400 | No. |  |\n",
		"| `Location` | 201 | Where. |\n",
		"### Flag\n\nBoolean or `0`, `1`.\n",
		"| `name` | string (1 to 3 characters) | yes | One \\| two. |\n",
		"| `parts[].size` | integer or null (at least 1) |  | Up to version 1.2. |\n",
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("no %q in\n%s", want, page)
		}
	}
	if _, err := render([]byte("a: [")); err == nil {
		t.Error("broken YAML is a page")
	}
	if _, err := render(nil); err == nil {
		t.Error("nothing is a page")
	}
}
