package main

import (
	"encoding/base64"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/moldau-go/moldau"
)

// printer is how a record is printed.
func printer(format string, json bool) (func(io.Writer, *moldau.Record) error, error) {
	line := func(text func(r *moldau.Record) string) func(io.Writer, *moldau.Record) error {
		return func(w io.Writer, r *moldau.Record) error {
			_, err := io.WriteString(w, text(r)+"\n")
			return err
		}
	}
	switch {
	case format != "v" && format != "kv" && format != "okv":
		return nil, usagef("--format %q: want v, kv or okv", format)
	case json:
		return func(w io.Writer, r *moldau.Record) error { return printJSON(w, recordJSON(r)) }, nil
	case format == "v":
		return line(func(r *moldau.Record) string { return string(r.Value) }), nil
	case format == "kv":
		return line(func(r *moldau.Record) string { return string(r.Key) + "\t" + string(r.Value) }), nil
	}
	return line(func(r *moldau.Record) string { return fmt.Sprintf("%d\t%s\t%s", r.Offset, r.Key, r.Value) }), nil
}

// jsonRecord is the JSON form of a record. Bytes that are no UTF-8 come in
// base64, in a field of their own; null stays null.
type jsonRecord struct {
	jsonPlace
	Timestamp   string       `json:"timestamp"`
	Key         *string      `json:"key"`
	KeyBase64   string       `json:"key_base64,omitempty"`
	Value       *string      `json:"value"`
	ValueBase64 string       `json:"value_base64,omitempty"`
	Headers     []jsonHeader `json:"headers"`
}

type jsonHeader struct {
	Key         string  `json:"key"`
	Value       *string `json:"value"`
	ValueBase64 string  `json:"value_base64,omitempty"`
}

func recordJSON(r *moldau.Record) jsonRecord {
	out := jsonRecord{
		jsonPlace: jsonPlace{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset},
		Timestamp: time.UnixMilli(r.Timestamp).UTC().Format("2006-01-02T15:04:05.000Z07:00"),
		Headers:   []jsonHeader{},
	}
	out.Key, out.KeyBase64 = bytesJSON(r.Key)
	out.Value, out.ValueBase64 = bytesJSON(r.Value)
	for key, value := range r.Headers.All() {
		header := jsonHeader{Key: key}
		header.Value, header.ValueBase64 = bytesJSON(value)
		out.Headers = append(out.Headers, header)
	}
	return out
}

func bytesJSON(b []byte) (text *string, binary string) {
	switch {
	case b == nil:
		return nil, ""
	case utf8.Valid(b):
		s := string(b)
		return &s, ""
	}
	return nil, base64.StdEncoding.EncodeToString(b)
}
