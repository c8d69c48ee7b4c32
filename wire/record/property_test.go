package record

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"github.com/moldau-go/moldau/wire/compress"
)

// drawBytes draws null, empty and filled.
func drawBytes(t *rapid.T, label string) []byte {
	switch rapid.IntRange(0, 3).Draw(t, label+" kind") {
	case 0:
		return nil
	case 1:
		return []byte{}
	case 2:
		return rapid.SliceOfN(rapid.Byte(), 1, 20).Draw(t, label)
	}
	n := rapid.SampledFrom([]int{62, 63, 64, 127, 128, 8190, 8191, 8192, 8193, 70000}).Draw(t, label+" length")
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * n)
	}
	return b
}

func drawHeaders(t *rapid.T) (out []Header) {
	for range rapid.IntRange(0, 3).Draw(t, "headers") {
		out = append(out, Header{Key: rapid.StringN(0, 5, 20).Draw(t, "header key"), Value: drawBytes(t, "header value")})
	}
	return out
}

// drawRecords draws records with rising offsets, holes included.
func drawRecords(t *rapid.T, base int64, headers bool) (out []Record) {
	offset := base
	for range rapid.IntRange(0, 8).Draw(t, "records") {
		r := Record{Key: drawBytes(t, "key"), Value: drawBytes(t, "value"), Offset: offset}
		if headers {
			r.Headers = HeadersOf(drawHeaders(t)...)
		}
		r.Timestamp = rapid.OneOf(rapid.Int64Range(0, 1<<42), rapid.Int64Range(t0-100, t0+100)).Draw(t, "timestamp")
		offset += rapid.SampledFrom([]int64{1, 1, 1, 2, 100, 1 << 20}).Draw(t, "gap")
		out = append(out, r)
	}
	return out
}

func drawHeader(t *rapid.T) BatchHeader {
	h := BatchHeader{
		Magic:                2,
		BaseOffset:           rapid.Int64Range(0, 1<<60).Draw(t, "base"),
		PartitionLeaderEpoch: rapid.Int32().Draw(t, "leader epoch"),
		BaseTimestamp:        rapid.Int64Range(0, t0+1000).Draw(t, "base timestamp"),
		ProducerID:           rapid.Int64().Draw(t, "producer"),
		ProducerEpoch:        rapid.Int16().Draw(t, "epoch"),
		BaseSequence:         rapid.Int32().Draw(t, "sequence"),
		Attributes:           Attributes(rapid.Int16Range(0, 4).Draw(t, "codec")),
	}
	for _, a := range []Attributes{AttrTransactional, AttrLogAppendTime, AttrDeleteHorizon} {
		if rapid.Bool().Draw(t, "attribute") {
			h.Attributes |= a
		}
	}
	return h
}

func plainAll(records []Record) (out []plainRecord) {
	for i := range records {
		out = append(out, plain(&records[i]))
	}
	return out
}

func TestRoundTrip(t *testing.T) {
	codecs := compress.NewRegistry()
	rapid.Check(t, func(t *rapid.T) {
		h := drawHeader(t)
		records := drawRecords(t, h.BaseOffset, true)
		data := batchOf(t, codecs, h, records)
		want := plainAll(records)
		var newest int64
		for i := range want {
			newest = max(newest, want[i].Timestamp)
		}
		for i := range want {
			if h.Attributes.LogAppendTime() {
				want[i].Timestamp = newest
			}
		}
		got, err := readAll(codecs, data)
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

func TestSizeIsWhatAppendAppends(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Record{Key: drawBytes(t, "key"), Value: drawBytes(t, "value"), Headers: HeadersOf(drawHeaders(t)...)}
		delta := rapid.Int64().Draw(t, "delta")
		offset := rapid.Int32().Draw(t, "offset delta")
		dst := Append([]byte("before"), delta, offset, &r)
		require.Equal(t, "before", string(dst[:6]))
		require.Len(t, dst[6:], Size(delta, offset, &r))
	})
}

// What we encode, kmsg's structs decode.
func TestKmsgReadsOurs(t *testing.T) {
	codecs := compress.NewRegistry()
	rapid.Check(t, func(t *rapid.T) {
		h := drawHeader(t)
		h.Attributes &^= attrCodec
		records := drawRecords(t, h.BaseOffset, true)
		data := batchOf(t, codecs, h, records)

		var batch kmsg.RecordBatch
		require.NoError(t, batch.ReadFrom(data))
		require.Equal(t, h.BaseOffset, batch.FirstOffset)
		require.Equal(t, len(data)-12, int(batch.Length))
		require.Equal(t, h.PartitionLeaderEpoch, batch.PartitionLeaderEpoch)
		require.Equal(t, int16(h.Attributes), batch.Attributes)
		require.Equal(t, h.BaseTimestamp, batch.FirstTimestamp)
		require.Equal(t, h.ProducerID, batch.ProducerID)
		require.Equal(t, h.ProducerEpoch, batch.ProducerEpoch)
		require.Equal(t, h.BaseSequence, batch.FirstSequence)
		require.Equal(t, len(records), int(batch.NumRecords))

		rest := batch.Records
		for i := range records {
			var r kmsg.Record
			require.NoError(t, r.ReadFrom(rest))
			rest = rest[varintSize(int64(r.Length))+int(r.Length):]
			want := plain(&records[i])
			require.Equal(t, want.Key, r.Key)
			require.Equal(t, want.Value, r.Value)
			require.Equal(t, want.Timestamp, batch.FirstTimestamp+r.TimestampDelta64)
			require.Equal(t, want.Offset, batch.FirstOffset+int64(r.OffsetDelta))
			require.Len(t, r.Headers, len(want.Headers))
			for j, header := range r.Headers {
				require.Equal(t, want.Headers[j], plainHeader{header.Key, header.Value})
			}
		}
		require.Empty(t, rest)
	})
}

// What kmsg's structs encode, we decode.
func TestWeReadKmsgs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records := drawRecords(t, 500, true)
		var body []byte
		last := int32(0)
		for i := range records {
			want := plain(&records[i])
			r := kmsg.Record{Key: want.Key, Value: want.Value, TimestampDelta64: want.Timestamp - t0, OffsetDelta: int32(want.Offset - 500)}
			for _, h := range want.Headers {
				r.Headers = append(r.Headers, kmsg.Header{Key: h.Key, Value: h.Value})
			}
			r.Length = int32(len(r.AppendTo(nil)) - 1) // a length of 0 takes one byte
			body = r.AppendTo(body)
			last = r.OffsetDelta
		}
		batch := kmsg.RecordBatch{FirstOffset: 500, Magic: 2, FirstTimestamp: t0, LastOffsetDelta: last, NumRecords: int32(len(records)), Records: body}
		batch.Length = int32(len(batch.AppendTo(nil)) - 12)
		batch.CRC = int32(crcOf(batch.AppendTo(nil)[21:], true))

		got, err := readAll(nil, batch.AppendTo(nil))
		require.NoError(t, err)
		require.Equal(t, plainAll(records), got)
	})
}

// Message sets of the old formats, as kmsg's structs encode them, compressed or not.
func TestWeReadKmsgsOldMessages(t *testing.T) {
	codecs := compress.NewRegistry()
	rapid.Check(t, func(t *rapid.T) {
		magic := rapid.Int8Range(0, 1).Draw(t, "magic")
		codec := compress.Type(rapid.Int8Range(0, 3).Draw(t, "codec"))
		records := drawRecords(t, 500, false)
		if len(records) == 0 {
			return
		}
		base := int64(0)
		if magic == 1 && codec != compress.None {
			base = 500 // KIP-31: offsets in a wrapper are relative
		}
		var set []byte
		newest := int64(0)
		for i := range records {
			r := &records[i]
			newest = max(newest, r.Timestamp)
			if magic == 0 {
				r.Timestamp = NoTimestamp
			}
			set = appendKmsg(set, magic, r.Offset-base, 0, r.Timestamp, r.Key, r.Value)
		}
		if codec != compress.None {
			packed, err := codecs.Compress(codec, nil, set, 0)
			require.NoError(t, err)
			set = appendKmsg(nil, magic, records[len(records)-1].Offset, int8(codec), newest, nil, packed)
		}
		got, err := readAll(codecs, set)
		require.NoError(t, err)
		require.Equal(t, plainAll(records), got)
	})
}

// appendKmsg appends a message of v0 or v1 by way of kmsg's structs.
func appendKmsg(dst []byte, magic int8, offset int64, attributes int8, timestamp int64, key, value []byte) []byte {
	encode := func(size, crc int32) []byte {
		if magic == 0 {
			m := kmsg.MessageV0{Offset: offset, MessageSize: size, CRC: crc, Attributes: attributes, Key: key, Value: value}
			return m.AppendTo(nil)
		}
		m := kmsg.MessageV1{Offset: offset, MessageSize: size, CRC: crc, Magic: 1, Attributes: attributes, Timestamp: timestamp, Key: key, Value: value}
		return m.AppendTo(nil)
	}
	raw := encode(0, 0)
	return append(dst, encode(int32(len(raw)-12), int32(crcOf(raw[16:], false)))...)
}

// What we convert for old brokers, kmsg's structs decode.
func TestKmsgReadsConverted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		magic := rapid.Int8Range(0, 1).Draw(t, "magic")
		records := drawRecords(t, 0, true)
		body, h := produced(records)
		to := Legacy{Magic: magic, DropHeaders: true, DropTimestamps: true}
		cut := rapid.IntRange(0, len(body)).Draw(t, "cut")
		set, err := DownConvert(nil, &h, to, body[:cut], body[cut:])
		require.NoError(t, err)
		for i := range records {
			want := records[i]
			if magic == 0 {
				var m kmsg.MessageV0
				require.NoError(t, m.ReadFrom(set))
				require.Equal(t, []any{want.Offset, want.Key, want.Value}, []any{m.Offset, m.Key, m.Value})
				require.Equal(t, m.CRC, int32(crcOf(set[16:12+m.MessageSize], false)))
				set = set[12+m.MessageSize:]
				continue
			}
			var m kmsg.MessageV1
			require.NoError(t, m.ReadFrom(set))
			require.Equal(t, []any{want.Offset, want.Key, want.Value, want.Timestamp}, []any{m.Offset, m.Key, m.Value, m.Timestamp})
			require.Equal(t, m.CRC, int32(crcOf(set[16:12+m.MessageSize], false)))
			set = set[12+m.MessageSize:]
		}
		require.Empty(t, set)
	})
}
