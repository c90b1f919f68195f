package templatetest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"net/url"
	"path"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// UserData is what a node has from its user data once it runs.
type UserData struct {
	Files map[string]string // by path
	Modes map[string]int
	// Script is the path of what the node then runs.
	Script string
}

// ReadUserData reads what Nova was given for a node, in the kinds that images
// understand: several parts as for cloud-init, cloud-config of CoreOS, Ignition.
// It knows as much of each as drivers use.
func ReadUserData(text string) (UserData, error) {
	u := UserData{Files: map[string]string{}, Modes: map[string]int{}}
	var err error
	switch {
	case strings.HasPrefix(text, "Content-Type: multipart/"):
		err = u.parts(text)
	case strings.HasPrefix(text, "#cloud-config\n"):
		err = u.cloudConfig(text)
	case strings.HasPrefix(text, "{"):
		err = u.ignition(text)
	default:
		err = errors.New("user data of no known kind")
	}
	if err == nil && u.Files[u.Script] == "" {
		err = fmt.Errorf("the user data has no script for the node to run: %q", u.Script)
	}
	return u, err
}

func (u *UserData) parts(text string) error {
	message, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		return err
	}
	_, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	parts := multipart.NewReader(message.Body, params["boundary"])
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var from io.Reader = part
		if strings.EqualFold(part.Header.Get("Content-Transfer-Encoding"), "base64") {
			from = base64.NewDecoder(base64.StdEncoding, part)
		}
		body, err := io.ReadAll(from)
		if err != nil {
			return err
		}
		kind, _, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		switch {
		case err != nil:
		case kind == "text/x-shellscript":
			u.Script = "/var/lib/cloud/instance/scripts/" + part.FileName()
			u.Files[u.Script], u.Modes[u.Script] = string(body), 0o700
		case strings.HasPrefix(string(body), "#cloud-config\n"):
			err = u.cloudConfig(string(body))
		default:
			err = fmt.Errorf("a part of type %s", kind)
		}
		if err != nil {
			return err
		}
	}
}

func (u *UserData) cloudConfig(text string) error {
	var doc struct {
		Files  []struct{ Path, Permissions, Content, Encoding string } `yaml:"write_files"`
		CoreOS struct {
			Units []struct{ Command, Content string }
		}
	}
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return err
	}
	for _, f := range doc.Files {
		mode, err := strconv.ParseInt(f.Permissions, 8, 32)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
		if f.Encoding == "gz+base64" {
			if f.Content, err = unpack(f.Content); err != nil {
				return fmt.Errorf("%s: %w", f.Path, err)
			}
		}
		u.Files[f.Path], u.Modes[f.Path] = f.Content, int(mode)
	}
	for _, unit := range doc.CoreOS.Units {
		if unit.Command == "start" {
			u.starts(unit.Content)
		}
	}
	return nil
}

func (u *UserData) ignition(text string) error {
	var doc struct {
		Storage struct {
			Files []struct {
				Path     string
				Mode     int
				Contents struct{ Compression, Source string }
			}
		}
		Systemd struct {
			Units []struct {
				Enabled  bool
				Contents string
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		return err
	}
	for _, f := range doc.Storage.Files {
		kind, data, _ := strings.Cut(f.Contents.Source, ",")
		var err error
		switch kind + f.Contents.Compression {
		case "data:":
			data, err = url.PathUnescape(data)
		case "data:;base64gzip":
			data, err = unpack(data)
		default:
			err = fmt.Errorf("contents from %s", kind)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
		u.Files[f.Path], u.Modes[f.Path] = data, f.Mode
	}
	for _, unit := range doc.Systemd.Units {
		if unit.Enabled {
			u.starts(unit.Contents)
		}
	}
	return nil
}

// starts notes the script that a unit runs.
func (u *UserData) starts(unit string) {
	for line := range strings.Lines(unit) {
		if script, ok := strings.CutPrefix(strings.TrimSpace(line), "ExecStart=/bin/sh "); ok {
			u.Script = path.Clean(script)
		}
	}
}
