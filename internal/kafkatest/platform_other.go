//go:build !unix

package kafkatest

import (
	"context"
	"os"
	"os/exec"
	"runtime"
)

// Real brokers need Unix: signals to pause a process, locks that end with their holder. Elsewhere the first step of
// every start, a lock, says so; the fake, the proxy and the in-memory network work everywhere.
const (
	signalTerminate = unsupportedSignal("terminate")
	signalPause     = unsupportedSignal("pause")
	signalContinue  = unsupportedSignal("continue")
)

type unsupportedSignal string

func (s unsupportedSignal) String() string { return string(s) }
func (unsupportedSignal) Signal()          {}

func dieWithParent(*exec.Cmd) {}

func tryLock(string) (*os.File, error) {
	return nil, &UnsupportedError{What: "running real brokers", Have: runtime.GOOS}
}

func lockFile(context.Context, string) (func(), error) {
	_, err := tryLock("")
	return nil, err
}
