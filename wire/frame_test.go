package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func frameOf(id int32, body []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)+4))
	b = binary.BigEndian.AppendUint32(b, uint32(id))
	return append(b, body...)
}

// readFrame reads as the connection's reader does, with owned into memory of the
// caller's.
func readFrame(f *frameReader, owned bool) (id int32, body []byte, err error) {
	size, err := f.size(4)
	if err != nil {
		return 0, nil, err
	}
	if id, err = f.correlation(); err != nil {
		return 0, nil, err
	}
	var memory []byte
	if owned {
		memory = make([]byte, size) // more than it takes
	}
	body, err = f.body(size-4, memory)
	return id, body, err
}

func TestFrameLengths(t *testing.T) {
	const limit = 1000
	tests := map[string]struct {
		head   []byte
		kind   error
		reason string
	}{
		"2 GB":         {[]byte{0x7f, 0xff, 0xff, 0xff}, ErrTooLarge, "above the limit"},
		"one over":     {[]byte{0, 0, 3, 0xe9}, ErrTooLarge, "raise MaxFrame"},
		"negative":     {[]byte{0xff, 0xff, 0xff, 0xff}, ErrCorrupt, "negative"},
		"tiny":         {[]byte{0, 0, 0, 3}, ErrCorrupt, "too short"},
		"zero":         {[]byte{0, 0, 0, 0}, ErrCorrupt, "too short"},
		"TLS alert":    {[]byte{0x15, 3, 3, 0}, ErrTooLarge, "speaks TLS"},
		"HTTP":         {[]byte("HTTP/1.1 400 Bad Request"), ErrTooLarge, "web server"},
		"SSH":          {[]byte("SSH-2.0-OpenSSH"), ErrTooLarge, "SSH server"},
		"nothing":      {nil, io.EOF, ""},
		"half a head":  {[]byte{0, 0}, io.ErrUnexpectedEOF, ""},
		"no id":        {[]byte{0, 0, 0, 9}, io.ErrUnexpectedEOF, ""},
		"half an id":   {[]byte{0, 0, 0, 9, 0}, io.ErrUnexpectedEOF, ""},
		"half a frame": {[]byte{0, 0, 0, 9, 0, 0, 0, 1, 7, 7}, io.ErrUnexpectedEOF, ""},
	}
	for name, test := range tests {
		_, _, err := readFrame(newFrameReader(bytes.NewReader(test.head), limit), false)
		require.ErrorIs(t, err, test.kind, name)
		require.ErrorContains(t, err, test.reason, name)
	}
}

// A length that lies costs no more memory than what is trusted at first plus a
// multiple of what has arrived.
func TestLyingLengthAllocatesLittle(t *testing.T) {
	const claimed = 1 << 31 >> 1 // 1 GiB, which MaxFrame allows here
	stream := binary.BigEndian.AppendUint32(nil, claimed)
	stream = append(stream, make([]byte, 3<<20)...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, err := readFrame(newFrameReader(bytes.NewReader(stream), 1<<31-1), false)
	runtime.ReadMemStats(&after)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(12<<20))
}

// A buffer that grows is read into once more for each size that it has had, as this
// source gives all that is asked for.
func TestHonestLargeFramesAreReadWithoutGrowing(t *testing.T) {
	const size = 5 << 20
	f := newFrameReader(bytes.NewReader(bytes.Repeat(frameOf(1, make([]byte, size)), 2)), 100<<20)
	_, body, err := readFrame(f, false)
	require.NoError(t, err)
	require.Len(t, body, size)
	require.GreaterOrEqual(t, f.trusted, 2*size)
	require.EqualValues(t, 1+4, f.reads, "what is in the slab, and then 1, 2, 4 and 5 MiB")
	_, body, err = readFrame(f, false)
	require.NoError(t, err)
	require.Equal(t, size, cap(body), "one exact buffer")
	require.EqualValues(t, 1+4+2, f.reads, "what is in the slab, and all the rest")
}

func TestReaderThatNeverDelivers(t *testing.T) {
	_, err := newFrameReader(emptyReader{}, 1000).size(4)
	require.ErrorIs(t, err, io.ErrNoProgress)
}

type emptyReader struct{}

func (emptyReader) Read([]byte) (int, error) { return 0, nil }

// Frames come out as they went in, however the stream is cut; bodies that were
// handed out are never written again.
func TestFramesProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.OneOf(rapid.IntRange(0, 64), rapid.IntRange(slabFrame-8, slabFrame+8), rapid.IntRange(0, 3*slabSize)), 1, 20).Draw(t, "sizes")
		var stream []byte
		want := make([][]byte, len(sizes))
		for i, n := range sizes {
			want[i] = bytes.Repeat([]byte{byte(i + 1)}, n)
			stream = append(stream, frameOf(int32(i), want[i])...)
		}
		cut := rapid.IntRange(0, len(stream)).Draw(t, "cut")
		var src io.Reader = bytes.NewReader(stream[:cut])
		switch rapid.IntRange(0, 3).Draw(t, "how") {
		case 0:
			src = iotest.HalfReader(src)
		case 1:
			src = iotest.DataErrReader(src)
		case 2:
			src = &chunkReader{src: src, n: rapid.IntRange(1, 100).Draw(t, "chunk")}
		}
		f := newFrameReader(src, 1<<20)
		var got [][]byte
		for {
			id, body, err := readFrame(f, rapid.Bool().Draw(t, "owned"))
			if err != nil {
				require.True(t, err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF), "%v", err)
				break
			}
			require.EqualValues(t, len(got), id)
			require.Equal(t, len(body), cap(body), "append cannot reach what follows")
			got = append(got, body)
		}
		whole, rest := 0, cut
		for whole < len(want) && rest >= len(want[whole])+8 {
			rest -= len(want[whole]) + 8
			whole++
		}
		require.Len(t, got, whole, "every whole frame comes out")
		for i := range got {
			require.True(t, bytes.Equal(want[i], got[i]), "frame %d", i)
		}
	})
}

type chunkReader struct {
	src io.Reader
	n   int
}

func (c *chunkReader) Read(p []byte) (int, error) { return c.src.Read(p[:min(len(p), c.n)]) }

func FuzzFrames(f *testing.F) {
	f.Add(frameOf(1, []byte("hello")), true)
	f.Add([]byte{0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0}, false)
	f.Add([]byte{0x15, 3, 3, 0, 2, 2, 40}, false)
	f.Add(append(frameOf(1, nil), frameOf(2, make([]byte, 5000))...), false)
	f.Fuzz(func(t *testing.T, stream []byte, owned bool) {
		const limit = 1 << 20
		r := newFrameReader(bytes.NewReader(stream), limit)
		used := 0
		for {
			_, body, err := readFrame(r, owned)
			if err != nil {
				return
			}
			used += 8 + len(body)
			if len(body) > limit || used > len(stream) || !bytes.Equal(stream[used-len(body):used], body) {
				t.Fatalf("a body that the stream does not hold at %d", used)
			}
		}
	})
}
