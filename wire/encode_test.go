package wire

import (
	"bytes"
	"net"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"
)

// Frames are those of kmsg's own formatter, for every API in every version,
// with and without a client id.
func TestFramesAgreeWithFormatter(t *testing.T) {
	for _, client := range []string{"", "some client"} {
		formatter := kmsg.NewRequestFormatter()
		if client != "" {
			formatter = kmsg.NewRequestFormatter(kmsg.FormatterClientID(client))
		}
		for key := range int16(len(apis)) {
			for v := int16(0); v <= apis[key].max; v++ {
				req := kmsg.RequestForKey(key)
				req.SetVersion(v)
				g := gather{header: newRequestHeader(client), max: 1 << 20}
				size, err := g.add(&Call{Request: req}, 77)
				require.NoError(t, err)
				g.flush()
				want := formatter.AppendRequest(nil, req, 77)
				if key == 7 && v == 0 { // for which the formatter leaves out length and body
					want = req.AppendTo(want)
					putLength(want, len(want)-4)
				}
				require.Equal(t, want, bytes.Join(g.vecs, nil), "%s v%d", APIName(key), v)
				require.Equal(t, len(want)-4, size)
			}
		}
	}
}

// chunked is a heartbeat whose body is written from several buffers.
type chunked struct {
	kmsg.HeartbeatRequest
	chunks   [][]byte // even ones through scratch, odd ones as they are
	panics   bool
	released int
}

func (c *chunked) AppendVectors(scratch []byte, v net.Buffers) ([]byte, net.Buffers) {
	for i, chunk := range c.chunks {
		if i%2 == 0 {
			start := len(scratch)
			scratch = append(scratch, chunk...)
			v = append(v, scratch[start:len(scratch):len(scratch)])
			continue
		}
		v = append(v, chunk)
	}
	if c.panics {
		panic("half way")
	}
	return scratch, v
}

func (c *chunked) Release() { c.released++ }

// Whatever mix of plain, vectored, broken and too large requests is gathered,
// what is written is the good ones' frames one after the other.
func TestGatherProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const limit = 5000
		g := gather{header: newRequestHeader("c"), max: limit}
		for range 2 { // the second time with used memory
			var want []byte
			for id := range int32(rapid.IntRange(0, 20).Draw(t, "calls")) {
				var req kmsg.Request
				var body []byte
				good := true
				switch rapid.IntRange(0, 3).Draw(t, "kind") {
				case 0:
					hb := heartbeat()
					hb.Group = string(make([]byte, rapid.IntRange(0, limit+100).Draw(t, "group")))
					body, req = hb.AppendTo(nil), hb
				case 1:
					c := &chunked{chunks: rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 900), 0, 7).Draw(t, "chunks")}
					body, req = bytes.Join(c.chunks, nil), c
				case 2:
					req, good = &chunked{chunks: [][]byte{make([]byte, 9000), {1}}, panics: true}, false
				case 3:
					req, good = &brokenRequest{panics: true}, false
				}
				head := g.header.append(nil, req, id)
				size, err := g.add(&Call{Request: req}, id)
				if len(head)-4+len(body) > limit {
					good = false
				}
				require.Equal(t, good, err == nil, "%v", err)
				if good {
					frame := slices.Concat(head, body)
					putLength(frame, len(frame)-4)
					require.Equal(t, len(frame)-4, size)
					want = append(want, frame...)
				}
			}
			g.flush()
			require.True(t, bytes.Equal(want, bytes.Join(g.vecs, nil)))
			require.Equal(t, len(want), g.bytes)
			g.reset()
		}
	})
}

func TestResponseHeader(t *testing.T) {
	tests := map[string]struct {
		in       []byte
		key      int16
		flexible bool
		want     []byte
		bad      bool
	}{
		"plain":                      {[]byte{1, 2}, 3, false, []byte{1, 2}, false},
		"flexible without tags":      {[]byte{0, 1, 2}, 3, true, []byte{1, 2}, false},
		"flexible with tags":         {[]byte{2, 0, 1, 9, 5, 2, 9, 9, 1, 2}, 3, true, []byte{1, 2}, false},
		"ApiVersions has none":       {[]byte{0, 1, 2}, 18, true, []byte{0, 1, 2}, false},
		"empty":                      {nil, 3, true, nil, true},
		"a tag longer than the rest": {[]byte{1, 0, 200, 1, 2}, 3, true, nil, true},
		"many tags that are not":     {[]byte{0xff, 0xff, 0xff, 0xff, 7, 0}, 3, true, nil, true},
		"a number without end":       {bytes.Repeat([]byte{0xff}, 20), 3, true, nil, true},
	}
	for name, test := range tests {
		got, err := skipResponseHeader(test.in, test.key, test.flexible)
		require.Equal(t, test.bad, err != nil, name)
		require.Equal(t, test.want, got, name)
	}
}

func FuzzResponseHeaderAndVersions(f *testing.F) {
	f.Add(append([]byte{0}, offers().AppendTo(nil)...), true, int16(0))
	refused := &kmsg.ApiVersionsResponse{ErrorCode: int16(UnsupportedVersion)}
	f.Add(refused.AppendTo(nil), false, int16(4))
	v3 := offers()
	v3.SetVersion(3)
	v3.FinalizedFeatures = []kmsg.ApiVersionsResponseFinalizedFeature{{Name: "group.version", MaxVersionLevel: 1}}
	f.Add(v3.AppendTo(nil), false, int16(3))
	f.Fuzz(func(t *testing.T, body []byte, flexible bool, version int16) {
		rest, err := skipResponseHeader(body, 3, flexible)
		if err == nil && len(rest) > len(body) {
			t.Fatal("the header gave bytes")
		}
		req := kmsg.NewPtrApiVersionsRequest()
		req.Version = min(max(version, 0), req.MaxVersion())
		resp, err := decodeVersions(req, body)
		if err != nil {
			return
		}
		if down := downgrade(resp, firstAsked); down < 0 || down >= firstAsked {
			t.Fatalf("downgraded to %d", down)
		}
		v := versionsFrom(resp)
		for key := range apis {
			if got, err := v.choose(int16(key), nil); err == nil && (got < 0 || got > apis[key].max) {
				t.Fatalf("%s chosen at %d", APIName(int16(key)), got)
			}
		}
	})
}
