package wire

import (
	"errors"
	"fmt"
	"net"
	"runtime/debug"
)

// What one write takes at most, and how much scratch memory an idle connection
// keeps.
const (
	writeCalls  = 64
	writeBytes  = 1 << 20
	keptScratch = 256 << 10
)

// gather collects encoded requests into the buffers of one write: bytes that
// were encoded lie in scratch, bytes that belong to a Vectored request stay
// where they are.
type gather struct {
	header  requestHeader
	max     int // of one request
	scratch []byte
	run     int // scratch[run:] is not in vecs yet
	vecs    net.Buffers
	bytes   int
}

// add encodes a request as a frame and tells its length without the length
// field. If it fails, nothing is added.
func (g *gather) add(call *Call, id int32) (size int, err error) {
	scratch, run, vecs := g.scratch, g.run, g.vecs
	defer func() {
		if v := recover(); v != nil {
			err = &CallError{API: call.Request.Key(), Kind: ErrInvalid, Cause: &panicError{"the request's encoder", v, debug.Stack()}}
		}
		if err != nil {
			g.scratch, g.run, g.vecs = scratch, run, vecs
			return
		}
		g.bytes += size + 4
	}()
	start := len(g.scratch)
	g.scratch = g.header.append(g.scratch, call.Request, id)
	if v, ok := call.Request.(Vectored); ok {
		size = g.addVectors(v, start)
	} else {
		g.scratch = call.Request.AppendTo(g.scratch)
		size = len(g.scratch) - start - 4
		putLength(g.scratch[start:], size)
	}
	if size < 0 || size > g.max {
		return 0, &CallError{API: call.Request.Key(), Kind: ErrTooLarge, Cause: tooLarge(size, g.max)}
	}
	return size, nil
}

// addVectors adds the header, which ends a run of scratch, and the request's
// own buffers. The length is filled in where the header lies now: should
// scratch grow into new memory, that is the place that vecs refers to.
func (g *gather) addVectors(v Vectored, start int) (size int) {
	length := g.scratch[start : start+4]
	size = len(g.scratch) - start - 4
	g.flush()
	before := len(g.vecs)
	g.scratch, g.vecs = v.AppendVectors(g.scratch, g.vecs)
	for _, b := range g.vecs[before:] {
		size += len(b)
	}
	g.run = len(g.scratch)
	putLength(length, size)
	return size
}

// flush ends a run of scratch.
func (g *gather) flush() {
	if n := len(g.scratch); n > g.run {
		g.vecs = append(g.vecs, g.scratch[g.run:n:n])
		g.run = n
	}
}

// reset forgets what was written.
func (g *gather) reset() {
	clear(g.vecs)
	g.vecs, g.scratch, g.run, g.bytes = g.vecs[:0], g.scratch[:0], 0, 0
	if cap(g.scratch) > keptScratch {
		g.scratch = nil
	}
}

var errEncoder = errors.New("the request's encoder gave back less than it was given")

func tooLarge(size, limit int) error {
	if size < 0 {
		return errEncoder
	}
	return fmt.Errorf("the request has %d bytes, above the limit of %d; send less at once, or raise MaxRequest with the broker's socket.request.max.bytes", size, limit)
}
