package launch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
)

// outputLimit bounds what a driver may print of itself.
const outputLimit = 4 << 20

// Describe runs the binary's describe subcommand, under the rules that a
// serving driver is started by, and returns what it printed. Nothing may be
// written to, and there is no network. The context's
// deadline bounds it, and StartTimeout does too.
func Describe(ctx context.Context, cfg Config) ([]byte, error) {
	cfg = cfg.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, cfg.StartTimeout)
	defer cancel()
	b, err := openBinary(cfg.Binary, cfg.SHA256)
	if err != nil {
		return nil, err
	}
	defer b.close()
	confined, err := cfg.confine(b, "")
	if err != nil {
		return nil, err
	}
	defer confined.close()
	p, err := openPipes(false)
	if err != nil {
		return nil, err
	}
	defer p.closeHost()
	c, err := spawn(b, confined, cfg.Name, []string{"describe"}, cfg.environment(), p.childStdin, p.childStdout, p.childStderr)
	p.closeChild()
	if err != nil {
		return nil, err
	}

	var (
		readers sync.WaitGroup
		out     []byte
		readErr error
		last    tail
	)
	readers.Go(func() { out, readErr = io.ReadAll(io.LimitReader(p.stdout, outputLimit+1)) })
	readers.Go(func() { readStderr(p.stderr, cfg.Logger, &last) })
	read := make(chan struct{})
	go func() { readers.Wait(); close(read) }()

	overran := false
	select {
	case <-c.reaped:
	case <-ctx.Done():
		overran = true
	}
	c.signal(syscall.SIGKILL)
	<-c.reaped
	p.finish(read, cfg.PipeTimeout)

	switch {
	case overran:
		return nil, fmt.Errorf("%q did not end in time: %w", cfg.Name+" describe", context.Cause(ctx))
	case !c.cmd.ProcessState.Success():
		return nil, fmt.Errorf("%q failed: %s: %s", cfg.Name+" describe", c.status(), last.String())
	case readErr != nil && !errors.Is(readErr, os.ErrClosed):
		return nil, fmt.Errorf("read what %q prints: %w", cfg.Name+" describe", readErr)
	case len(out) > outputLimit:
		return nil, fmt.Errorf("%q prints more than %d bytes", cfg.Name+" describe", outputLimit)
	}
	return out, nil
}
