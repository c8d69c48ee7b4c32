package kafkatest

import (
	"os/exec"
	"syscall"
)

// dieWithParent also puts the child into a process group of its own, so that a terminal's Ctrl-C reaches this process
// alone, which then ends its children in order.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
