//go:build unix && !linux

package kafkatest

import (
	"os/exec"
	"syscall"
)

// dieWithParent can only keep a terminal's Ctrl-C away here: no other Unix signals a parent's death.
func dieWithParent(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
