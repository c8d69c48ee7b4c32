package kafkatest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// portLease holds ports for as long as a cluster lives, so that its nodes come back on the same ones.
//
// A port from the kernel's ephemeral range could be taken by any outgoing connection while a node is down, so the kit
// takes ports below that range; and one file lock per port keeps test processes that run at once off each other.
type portLease struct {
	dir   string
	locks []*os.File
}

func newPortLease() (*portLease, error) {
	dir := filepath.Join(runRoot(), "ports")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("kafkatest: ports cannot be reserved: %w", err)
	}
	return &portLease{dir: dir}, nil
}

// take reserves one free port of 127.0.0.1.
func (l *portLease) take() (int, error) {
	const low = 11000
	high := ephemeralLow()
	if high < low+1000 {
		high = 65536 // no room below: the locks must do
	}
	for range 1000 {
		port := low + rand.IntN(high-low)
		lock, err := tryLock(filepath.Join(l.dir, strconv.Itoa(port)))
		if err != nil {
			return 0, err
		}
		if lock == nil {
			continue
		}
		if !free(port) {
			lock.Close()
			continue
		}
		l.locks = append(l.locks, lock)
		return port, nil
	}
	return 0, fmt.Errorf("kafkatest: no free port between %d and %d in 1000 tries", low, high)
}

func (l *portLease) release() {
	for _, lock := range l.locks {
		lock.Close()
	}
	l.locks = nil
}

func free(port int) bool {
	ln, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
	if err != nil {
		return false
	}
	ln.Close()
	return true
}

func ephemeralLow() int {
	const linuxDefault = 32768
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return linuxDefault
	}
	fields := strings.Fields(string(text))
	if len(fields) == 0 {
		return linuxDefault
	}
	low, err := strconv.Atoi(fields[0])
	if err != nil || low <= 0 {
		return linuxDefault
	}
	return low
}
