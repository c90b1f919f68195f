package launch

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/go-hclog"
)

const (
	// lineLimit is where a line without an end is passed on in pieces, so
	// that no driver can fill the host's memory.
	lineLimit = 1 << 20
	// tailLimit is how much of the last output is kept for a crash report.
	tailLimit = 16 << 10
	// traceLimit is how much of a panic or a goroutine dump is kept.
	traceLimit = 256 << 10
)

// lines calls each for every line, without its end, until the reader ends.
func lines(r io.Reader, each func(line string)) {
	in := bufio.NewReaderSize(r, 64<<10)
	var line []byte
	for {
		piece, err := in.ReadSlice('\n')
		line = append(line, piece...)
		if errors.Is(err, bufio.ErrBufferFull) && len(line) < lineLimit {
			continue
		}
		if len(line) > 0 {
			each(strings.TrimRight(string(line), "\r\n"))
			line = line[:0]
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}

// tail keeps the end of what was written to it, and all of a trace.
type tail struct {
	mu    sync.Mutex
	lines []string
	size  int
	trace strings.Builder
}

// addTrace keeps a line of a panic or a goroutine dump, which is worth most at
// its beginning.
func (t *tail) addTrace(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if room := traceLimit - t.trace.Len() - 1; room > 0 {
		t.trace.WriteString(line[:min(len(line), room)])
		t.trace.WriteByte('\n')
	}
}

func (t *tail) Trace() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.trace.String()
}

func (t *tail) add(line string) {
	if len(line) > tailLimit {
		line = line[:tailLimit]
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, line)
	t.size += len(line)
	for t.size > tailLimit {
		t.size -= len(t.lines[0])
		t.lines = t.lines[1:]
	}
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.lines, "\n")
}

// handshakeLine is go-plugin's: core protocol, major version, network, address,
// kind, and an optional certificate. An author's text without a line end may
// stand before it.
const handshakeLine = `1\|\d+\|unix\|/[^|]+\|grpc(\|.*)?$`

// readStdout passes the handshake line on and logs the rest: authors print.
func readStdout(r io.Reader, logger hclog.Logger, handshake func(line string)) {
	expected := regexp.MustCompile(handshakeLine)
	lines(r, func(line string) {
		if handshake != nil {
			if at := expected.FindStringIndex(line); at != nil {
				handshake(line[at[0]:])
				handshake = nil
				line = line[:at[0]]
			}
		}
		if line != "" {
			logger.Warn("driver printed to standard output", "line", line)
		}
	})
}

// traceStarts are how the Go runtime begins a trace; nothing comes after one.
func traceStarts() []string { return []string{"panic: ", "fatal error: ", "SIGQUIT: quit"} }

// readStderr logs what a driver logs: JSON lines of hclog at their own level,
// and other text as it is. Of a trace the first line is an error and the rest,
// which may be thousands of lines, is for debugging and for crash records.
func readStderr(r io.Reader, logger hclog.Logger, last *tail) {
	inTrace := false
	lines(r, func(line string) {
		if line == "" && !inTrace {
			return
		}
		last.add(line)
		starts := !inTrace && slices.ContainsFunc(traceStarts(), func(s string) bool { return strings.HasPrefix(line, s) })
		inTrace = inTrace || starts
		if inTrace {
			last.addTrace(line)
		}
		switch {
		case starts:
			logger.Error("driver crashed", "line", line)
		case inTrace:
			logger.Debug("driver crashed", "line", line)
		case !forward(line, logger):
			logger.Info("driver printed to standard error", "line", line)
		}
	})
}

// forward logs a line that hclog made; it reports whether it was one.
func forward(line string, logger hclog.Logger) bool {
	if !strings.HasPrefix(line, "{") {
		return false
	}
	decoder := json.NewDecoder(bytes.NewReader([]byte(line)))
	decoder.UseNumber() // or 10000000 would come out as 1e+07
	entry := map[string]any{}
	if err := decoder.Decode(&entry); err != nil {
		return false
	}
	message, ok := entry["@message"].(string)
	if !ok {
		return false
	}
	word, _ := entry["@level"].(string)
	level := hclog.LevelFromString(word)
	if level == hclog.NoLevel {
		level = hclog.Info
	}
	var pairs []any
	for _, key := range slices.Sorted(maps.Keys(entry)) {
		switch key {
		case "@message", "@level", "@timestamp":
		case "@module":
			pairs = append(pairs, "module", entry[key])
		default:
			pairs = append(pairs, key, entry[key])
		}
	}
	logger.Log(level, message, pairs...)
	return true
}
