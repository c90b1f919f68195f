package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// cli is the real openstack client, logged in as one user.
type cli struct {
	t   *testing.T
	env []string
	dir string
	// status, if not nil, says how a cluster is for less than a client's start.
	status func(cluster string) string
}

func newCLI(t *testing.T, rc map[string]string) *cli {
	t.Helper()
	path, err := exec.LookPath("openstack")
	if err != nil {
		t.Skip("left out: no openstack client here; tools/test installs it when run as root on Debian")
	}
	if out, err := exec.Command(path, "coe", "cluster", "list", "--help").CombinedOutput(); err != nil {
		t.Skipf("left out: the openstack client has no coe commands: %s", out)
	}
	c := &cli{t: t, dir: t.TempDir()}
	c.env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + c.dir, "SHELL=/bin/sh", "LC_ALL=C.UTF-8", "no_proxy=127.0.0.1"}
	for k, v := range rc {
		c.env = append(c.env, k+"="+v)
	}
	return c
}

// run returns what the client printed; it fails the test if the client does.
func (c *cli) run(args ...string) string {
	c.t.Helper()
	out, err := c.try(args...)
	if err != nil {
		c.t.Fatalf("openstack %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (c *cli) try(args ...string) (string, error) {
	cmd := exec.CommandContext(c.t.Context(), "openstack", args...)
	cmd.Env, cmd.Dir = c.env, c.dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// show reads a command's answer given as JSON.
func (c *cli) show(into any, args ...string) {
	c.t.Helper()
	out := c.run(append(args, "-f", "json")...)
	if err := json.Unmarshal([]byte(out), into); err != nil {
		c.t.Fatalf("openstack %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// batch runs commands one after the other in one client, since to start takes it
// longer than most commands, and returns what each printed.
func (c *cli) batch(commands ...string) []string {
	c.t.Helper()
	const mark = "===="
	cmd := exec.CommandContext(c.t.Context(), "openstack")
	cmd.Env, cmd.Dir = c.env, c.dir
	cmd.Stdin = strings.NewReader(strings.Join(commands, "\n!echo "+mark+"\n") + "\n")
	out, err := cmd.CombinedOutput()
	printed := strings.Split(string(out), mark+"\n")
	if err != nil || len(printed) != len(commands) {
		c.t.Fatalf("openstack < %q: %v\n%s", commands, err, out)
	}
	return printed
}

func (c *cli) wait(cluster, want string, within time.Duration) map[string]any {
	c.t.Helper()
	var got map[string]any
	poll(c.t, within, "cluster "+cluster+" to be "+want, func() (bool, error) {
		if c.status != nil {
			if status := c.status(cluster); status != want && !strings.HasSuffix(status, "_FAILED") {
				return false, nil
			}
		}
		c.show(&got, "coe", "cluster", "show", cluster)
		if status := got["status"].(string); status != want && strings.HasSuffix(status, "_FAILED") {
			return false, fmt.Errorf("it is %s: %v", status, got["status_reason"])
		}
		return got["status"] == want, nil
	})
	return got
}

func (c *cli) createTemplate(name string, extra ...string) {
	c.t.Helper()
	args := append([]string{"coe", "cluster", "template", "create", name, "--coe", "kubernetes",
		"--image", "fedora-atomic-latest", "--external-network", "public", "--flavor", "m1.small",
		"--master-flavor", "m1.small", "--keypair", "testkey", "--network-driver", "flannel"}, extra...)
	poll(c.t, 30*time.Second, "the driver to be published", func() (bool, error) {
		out, err := c.try(args...)
		if err == nil && strings.Contains(out, "| uuid") {
			return true, nil
		}
		if strings.Contains(out, "not supported") {
			return false, nil
		}
		return false, fmt.Errorf("%w\n%s", err, out)
	})
}

// TestOpenStackClient drives the service with the client its users have.
func TestOpenStackClient(t *testing.T) {
	l := newLab(t, 300*time.Millisecond)
	c := newCLI(t, l.cloud.OpenRC("demo"))
	l.startAPI()
	l.start("conductor", "")

	c.createTemplate("k8s", "--labels", "kube_tag=v1.15.7,mine=yes")
	var templates []map[string]any
	c.show(&templates, "coe", "cluster", "template", "list")
	if len(templates) != 1 || templates[0]["name"] != "k8s" {
		t.Fatalf("template list: %v", templates)
	}
	var template map[string]any
	c.show(&template, "coe", "cluster", "template", "show", "k8s")
	labels, _ := template["labels"].(map[string]any)
	if template["cluster_distro"] != "fedora-atomic" || labels["mine"] != "yes" {
		t.Errorf("template show: %v", template)
	}

	out := c.run("coe", "cluster", "create", "one", "--cluster-template", "k8s", "--node-count", "2")
	if !strings.HasPrefix(out, "Request to create cluster ") {
		t.Errorf("cluster create printed %q", out)
	}
	var list []map[string]any
	c.show(&list, "coe", "cluster", "list")
	if len(list) != 1 || list[0]["name"] != "one" || fmt.Sprint(list[0]["node_count"]) != "2" {
		t.Errorf("cluster list right after create: %v", list)
	}
	got := c.wait("one", "CREATE_COMPLETE", 90*time.Second)
	if nodes, _ := got["node_addresses"].([]any); len(nodes) != 2 {
		t.Errorf("cluster show: %v", got)
	}

	c.config("one", got["api_address"].(string))
	c.certificates("one")

	c.run("coe", "cluster", "resize", "one", "1")
	if got := c.wait("one", "UPDATE_COMPLETE", 90*time.Second); fmt.Sprint(got["node_count"]) != "1" {
		t.Errorf("after the resize node_count is %v", got["node_count"])
	}
	if out, _ := c.try("coe", "cluster", "template", "delete", "k8s"); !strings.Contains(out, "is referenced by one or multiple clusters") {
		t.Errorf("template delete while in use printed %q", out)
	}
	c.run("coe", "cluster", "delete", "one")
	poll(t, 90*time.Second, "the cluster to be gone", func() (bool, error) {
		var left []map[string]any
		c.show(&left, "coe", "cluster", "list")
		return len(left) == 0, nil
	})
	if out := c.run("coe", "cluster", "template", "delete", "k8s"); !strings.Contains(out, "has been accepted") {
		t.Errorf("template delete printed %q", out)
	}
	if stacks := l.cloud.Stacks(); len(stacks) != 0 {
		t.Errorf("stacks left: %+v", stacks)
	}
}

// config has the client write a kubeconfig and looks into it. It returns how it
// has its user ask the cluster.
func (c *cli) config(cluster, api string) *tls.Config {
	c.t.Helper()
	if out := c.run("coe", "cluster", "config", cluster, "--dir", c.dir); !strings.Contains(out, "export KUBECONFIG=") {
		c.t.Errorf("cluster config printed %q", out)
	}
	text, err := os.ReadFile(filepath.Join(c.dir, "config"))
	if err != nil {
		c.t.Fatal(err)
	}
	var kubeconfig struct {
		Clusters []struct {
			Cluster struct {
				Server string `yaml:"server"`
				CA     string `yaml:"certificate-authority-data"`
			} `yaml:"cluster"`
		} `yaml:"clusters"`
		Users []struct {
			User struct {
				Certificate string `yaml:"client-certificate-data"`
				Key         string `yaml:"client-key-data"`
			} `yaml:"user"`
		} `yaml:"users"`
	}
	if err := yaml.Unmarshal(text, &kubeconfig); err != nil {
		c.t.Fatal(err)
	}
	if len(kubeconfig.Clusters) != 1 || len(kubeconfig.Users) != 1 || kubeconfig.Clusters[0].Cluster.Server != api {
		c.t.Fatalf("the kubeconfig is %s, want server %s", text, api)
	}
	pem := func(data string) []byte {
		text, err := base64.StdEncoding.DecodeString(data)
		if err != nil {
			c.t.Fatal(err)
		}
		return text
	}
	user := kubeconfig.Users[0].User
	pair, err := tls.X509KeyPair(pem(user.Certificate), pem(user.Key))
	if err != nil {
		c.t.Fatal(err)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, RootCAs: x509.NewCertPool()}
	if !config.RootCAs.AppendCertsFromPEM(pem(kubeconfig.Clusters[0].Cluster.CA)) {
		c.t.Fatal("the kubeconfig has no authority")
	}
	return config
}

// certificates has a request signed and verifies the answer against the CA.
func (c *cli) certificates(cluster string) {
	c.t.Helper()
	_, csr := newRequest(c.t, "admin", "system:masters")
	path := filepath.Join(c.dir, "client.csr")
	if err := os.WriteFile(path, csr, 0o600); err != nil {
		c.t.Fatal(err)
	}
	ca := x509.NewCertPool()
	if !ca.AppendCertsFromPEM([]byte(c.run("coe", "ca", "show", cluster))) {
		c.t.Fatal("ca show printed no certificate")
	}
	block, _ := pem.Decode([]byte(c.run("coe", "ca", "sign", cluster, path)))
	if block == nil {
		c.t.Fatal("ca sign printed no certificate")
	}
	signed, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := signed.Verify(x509.VerifyOptions{Roots: ca, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
		c.t.Errorf("the signed certificate: %v", err)
	}
}
