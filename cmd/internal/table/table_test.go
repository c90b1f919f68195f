package table

import (
	"bytes"
	"strings"
	"testing"
)

func TestWrite(t *testing.T) {
	header := []string{"Name", "OS"}
	rows := [][]string{{"k8s", "fedora"}, {"mesos", "ubuntu, old"}}
	tests := map[string]struct {
		options Options
		want    string
	}{
		"table": {Options{Format: "table"}, `
+-------+-------------+
| Name  | OS          |
+-------+-------------+
| k8s   | fedora      |
| mesos | ubuntu, old |
+-------+-------------+
`},
		"json": {Options{Format: "json", Columns: []string{"Name"}}, `
[
  {
    "Name": "k8s"
  },
  {
    "Name": "mesos"
  }
]
`},
		"yaml":    {Options{Format: "yaml", Columns: []string{"OS"}}, "\n- OS: fedora\n- OS: ubuntu, old\n"},
		"csv":     {Options{Format: "csv"}, "\n\"Name\",\"OS\"\n\"k8s\",\"fedora\"\n\"mesos\",\"ubuntu, old\"\n"},
		"value":   {Options{Format: "value", Columns: []string{"OS", "Name"}}, "\nk8s fedora\nmesos ubuntu, old\n"},
		"unknown": {Options{Format: "value", Columns: []string{"OS", "Age"}}, "\nfedora\nubuntu, old\n"},
		"down":    {Options{Format: "value", Sort: []string{"Age", "Name"}, Down: true}, "\nmesos ubuntu, old\nk8s fedora\n"},
		"format":  {Options{Format: "xml"}, `unknown format "xml": choose one of table, json, yaml, csv, value`},
		"column":  {Options{Format: "json", Columns: []string{"Age"}}, `no column Age: there are Name, OS`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			got := ""
			if err := tt.options.Write(&out, header, rows); err != nil {
				got = err.Error()
			} else {
				got = out.String()
			}
			if want := strings.TrimPrefix(tt.want, "\n"); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func TestSort(t *testing.T) {
	header := []string{"Name", "Generation"}
	rows := [][]string{{"b", "9"}, {"a", "10"}, {"a", "9"}}
	for want, sort := range map[string][]string{
		"b9a10a9": nil,
		"a9b9a10": {"Generation", "Name"},
		"a9a10b9": {"Name", "Generation"},
		"a10a9b9": {"Name"},
	} {
		var out bytes.Buffer
		o := Options{Format: "value", Sort: sort}
		if err := o.Write(&out, header, rows); err != nil {
			t.Fatal(err)
		}
		if got := strings.NewReplacer(" ", "", "\n", "").Replace(out.String()); got != want {
			t.Errorf("by %v: %s, want %s", sort, got, want)
		}
	}
}

// Texts are what they were, whatever the format makes of them.
func TestAwkwardTexts(t *testing.T) {
	header, rows := []string{"Zone", "About"}, [][]string{{`a "b"`, "x < y & z"}}
	for format, want := range map[string]string{
		"json": "[\n  {\n    \"Zone\": \"a \\\"b\\\"\",\n    \"About\": \"x < y & z\"\n  }\n]\n",
		"csv":  "\"Zone\",\"About\"\n\"a \"\"b\"\"\",\"x < y & z\"\n",
	} {
		var out bytes.Buffer
		o := Options{Format: format}
		if err := o.Write(&out, header, rows); err != nil {
			t.Fatal(err)
		}
		if out.String() != want {
			t.Errorf("%s:\n%s\nwant:\n%s", format, out.String(), want)
		}
	}
}
