package record

import (
	"hash/crc32"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/moldau-go/moldau/wire/compress"
)

func crcOf(b []byte, v2 bool) uint32 {
	if v2 {
		return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
	}
	return crc32.ChecksumIEEE(b)
}

// produced encodes records as a producer's batch.
func produced(records []Record) ([]byte, BatchHeader) {
	h := NewBatchHeader()
	h.BaseTimestamp = t0
	h.Count = int32(len(records))
	var body []byte
	for i := range records {
		body = Append(body, records[i].Timestamp-t0, int32(records[i].Offset), &records[i])
		h.LastOffsetDelta = int32(records[i].Offset)
	}
	return body, h
}

func TestDownConvertRoundTrip(t *testing.T) {
	codecs := compress.NewRegistry()
	rapid.Check(t, func(t *rapid.T) {
		to := Legacy{
			Magic:          rapid.Int8Range(0, 1).Draw(t, "magic"),
			Codec:          compress.Type(rapid.Int8Range(0, 3).Draw(t, "codec")),
			Codecs:         codecs,
			DropTimestamps: true,
		}
		records := drawRecords(t, 0, false)
		body, h := produced(records)
		set, err := DownConvert([]byte("before"), &h, to, body)
		require.NoError(t, err)
		require.Equal(t, "before", string(set[:6]))
		got, err := readAll(codecs, set[6:])
		require.NoError(t, err)
		want := plainAll(records)
		for i := range want {
			if to.Magic == 0 {
				want[i].Timestamp = NoTimestamp
			}
		}
		require.Equal(t, want, got)
	})
}

func TestDownConvertRefuses(t *testing.T) {
	with := func(r Record) []Record { return []Record{{Value: []byte("fine"), Timestamp: NoTimestamp}, r} }
	headers := with(Record{Offset: 1, Timestamp: NoTimestamp, Headers: HeadersOf(Header{Key: "a"})})
	stamped := with(Record{Offset: 1, Timestamp: t0})
	cases := []struct {
		name    string
		records []Record
		to      Legacy
		reason  error
	}{
		{"headers v0", headers, Legacy{}, ErrNoHeaders},
		{"headers v1", headers, Legacy{Magic: 1}, ErrNoHeaders},
		{"headers dropped", headers, Legacy{Magic: 1, DropHeaders: true}, nil},
		{"timestamps v0", stamped, Legacy{}, ErrNoTimestamps},
		{"timestamps v1", stamped, Legacy{Magic: 1}, nil},
		{"timestamps dropped", stamped, Legacy{DropTimestamps: true}, nil},
		{"v2", stamped, Legacy{Magic: 2}, ErrUnsupportedFormat},
		{"zstd", stamped, Legacy{Magic: 1, Codec: compress.Zstd}, ErrNoCodec},
		{"no registry", stamped, Legacy{Magic: 1, Codec: compress.Gzip}, compress.ErrUnknownCodec},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			body, h := produced(c.records)
			set, err := DownConvert([]byte("x"), &h, c.to, body)
			if c.reason == nil {
				require.NoError(t, err)
				require.Greater(t, len(set), 1)
				return
			}
			require.ErrorIs(t, err, c.reason)
			require.Equal(t, "x", string(set), "dst comes back as it was")
		})
	}
}

func TestDownConvertBrokenRecords(t *testing.T) {
	body, h := produced([]Record{{Value: []byte("abc"), Timestamp: t0}})
	_, err := DownConvert(nil, &h, Legacy{Magic: 1}, body[:len(body)-1])
	require.ErrorIs(t, err, ErrCorrupt)
}

// The header checksum of an lz4 frame in a v0 wrapper is the one that 0.8 and 0.9
// compute: the byte that Java writes there.
func TestDownConvertLZ4HeaderIsJavas(t *testing.T) {
	const at = 26 + 6 // wrapper with null key, frame magic, flags, block size
	body, h := produced([]Record{{Value: []byte("abc"), Timestamp: t0}})
	for magic, name := range []string{"v0-lz4", "v1-lz4"} {
		set, err := DownConvert(nil, &h, Legacy{Magic: int8(magic), Codec: compress.LZ4, Codecs: compress.NewRegistry(), DropTimestamps: true}, body)
		require.NoError(t, err)
		require.Equal(t, golden(t, name)[at+8*magic-6:at+8*magic+1], set[at+8*magic-6:at+8*magic+1])
	}
}
