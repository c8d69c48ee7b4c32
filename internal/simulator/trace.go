package simulator

import (
	"fmt"
	"time"
)

// trace keeps the last lines of what happened and a hash of all of them.
type trace struct {
	hash  uint64
	limit int // lines of the tail
	all   bool
	kept  []line // a ring of limit lines, or everything with all
	next  int    // where the ring goes on
}

// line is one trace line, formatted only when somebody reads it.
type line struct {
	at               time.Duration
	node, kind, text string
}

func (l line) String() string {
	return fmt.Sprintf("%12s  %-14s %-8s %s", l.at, l.node, l.kind, l.text)
}

// The parameters of FNV-1a, 64 bits.
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

func newTrace(limit int, all bool) trace {
	return trace{hash: fnvOffset, limit: limit, all: all}
}

func (t *trace) add(at time.Duration, node, kind, text string) {
	t.mix(uint64(at))
	t.mixText(node)
	t.mixText(kind)
	t.mixText(text)
	l := line{at, node, kind, text}
	if t.all || len(t.kept) < t.limit {
		t.kept = append(t.kept, l)
		return
	}
	t.kept[t.next] = l
	t.next = (t.next + 1) % t.limit
}

func (t *trace) mix(value uint64) {
	for range 8 {
		t.hash = (t.hash ^ value&0xff) * fnvPrime
		value >>= 8
	}
}

// mixText mixes the length too, so that no two lists of texts look alike.
func (t *trace) mixText(text string) {
	t.mix(uint64(len(text)))
	for i := range len(text) {
		t.hash = (t.hash ^ uint64(text[i])) * fnvPrime
	}
}

// lines gives what is kept, oldest first.
func (t *trace) lines() []string {
	texts := make([]string, 0, len(t.kept))
	for i := range t.kept {
		texts = append(texts, t.kept[(t.next+i)%len(t.kept)].String())
	}
	return texts
}

// tail gives the last lines, at most the limit.
func (t *trace) tail() []string {
	texts := t.lines()
	return texts[max(0, len(texts)-t.limit):]
}
