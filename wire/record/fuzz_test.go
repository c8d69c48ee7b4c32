package record

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"testing"

	"github.com/moldau-go/moldau/wire/compress"
)

// FuzzBatches feeds bytes as a fetch would return them. Whatever they are: no panic,
// no record outside of its batch, and what can be read can be written and read again.
func FuzzBatches(f *testing.F) {
	seedSmall(f)
	codecs := compress.NewRegistry()
	f.Fuzz(func(t *testing.T, data []byte) {
		batches := NewBatches(data)
		var b Batch
		size := 0
		for batches.Next(&b) {
			size += len(b.Bytes())
			_ = b.Verify()
			readFuzzed(t, codecs, &b)
		}
		if have, _ := batches.Partial(); batches.Err() == nil && size+have != len(data) {
			t.Fatalf("%d bytes in batches and %d in the tail, of %d", size, have, len(data))
		}
	})
}

// FuzzValidChecksum sets the checksums right first, so that the records themselves are
// reached.
func FuzzValidChecksum(f *testing.F) {
	seedSmall(f)
	codecs := compress.NewRegistry()
	f.Fuzz(func(t *testing.T, data []byte) {
		data = bytes.Clone(data)
		for rest := data; ; {
			size, _, err := entrySize(rest)
			if size == 0 || err != nil {
				break
			}
			if rest[posMagic] == 2 {
				binary.BigEndian.PutUint32(rest[posCRC:], crc32.Checksum(rest[posAttributes:size], castagnoli))
			} else {
				finishMessage(rest[:size])
			}
			rest = rest[size:]
		}
		batches := NewBatches(data)
		var b Batch
		for batches.Next(&b) {
			if err := b.Verify(); err != nil {
				t.Fatal(err)
			}
			readFuzzed(t, codecs, &b)
		}
	})
}

func readFuzzed(t *testing.T, codecs *compress.Registry, b *Batch) {
	records, err := b.Open(codecs, 1<<20)
	if err != nil {
		return
	}
	for r := range records.All() {
		if b.Magic == 2 && (r.Offset < b.BaseOffset || r.Offset > b.LastOffset()) {
			t.Fatalf("offset %d outside of %d to %d", r.Offset, b.BaseOffset, b.LastOffset())
		}
		h := NewBatchHeader()
		h.Count = 1
		again := oneFuzzed(t, sealed(t, codecs, h, Append(nil, 0, 0, &r)))
		if !bytes.Equal(again.Key, r.Key) || !bytes.Equal(again.Value, r.Value) ||
			(again.Value == nil) != (r.Value == nil) || again.Headers.Len() != r.Headers.Len() {
			t.Fatalf("wrote %v, read %v", plain(&r), plain(&again))
		}
	}
}

func oneFuzzed(t *testing.T, data []byte) (r Record) {
	batches := NewBatches(data)
	var b Batch
	if !batches.Next(&b) || b.Verify() != nil {
		t.Fatal("a batch of ours cannot be read", batches.Err())
	}
	records, err := b.Open(nil, 0)
	if err != nil || !records.Next(&r) {
		t.Fatal("a record of ours cannot be read", err, records.Err())
	}
	return r
}

// seedSmall adds a small batch of each format with each codec: fuzzing minimises what
// it finds, which takes long with the files that Java wrote.
func seedSmall(f *testing.F) {
	codecs := compress.NewRegistry()
	records := []Record{
		{Key: []byte("k"), Value: []byte("value"), Timestamp: t0, Headers: HeadersOf(Header{Key: "h", Value: []byte("v")}, Header{Key: "n"})},
		{Value: []byte{}, Timestamp: t0 + 1, Offset: 1},
		{Key: []byte{}, Timestamp: t0 - 1, Offset: 3},
	}
	body, h := produced(records)
	for codec := compress.None; codec <= compress.Zstd; codec++ {
		h.Attributes = Attributes(codec)
		f.Add(sealed(f, codecs, h, body))
		for magic := int8(0); magic < 2 && codec < compress.Zstd; magic++ {
			set, err := DownConvert(nil, &h, Legacy{Magic: magic, Codec: codec, Codecs: codecs, DropHeaders: true, DropTimestamps: true}, body)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(set)
		}
	}
}
