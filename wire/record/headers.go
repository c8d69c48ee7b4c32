package record

import (
	"iter"
	"unsafe"
)

// Header is one record header. A nil Value is null, which is not the empty value.
type Header struct {
	Key   string
	Value []byte
}

// Headers are a record's headers in their wire form. The zero value is none. Copies
// may be used concurrently; nothing changes the bytes behind one.
type Headers struct {
	raw []byte // per header: varint key length, key, varint value length, value
	n   int
}

// HeadersOf encodes headers, in one allocation. Keys may repeat; order is kept.
func HeadersOf(headers ...Header) Headers {
	size := 0
	for i := range headers {
		size += headerSize(headers[i].Key, headers[i].Value)
	}
	raw := make([]byte, 0, size)
	for i := range headers {
		raw = appendHeader(raw, headers[i].Key, headers[i].Value)
	}
	return Headers{raw: raw, n: len(headers)}
}

// Add adds one header behind the others. It copies them, because they may be shared;
// HeadersOf is the way to make many.
func (h *Headers) Add(key string, value []byte) {
	raw := make([]byte, len(h.raw), len(h.raw)+headerSize(key, value))
	copy(raw, h.raw)
	h.raw = appendHeader(raw, key, value)
	h.n++
}

// Len is the number of headers.
func (h Headers) Len() int { return h.n }

// Size is the length of their wire form, in bytes.
func (h Headers) Size() int { return len(h.raw) }

// Get returns the value of the last header with this key, as Java's lastHeader does,
// and whether there is one.
func (h Headers) Get(key string) (value []byte, ok bool) {
	for k, v := range h.All() {
		if k == key {
			value, ok = v, true
		}
	}
	return value, ok
}

// All yields keys and values in order. Both point into the record's buffer: clone
// what is to outlive it when buffers are recycled.
func (h Headers) All() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		raw := h.raw
		for range h.n {
			var key, value []byte
			key, value, raw = cutHeader(raw)
			if !yield(unsafe.String(unsafe.SliceData(key), len(key)), value) {
				return
			}
		}
	}
}

// cutHeader splits the first header off raw, whose form has been checked before.
func cutHeader(raw []byte) (key, value, rest []byte) {
	n, i := readVarint(raw, 0)
	key = raw[i : i+int(n) : i+int(n)]
	raw = raw[i+int(n):]
	n, i = readVarint(raw, 0)
	if n < 0 {
		return key, nil, raw[i:]
	}
	return key, raw[i : i+int(n) : i+int(n)], raw[i+int(n):]
}

// checkHeaders tells whether raw is n well-formed headers and nothing else. A header
// takes at least two bytes, so n cannot make it run longer than raw.
func checkHeaders(raw []byte, n int64) bool {
	if n < 0 || n > int64(len(raw)/2) {
		return false
	}
	i := 0
	for range n {
		var size int64
		size, i = readVarint(raw, i)
		if size < 0 || size > int64(len(raw)-i) {
			return false
		}
		i += int(size)
		size, i = readVarint(raw, i)
		if size < -1 || size > int64(len(raw)-i) {
			return false
		}
		i += int(max(size, 0))
	}
	return i == len(raw)
}

func headerSize(key string, value []byte) int {
	return varintSize(int64(len(key))) + len(key) + bytesSize(value)
}

func appendHeader(dst []byte, key string, value []byte) []byte {
	dst = appendVarint(dst, int64(len(key)))
	dst = append(dst, key...)
	if value == nil {
		return appendVarint(dst, -1)
	}
	dst = appendVarint(dst, int64(len(value)))
	return append(dst, value...)
}
