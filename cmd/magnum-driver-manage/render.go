package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/go-magnum/magnum/cmd/internal/conform"
	"github.com/go-magnum/magnum/sdk/driver"
	pb "github.com/go-magnum/magnum/sdk/driverpb"
)

func render() *cobra.Command {
	var file, intent, dir string
	c := &cobra.Command{
		Use: "render BINARY|PACKAGE|SOURCES|NAME[@VERSION]", Short: "Print what Heat would get for a cluster", Args: cobra.ExactArgs(1),
		Long: "Print what Heat would get for a cluster: main template, files, environments and parameters. A secret\n" +
			"is shown by its name; it is filled in on the way to Heat only.\n\n" +
			"The cluster is one of the conformance suite's, and FILE, in YAML, says what is other about it, in the\n" +
			"words of RenderRequest in the driver contract:\n\n" +
			"  cluster: {name: prod, labels: {kube_tag: v1.30.1}}\n" +
			"  node_groups: [{name: default-worker, node_count: 5}]",
		Example: "  magnum-driver-manage render . --cluster cluster.yaml\n" +
			"  magnum-driver-manage render k8s_acme_v1@0.1.0 --intent resize -o stack",
		RunE: func(c *cobra.Command, args []string) error {
			given, err := readRequest(file)
			if err != nil {
				return err
			}
			source := args[0]
			if _, err := os.Stat(source); os.IsNotExist(err) && !strings.ContainsRune(source, filepath.Separator) {
				s, err := openStore(c)
				if err != nil {
					return err
				}
				p, err := find(s, source)
				if err != nil {
					return err
				}
				source = p.Path
			}
			stack, err := conform.Render(c.Context(), conform.Options{Driver: source}, driver.Intent(intent), given)
			if err != nil {
				return failed(fmt.Errorf("render %s: %w", args[0], err))
			}
			files, err := stackFiles(stack)
			if err != nil {
				return err
			}
			if dir != "" {
				return writeFiles(dir, files)
			}
			return printFiles(c.OutOrStdout(), files)
		},
	}
	c.Flags().StringVar(&file, "cluster", "", "`file` that says what is other about the cluster")
	c.Flags().StringVar(&intent, "intent", string(driver.IntentCreate), "`why` it is rendered: create, update, resize, upgrade, create-nodegroup …")
	c.Flags().StringVarP(&dir, "output", "o", "", "write the files into this `folder`")
	return c
}

func readRequest(file string) (map[string]any, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the cluster: %w", err)
	}
	given := map[string]any{}
	if err := yaml.Unmarshal(text, &given); err != nil {
		return nil, fmt.Errorf("read the cluster from %s: %w", file, err)
	}
	return given, nil
}

// stackFiles are a stack as files. Those that the driver names keep their names.
func stackFiles(stack *pb.RenderResponse) (map[string]string, error) {
	parameters := map[string]any{}
	for name, p := range stack.GetParameters() {
		parameters[name] = p.GetValue()
		if p.GetSecret() != "" {
			parameters[name] = map[string]string{"secret": p.GetSecret()}
		}
	}
	text, err := yaml.Marshal(map[string]any{"parameters": parameters})
	if err != nil {
		return nil, err
	}
	files := map[string]string{"stack.yaml": stack.GetTemplate(), "parameters.yaml": string(text)}
	for i, text := range stack.GetEnvironments() {
		files[fmt.Sprintf("environment-%d.yaml", i)] = text
	}
	for name, text := range stack.GetFiles() {
		if _, taken := files[name]; taken || !filepath.IsLocal(name) {
			return nil, fmt.Errorf("the driver renders a file %q, which cannot be shown: name it otherwise", name)
		}
		files[name] = text
	}
	return files, nil
}

func printFiles(w io.Writer, files map[string]string) error {
	var failed error
	for _, name := range slices.Sorted(maps.Keys(files)) {
		_, err := fmt.Fprintf(w, "# ==> %s\n%s\n", name, strings.TrimSuffix(files[name], "\n"))
		failed = errors.Join(failed, err)
	}
	return failed
}

func writeFiles(dir string, files map[string]string) error {
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // templates
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
