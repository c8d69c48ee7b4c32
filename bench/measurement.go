package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// measurement is what a child prints.
type measurement struct {
	Records         int     `json:"records"`
	Bytes           int64   `json:"bytes"`
	Seconds         float64 `json:"seconds"`
	RecordsPerSec   float64 `json:"records_per_s"`
	CPU             float64 `json:"cpu_s"` // user and system time of the process
	RecordsPerCPU   float64 `json:"records_per_cpu_s"`
	AllocsPerRecord float64 `json:"allocs_per_record"` // Go's; a C library's are not seen
	BytesPerRecord  float64 `json:"alloc_bytes_per_record"`
	ExtraMS         float64 `json:"extra_ms"`    // of the call that a moving leader met
	AckedAfter      int     `json:"acked_after"` // a callback that panicked
	Died            bool    `json:"died"`        // of that panic
	MaxRSS          float64 `json:"max_rss_mib"`
	Requests        int64   `json:"requests"` // 0: the client does not tell
	P50             float64 `json:"p50_us,omitempty"`
	P99             float64 `json:"p99_us,omitempty"`

	begun   time.Time
	cpu     time.Duration
	memory  runtime.MemStats
	onBegin func() error
	onEnd   func()
}

func (m *measurement) begin() error {
	runtime.GC()
	if m.onBegin != nil {
		if err := m.onBegin(); err != nil {
			return err
		}
	}
	runtime.ReadMemStats(&m.memory)
	m.cpu, _ = usage()
	m.begun = time.Now()
	return nil
}

// beginAllocs leaves out what was allocated until now.
func (m *measurement) beginAllocs() { runtime.ReadMemStats(&m.memory) }

// end takes the figures of m.Records records of so many bytes.
func (m *measurement) end(bytes int64) {
	m.Seconds = time.Since(m.begun).Seconds()
	cpu, rss := usage()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	if m.onEnd != nil {
		m.onEnd()
	}
	records := float64(m.Records)
	m.Bytes, m.CPU, m.MaxRSS = bytes, (cpu - m.cpu).Seconds(), rss
	m.RecordsPerSec, m.RecordsPerCPU = records/m.Seconds, records/m.CPU
	m.AllocsPerRecord = float64(memory.Mallocs-m.memory.Mallocs) / records
	m.BytesPerRecord = float64(memory.TotalAlloc-m.memory.TotalAlloc) / records
}

// usage is the process's CPU time and its largest resident size in MiB.
func usage() (time.Duration, float64) {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()), peakRSS(r.Maxrss)
}

// peakRSS asks Linux for this program's peak: what getrusage knows began with
// the process that started it.
func peakRSS(fromUsage int64) float64 {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			var kib float64
			if _, err := fmt.Sscan(value, &kib); err == nil {
				return kib / 1024
			}
		}
	}
	return float64(fromUsage) / 1024
}
