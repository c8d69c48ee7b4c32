package kafkatest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// RunKcat runs kcat, which is librdkafka on the command line, to its end, and returns its standard output. stdin may be
// nil. It dies with this process and when ctx ends; then, or when the exit status is not zero, the error carries its
// standard error. Errors: MissingToolError, NodeError.
func RunKcat(ctx context.Context, stdin io.Reader, args ...string) ([]byte, error) {
	kcat, err := exec.LookPath("kcat")
	if err != nil {
		return nil, &MissingToolError{Tool: "kcat", Need: "a test lets librdkafka read and write", Cure: "install it (Debian: apt-get install kcat)"}
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(kcat, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &stdout, &stderr
	p, err := startProcess(cmd, nil)
	if err != nil {
		return nil, err
	}
	if err := p.wait(ctx); err != nil {
		p.kill()
		return nil, &NodeError{Node: "kcat", Doing: "run", Cause: fmt.Errorf("kcat %s: %w", strings.Join(args, " "), err), Log: stderr.String()}
	}
	return stdout.Bytes(), nil
}
