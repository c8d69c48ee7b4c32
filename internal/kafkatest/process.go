package kafkatest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
)

// process is a child that dies with this process, even when that is killed.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when the child has ended and was reaped
	err  error         // how it ended; read after done
}

// startProcess starts cmd. The kernel's "signal at the parent's death" fires when the *thread* that forked ends, so a
// goroutine keeps that thread for as long as the child lives. after, unless nil, runs once the child has ended and before
// anybody who waits for it goes on.
func startProcess(cmd *exec.Cmd, after func()) (*process, error) {
	p := &process{cmd: cmd, done: make(chan struct{})}
	dieWithParent(cmd)
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.err = cmd.Wait()
		if after != nil {
			after()
		}
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("kafkatest: %s cannot be started: %w", cmd.Path, err)
	}
	return p, nil
}

// wait blocks until the child has ended or ctx has; it does not stop the child.
func (p *process) wait(ctx context.Context) error {
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// kill ends the child at once and waits until it is reaped. Killing a dead child does nothing.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// signal fails with os.ErrProcessDone for a dead child.
func (p *process) signal(sig os.Signal) error { return p.cmd.Process.Signal(sig) }
