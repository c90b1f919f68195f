package templatetest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/sdk/template/templatetest"
)

// packed is "echo up\n" as gzip and base64 make it.
const packed = "H4sIAAAAAAAAA0tNzshXKC3gAgAI31CFCAAAAA=="

func TestReadUserData(t *testing.T) {
	const name = "/etc/magnum/params/name"
	unit := func(script string) templatetest.UserData {
		return templatetest.UserData{
			Files:  map[string]string{name: "a b%\n", script: "echo up\n"},
			Modes:  map[string]int{name: 0o600, script: 0o700},
			Script: script,
		}
	}
	for _, tt := range []struct {
		name, text string
		want       templatetest.UserData
	}{
		{"mime", "Content-Type: multipart/mixed; boundary=\"===\"\nMIME-Version: 1.0\n\n" +
			"--===\nContent-Type: text/plain; charset=\"us-ascii\"\nContent-Transfer-Encoding: 7bit\n\n" +
			"#cloud-config\n{\"write_files\": [{\"path\": \"" + name + "\", \"permissions\": \"0600\", \"content\": \"a b%\\n\"}], \"merge_how\": []}\n\n" +
			"--===\nContent-Type: text/x-shellscript; charset=\"utf-8\"\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=\"m.sh\"\n\n" +
			"ZWNobyB1\ncAo=\n\n--===--\n", unit("/var/lib/cloud/instance/scripts/m.sh")},
		{"cloud-config", "#cloud-config\n" + `{"write_files": [{"path": "` + name + `", "permissions": "0600", "content": "a b%\n"},` +
			` {"path": "/etc/magnum/m.sh", "permissions": "0700", "encoding": "gz+base64", "content": "` + packed + `"}],` +
			` "coreos": {"units": [{"name": "other", "content": "ExecStart=/bin/sh /x"}, {"name": "m", "command": "start", "content": "[Service]\nExecStart=/bin/sh /etc/magnum/m.sh\n"}]}}`,
			unit("/etc/magnum/m.sh")},
		{"ignition", `{"ignition": {"version": "3.0.0"}, "storage": {"files": [{"path": "` + name + `", "mode": 384, "contents": {"source": "data:,a%20b%25%0A"}},` +
			` {"path": "/etc/magnum/m.sh", "mode": 448, "contents": {"compression": "gzip", "source": "data:;base64,` + packed + `"}}]},` +
			` "systemd": {"units": [{"name": "other", "mask": true}, {"name": "m", "enabled": true, "contents": "[Service]\nExecStart=/bin/sh /etc/magnum/m.sh\n"}]}}`,
			unit("/etc/magnum/m.sh")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := templatetest.ReadUserData(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, text := range []string{
		"", "#!/bin/sh\n", "{", "{}", "#cloud-config\n{}", "#cloud-config\n[",
		`{"storage": {"files": [{"path": "/x", "contents": {"source": "http://x/y"}}]}}`,
		"Content-Type: multipart/mixed; boundary=\"=\"\n\n--=\nContent-Type: text/x-other\n\nx\n\n--=--\n",
	} {
		if got, err := templatetest.ReadUserData(text); err == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}
