package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFolders(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"/etc/magnum"}, c.Folders()); diff != "" {
		t.Errorf("without files (-want +got):\n%s", diff)
	}
	root := t.TempDir()
	a, b := filepath.Join(root, "a"), filepath.Join(root, "b")
	for _, path := range []string{a, b} {
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	var files []string
	for path, text := range map[string]string{
		filepath.Join(a, "1.conf"): "[cors]\nallowed_origin = https://a.example,https://b.example\nallow_headers =\nmax_ages = 1\n",
		filepath.Join(a, "2.conf"): "[oslo_policy]\npolicy_dirs = one\npolicy_dirs = two\n[oslo_middleware]\nenable_proxy_headers_parsing = true\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, path)
	}
	if c, err = Load(append(files, b)...); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{a, "/etc/magnum"}, c.Folders()); diff != "" {
		t.Errorf("two files of one folder (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"one", "two"}, c.OsloPolicy.PolicyDirs); diff != "" {
		t.Errorf("policy_dirs (-want +got):\n%s", diff)
	}
	if len(c.Cors.AllowedOrigin) != 2 || len(c.Cors.AllowHeaders) != 0 || len(c.Cors.AllowMethods) != 5 || !c.OsloMiddleware.EnableProxyHeadersParsing {
		t.Errorf("%+v %+v", c.Cors, c.OsloMiddleware)
	}
	if len(c.Warnings()) != 1 {
		t.Errorf("a misspelt option of [cors]: %v", c.Warnings())
	}
}
