//go:build unix

package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

const (
	signalTerminate = syscall.SIGTERM
	signalPause     = syscall.SIGSTOP
	signalContinue  = syscall.SIGCONT
)

// tryLock takes an advisory lock that the kernel drops when this process ends, however it ends. It returns nil, nil
// when another holds it. The file stays; closing it gives the lock back.
func tryLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("kafkatest: the lock %s cannot be made: %w", path, err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
		return nil, nil
	}
	return nil, fmt.Errorf("kafkatest: the lock %s cannot be taken: %w", path, err)
}

// lockFile waits for the lock until ctx ends. It asks again and again: flock itself cannot be given up half-way.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	for {
		f, err := tryLock(path)
		if err != nil {
			return nil, err
		}
		if f != nil {
			return func() { f.Close() }, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("kafkatest: another process holds %s: %w", path, context.Cause(ctx))
		case <-time.After(100 * time.Millisecond):
		}
	}
}
