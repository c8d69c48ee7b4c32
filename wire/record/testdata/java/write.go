//go:build ignore

// Command write makes batches and message sets of every format with every codec, for
// ReadBack.java to read. Argument: the folder to write to.
package main

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/moldau-go/moldau/wire/compress"
	"github.com/moldau-go/moldau/wire/record"
)

const t0 = 1700000000000

func main() {
	dir := os.Args[1]
	if err := os.MkdirAll(dir, 0o755); err != nil {
		log.Fatal(err)
	}
	codecs := compress.NewRegistry()
	body, header := records()
	for codec := compress.None; codec <= compress.Zstd; codec++ {
		for _, level := range []int{0, 1, 9} {
			name := fmt.Sprintf("%v-level%d.bin", codec, level)
			save(dir, "v2-"+name, batch(codecs, header, body, codec, level))
			for magic := int8(0); magic < 2 && codec < compress.Zstd; magic++ {
				to := record.Legacy{Magic: magic, Codec: codec, Level: level, Codecs: codecs, DropHeaders: true, DropTimestamps: true}
				set, err := record.DownConvert(nil, &header, to, body)
				if err != nil {
					log.Fatal(err)
				}
				save(dir, fmt.Sprintf("v%d-%s", magic, name), set)
			}
		}
	}
}

func records() ([]byte, record.BatchHeader) {
	list := []record.Record{
		{Key: []byte("key-0"), Value: []byte("value-0"), Headers: record.HeadersOf(
			record.Header{Key: "a", Value: []byte("1")}, record.Header{Key: "b"}, record.Header{Key: "a", Value: []byte{}})},
		{Value: []byte("only value")},
		{Key: []byte("only key")},
		{Key: []byte{}, Value: []byte{}},
		{Key: []byte("big"), Value: []byte(strings.Repeat("the same and the same again ", 2500))},
	}
	header := record.NewBatchHeader()
	header.BaseTimestamp, header.MaxTimestamp = t0, t0+4
	header.Count, header.LastOffsetDelta = int32(len(list)), int32(len(list))-1
	var body []byte
	for i := range list {
		body = record.Append(body, int64(i), int32(i), &list[i])
	}
	return body, header
}

func batch(codecs *compress.Registry, h record.BatchHeader, body []byte, codec compress.Type, level int) []byte {
	packed, err := codecs.Compress(codec, nil, body, level)
	if err != nil {
		log.Fatal(err)
	}
	h.Attributes = record.Attributes(codec)
	var head [record.HeaderSize]byte
	record.PutHeader(&head, &h, packed)
	return append(head[:], packed...)
}

func save(dir, name string, data []byte) {
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
		log.Fatal(err)
	}
}
