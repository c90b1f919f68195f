package launch

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/go-magnum/magnum/sdk/serve"
)

// pipes are what connects a child with its host: the child's ends, which the
// host closes once the child has them, and the host's. All are closed on exec,
// so that no other child can hold them open.
type pipes struct {
	childStdin, childStdout, childStderr, childKeys *os.File

	stdin, stdout, stderr, keys *os.File
}

func openPipes(withKeys bool) (*pipes, error) {
	p := &pipes{}
	for _, pair := range []struct {
		read, write **os.File
		wanted      bool
	}{
		{&p.childStdin, &p.stdin, true},
		{&p.stdout, &p.childStdout, true},
		{&p.stderr, &p.childStderr, true},
		{&p.childKeys, &p.keys, withKeys},
	} {
		if !pair.wanted {
			continue
		}
		r, w, err := os.Pipe()
		if err != nil {
			p.closeChild()
			p.closeHost()
			return nil, fmt.Errorf("make a pipe for the driver: %w", err)
		}
		*pair.read, *pair.write = r, w
	}
	return p, nil
}

// sendKeys leaves the keys in their pipe, which is large enough to take them
// before anybody reads.
func (p *pipes) sendKeys(keys serve.Keys) error {
	text, err := json.Marshal(keys)
	if err != nil {
		return fmt.Errorf("encode the keys of the driver's connection: %w", err)
	}
	if _, err := p.keys.Write(text); err != nil {
		return fmt.Errorf("hand the keys of its connection to the driver: %w", err)
	}
	err = p.keys.Close() // the end of the file is the end of the keys
	p.keys = nil
	return err
}

func (p *pipes) closeChild() {
	closeAll(p.childStdin, p.childStdout, p.childStderr, p.childKeys)
}

func (p *pipes) closeHost() {
	closeAll(p.stdin, p.stdout, p.stderr, p.keys)
}

// finish waits for the readers of stdout and stderr after the process is gone.
// They end by themselves unless something that escaped the process group holds
// the other end; then they are ended.
func (p *pipes) finish(read <-chan struct{}, patience time.Duration) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-read:
	case <-timer.C:
	}
	p.closeHost()
	<-read
}

func closeAll(files ...*os.File) {
	for _, f := range files {
		if f != nil {
			_ = f.Close()
		}
	}
}
