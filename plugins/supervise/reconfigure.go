package supervise

import (
	"bytes"
	"context"
	"fmt"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/serve"
)

// configuration is what a process is to be started with. If what the operator
// has written meanwhile is of no use, it is what this service last used: a slip
// of the pen must not take a driver away that runs.
func (i *instance) configuration() ([]byte, error) {
	config, err := i.readConfig()
	if err == nil {
		return config, nil
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.config == nil {
		return nil, rejection{err}
	}
	i.badConfig(err)
	return *i.config, nil
}

func (i *instance) readConfig() ([]byte, error) {
	config, err := i.cfg.Configuration(i.pkg.Name)
	if err == nil && len(config) > 0 {
		err = i.pkg.CheckConfig(config)
	}
	return config, err
}

// badConfig tells of a configuration that is not used, once; i.mu is held.
func (i *instance) badConfig(err error) {
	if text := redact(err.Error()); text != i.configError {
		i.configError = text
		i.lastError = err
		i.faulted(string(driver.ClassPrecondition), string(driver.BlameOperator), text)
		i.logger.Error("configuration is not used, the one before stays", "error", text)
		i.changed()
	}
}

// reconfigure gives a running process the configuration that the operator has
// changed meanwhile. It is called by who tends the process, and nobody else.
func (i *instance) reconfigure(p *process) {
	config, err := i.readConfig()
	switch {
	case err != nil:
	case !bytes.Equal(config, p.config):
		err = i.apply(p, config)
	case i.cfg.LogLevel(i.pkg.Name) != p.level:
		err = i.replace(p) // whatever language it is in
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if err != nil {
		i.badConfig(fmt.Errorf("configure: %w", err))
		return
	}
	i.configError = ""
}

func (i *instance) apply(p *process, config []byte) error {
	if len(config) == 0 {
		return i.replace(p) // nothing can be taken back but by a new process
	}
	ctx, cancel := context.WithTimeout(context.Background(), i.cfg.ProbeTimeout)
	defer cancel()
	out, err := serve.NewControl(p.Conn()).Configure(ctx, driver.ConfigureRequest{Config: config})
	if err != nil {
		return err
	}
	if out.NeedsRestart {
		return i.replace(p)
	}
	p.config = config
	i.mu.Lock()
	defer i.mu.Unlock()
	i.config = &config
	i.logger.Info("driver is configured anew")
	return nil
}

// replace starts a process beside one that goes on until the new one is ready.
func (i *instance) replace(p *process) error {
	ctx, cancel := context.WithTimeout(context.Background(), i.cfg.Launch.StartTimeout)
	defer cancel()
	i.work.Go(func() {
		select {
		case <-i.quit:
			cancel()
		case <-ctx.Done():
		}
	})
	next, err := i.bringUp(ctx)
	if err != nil {
		return err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.process != p || i.closed || i.retired || i.checking != nil {
		next.ordered = true
		i.end(next, next.Kill)
		return nil // whoever comes next starts with what is written then
	}
	i.leave(p, "its configuration changed")
	i.use(next)
	return nil
}
