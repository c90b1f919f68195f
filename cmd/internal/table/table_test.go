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
		"yaml":   {Options{Format: "yaml", Columns: []string{"OS"}}, "\n- OS: fedora\n- OS: ubuntu, old\n"},
		"csv":    {Options{Format: "csv"}, "\nName,OS\nk8s,fedora\nmesos,\"ubuntu, old\"\n"},
		"value":  {Options{Format: "value", Columns: []string{"OS", "Name"}}, "\nfedora k8s\nubuntu, old mesos\n"},
		"format": {Options{Format: "xml"}, `unknown format "xml": choose one of table, json, yaml, csv, value`},
		"column": {Options{Format: "json", Columns: []string{"Age"}}, `no column "Age": there are Name, OS`},
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
