package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log" //nolint:depguard // what authors' libraries write to it goes to hclog
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"

	"github.com/go-magnum/magnum/sdk/driver"
)

const (
	// EnvLogLevel names the environment variable with the level a driver
	// logs at, in hclog's words.
	EnvLogLevel = "MAGNUM_DRIVER_LOG_LEVEL"

	// describeLimit bounds the describe subcommand: the contract asks for
	// 100 ms, and nothing it does may wait.
	describeLimit = 10 * time.Second
)

// HandshakeConfig is what go-plugin asks of both sides before anything else.
// The cookie is no secret: it tells a driver started by Magnum from one
// started by hand.
func HandshakeConfig() plugin.HandshakeConfig {
	return plugin.HandshakeConfig{
		MagicCookieKey:   "MAGNUM_DRIVER_PLUGIN",
		MagicCookieValue: "5d3d2c1e-9c0c-4f0e-8c7e-magnum-driver",
	}
}

// PluginName is the name under which go-plugin knows the one plugin there is.
const PluginName = "driver"

// Main is the whole main of a driver. It does not return.
func Main(p Plugin) {
	os.Exit(run(p, os.Args[1:]))
}

func run(p Plugin, args []string) int {
	if err := p.check(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	command := ""
	if len(args) > 0 {
		command = args[0]
	}
	switch command {
	case "describe":
		return describe(p)
	case "version":
		fmt.Fprintln(os.Stdout, versionLine(p))
		return 0
	case "--help", "-h", "help":
		fmt.Fprint(os.Stdout, usage(p))
		return 0
	case "":
		return serve(p)
	default:
		fmt.Fprintf(os.Stderr, "%s: unknown command %q\n\n%s", p.Name, command, usage(p))
		return 2
	}
}

func versionLine(p Plugin) string {
	commit := ""
	if p.Commit != "" {
		commit = "commit " + p.Commit + ", "
	}
	return fmt.Sprintf("%s %s (%sprotocol %d.%d, sdk %s, %s)", p.Name, p.Version, commit,
		driver.ProtocolMajor, driver.ProtocolMinor, sdkVersion(), runtime.Version())
}

func usage(p Plugin) string {
	return strings.Join([]string{
		versionLine(p),
		"",
		"This program is a Magnum driver. Magnum's conductor starts it when a cluster needs it;",
		"install it with: magnum-driver-manage install PACKAGE",
		"To debug it, start it with: magnum-driver-manage run PROGRAM",
		"",
		"By hand it knows:",
		"  describe   print the driver's description as JSON",
		"  version    print what it was built from",
		"  --help     print this",
		"",
	}, "\n")
}

// describe prints the description and nothing else: what the author's code
// prints on its way goes to stderr.
func describe(p Plugin) int {
	out, err := protectStdout()
	if err != nil {
		fmt.Fprintf(os.Stderr, "describe %s: %v\n", p.Name, err)
		return 1
	}
	os.Stdout = os.Stderr
	if err := writeDescription(p, out); err != nil {
		fmt.Fprintf(os.Stderr, "describe %s: %v\n", p.Name, err)
		return 1
	}
	return 0
}

func writeDescription(p Plugin, out io.Writer) error {
	ctx, cancel := context.WithTimeout(context.Background(), describeLimit)
	defer cancel()
	d, err := p.describe(ctx)
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the description: %w", err)
	}
	_, err = out.Write(append(text, '\n'))
	return err
}

// newLogger logs to stderr, and makes that the default of hclog and of the
// standard library's log. A host reads JSON lines and passes them on; people read
// text.
func newLogger(p Plugin, asJSON bool) hclog.Logger {
	level := hclog.LevelFromString(os.Getenv(EnvLogLevel))
	if level == hclog.NoLevel {
		level = p.LogLevel
	}
	if level == hclog.NoLevel {
		level = hclog.Info
	}
	logger := hclog.New(&hclog.LoggerOptions{Level: level, Output: os.Stderr, JSONFormat: asJSON})
	hclog.SetDefault(logger)
	log.SetFlags(0)
	log.SetOutput(logger.StandardWriter(&hclog.StandardLoggerOptions{InferLevels: true}))
	return logger
}
