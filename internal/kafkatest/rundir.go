package kafkatest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// keepFailedLogs is how long the logs of failed tests stay.
const keepFailedLogs = 24 * time.Hour

// runRoot holds everything that running brokers write, in one folder per user.
func runRoot() string {
	return filepath.Join(os.TempDir(), "moldau-kafka-"+strconv.Itoa(os.Getuid()))
}

// runDir is the folder of one cluster: data and logs. A lock inside tells that its owner lives. The owner removes it;
// if the owner is killed, the next cluster to start does.
type runDir struct {
	path string
	lock *os.File
}

func newRunDir() (*runDir, error) {
	root := runRoot()
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, fmt.Errorf("kafkatest: no place for the brokers' data: %w", err)
	}
	sweep(root)
	path, err := os.MkdirTemp(root, "new-")
	if err != nil {
		return nil, fmt.Errorf("kafkatest: no place for the brokers' data: %w", err)
	}
	lock, err := tryLock(filepath.Join(path, "lock"))
	if err != nil {
		os.RemoveAll(path)
		return nil, err
	}
	// Only folders named run- are swept, and a folder gets that name with its lock held.
	final := filepath.Join(root, "run-"+strings.TrimPrefix(filepath.Base(path), "new-"))
	if err := os.Rename(path, final); err != nil {
		lock.Close()
		os.RemoveAll(path)
		return nil, fmt.Errorf("kafkatest: no place for the brokers' data: %w", err)
	}
	return &runDir{path: final, lock: lock}, nil
}

func (d *runDir) remove() error {
	err := os.RemoveAll(d.path)
	d.lock.Close()
	return err
}

// sweep removes what killed test processes left, and logs of old failures.
func sweep(root string) {
	runs, _ := filepath.Glob(filepath.Join(root, "run-*"))
	for _, run := range runs {
		lock, err := tryLock(filepath.Join(run, "lock"))
		if err != nil || lock == nil {
			continue // in use, or just now removed by its owner
		}
		os.RemoveAll(run)
		lock.Close()
	}
	for _, pattern := range []string{"new-*", "failed-*"} {
		old, _ := filepath.Glob(filepath.Join(root, pattern))
		for _, path := range old {
			if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > keepFailedLogs {
				os.RemoveAll(path)
			}
		}
	}
}
