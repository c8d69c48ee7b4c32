package kafkatest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// JavaCommand names one run of a main class: a tool out of Kafka's jars, one of the Java clients as a peer, or a program
// of a test's own that uses them.
type JavaCommand struct {
	Version string    // Kafka version whose jars are used; "" = DefaultVersion
	Tool    string    // simple name, looked up in the jars: "ConsoleConsumer", "VerifiableProducer"; or
	Main    string    // full name of the main class; or
	Source  string    // path of one Java file, compiled when it is run. Needs a JDK
	Args    []string  // its arguments
	Stdin   io.Reader // nil = empty
	HeapMB  int       // 0 = 512
	JVM     []string  // further JVM options
}

// JavaProcess is a running JavaCommand. It dies with this process. Safe for concurrent use.
type JavaProcess struct {
	name   string
	dir    *runDir
	proc   *process
	mu     sync.Mutex
	more   chan struct{} // closed and renewed when output grew
	stdout bytes.Buffer
	stderr bytes.Buffer
}

// Tool returns a command for one of Kafka's tools in the cluster's own version; args as the tool takes them.
func (k *Kafka) Tool(name string, args ...string) JavaCommand {
	return JavaCommand{Version: k.version.text, Tool: name, Args: args}
}

// RunJava runs the command to its end and returns its standard output. When ctx ends first, or the exit status is not
// zero, the error carries the end of its standard error.
func RunJava(ctx context.Context, command JavaCommand) (string, error) {
	p, err := StartJava(ctx, command)
	if err != nil {
		return "", err
	}
	defer p.Kill()
	err = p.Wait(ctx)
	return p.Stdout(), err
}

// StartJava starts the command and captures its output. ctx bounds the fetching of the jars only. Stop it with
// Interrupt or Kill.
func StartJava(ctx context.Context, command JavaCommand) (*JavaProcess, error) {
	v, err := parseVersion(command.Version)
	if err != nil {
		return nil, err
	}
	jars, err := Fetch(ctx, v.text)
	if err != nil {
		return nil, err
	}
	if command.Main, err = command.main(jars); err != nil {
		return nil, err
	}
	dir, err := newRunDir()
	if err != nil {
		return nil, err
	}
	p := &JavaProcess{name: command.Main, dir: dir, more: make(chan struct{})}
	if err := p.start(v, jars, command); err != nil {
		return nil, errors.Join(err, dir.remove())
	}
	return p, nil
}

// main is what java is given to run.
func (c JavaCommand) main(jars string) (string, error) {
	switch {
	case c.Main != "":
		return c.Main, nil
	case c.Source == "":
		return ToolClass(jars, c.Tool)
	}
	if err := findCompiler(); err != nil {
		return "", err
	}
	return filepath.Abs(c.Source) // it runs in a folder of its own
}

func (p *JavaProcess) start(v version, jars string, command JavaCommand) error {
	option, err := v.logOption(p.dir.path)
	if err != nil {
		return err
	}
	if err := quietLog(p.dir.path); err != nil {
		return err
	}
	cmd, err := jvm{jars: jars, heapMB: command.HeapMB, options: append([]string{option}, command.JVM...),
		main: command.Main, args: command.Args}.command()
	if err != nil {
		return err
	}
	cmd.Dir, cmd.Stdin = p.dir.path, command.Stdin
	cmd.Stdout, cmd.Stderr = capture{p, &p.stdout}, capture{p, &p.stderr}
	p.proc, err = startProcess(cmd, func() { _ = p.dir.remove() })
	return err
}

// quietLog sends a tool's log to standard error and keeps it to warnings: standard output is the tool's answer.
func quietLog(dir string) error {
	edits := map[string]*strings.Replacer{
		"log4j.properties": strings.NewReplacer("INFO", "WARN", "ConsoleAppender\n", "ConsoleAppender\nlog4j.appender.out.target=System.err\n"),
		"log4j2.yaml":      strings.NewReplacer("INFO", "WARN", "name: out\n", "name: out\n      target: SYSTEM_ERR\n"),
	}
	for name, edit := range edits {
		path := filepath.Join(dir, name)
		text, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.WriteFile(path, []byte(edit.Replace(string(text))), 0o600)
		}
		if err != nil {
			return fmt.Errorf("kafkatest: no log configuration: %w", err)
		}
	}
	return nil
}

// capture appends to a buffer of the process and wakes those who wait for a line.
type capture struct {
	p  *JavaProcess
	to *bytes.Buffer
}

func (c capture) Write(b []byte) (int, error) {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	c.to.Write(b)
	c.p.wake()
	return len(b), nil
}

// wake is called with mu held.
func (p *JavaProcess) wake() {
	close(p.more)
	p.more = make(chan struct{})
}

// Stdout is what the process has printed so far.
func (p *JavaProcess) Stdout() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stdout.String()
}

// Stderr is the standard error so far, the log at level WARN included.
func (p *JavaProcess) Stderr() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.String()
}

// WaitLine waits for the first whole line on standard output that match accepts and returns it. The error says when the
// process or ctx ended before.
func (p *JavaProcess) WaitLine(ctx context.Context, match func(line string) bool) (string, error) {
	for {
		ended := p.proc.ended() // before the look: all its output is in the buffer then
		p.mu.Lock()
		text, more := p.stdout.String(), p.more
		p.mu.Unlock()
		for line := range strings.Lines(text) {
			if whole, ok := strings.CutSuffix(line, "\n"); ok && match(whole) {
				return whole, nil
			}
		}
		if ended {
			return "", p.fail("no line fits", exitCause(p.proc))
		}
		select {
		case <-more:
		case <-p.proc.done:
		case <-ctx.Done():
			return "", p.fail("no line fits yet", context.Cause(ctx))
		}
	}
}

// Wait waits until the process ends, or ctx does; it does not stop the process.
func (p *JavaProcess) Wait(ctx context.Context) error {
	if err := p.proc.wait(ctx); err != nil {
		return p.fail("run", err)
	}
	return nil
}

// Interrupt asks the process to end (SIGTERM); the console tools and the verifiable clients then finish in order.
func (p *JavaProcess) Interrupt() error {
	if err := p.proc.signal(signalTerminate); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return p.fail("interrupt", err)
	}
	return nil
}

// Kill ends the process at once and waits until it has ended.
func (p *JavaProcess) Kill() { p.proc.kill() }

func (p *JavaProcess) fail(doing string, cause error) error {
	log := p.Stderr()
	if len(log) > 4096 {
		log = log[len(log)-4096:]
	}
	return &NodeError{Node: p.name, Doing: doing, Cause: cause, Log: log}
}
