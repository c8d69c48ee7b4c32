package handle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// jsonValue is a JSON value that knows where it stands. encoding/json alone
// takes the last of two equal keys and ignores case; a configuration must not.
type jsonValue struct {
	path string
	kind string // in words
	text string // of a string, number or truth value
	keys map[string]*jsonValue
	list []*jsonValue
}

func (v *jsonValue) mistake(what string) error { return fmt.Errorf("%s: %s", v.path, what) }

func (v *jsonValue) strings() ([]string, bool) {
	if v.kind != "a list" {
		return nil, false
	}
	var list []string
	for _, entry := range v.list {
		if entry.kind != "a string" {
			return nil, false
		}
		list = append(list, entry.text)
	}
	return list, true
}

// maxDepth bounds how deep a value is nested; no configuration needs more.
const maxDepth = 16

func parseJSON(text []byte) (*jsonValue, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	root, err := readJSON(d, "", 0)
	if err != nil {
		return nil, positioned(d, err)
	}
	if root.path = "the file"; root.keys == nil {
		return nil, root.mistake("want an object with settings, not " + root.kind)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, positioned(d, errors.New("there is more after the end of the object"))
	}
	return root, nil
}

func positioned(d *json.Decoder, err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("near byte %d: %w", d.InputOffset(), err)
}

func readJSON(d *json.Decoder, path string, depth int) (*jsonValue, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("%s: nested too deep", path)
	}
	v := &jsonValue{path: path}
	switch t := token.(type) {
	case json.Delim:
		if t == '{' {
			return v, v.readObject(d, depth)
		}
		return v, v.readList(d, depth)
	case string:
		v.kind, v.text = "a string", t
	case json.Number:
		v.kind, v.text = "a number", t.String()
	case bool:
		v.kind, v.text = "true or false", fmt.Sprint(t)
	default:
		v.kind = "null"
	}
	return v, nil
}

func (v *jsonValue) readObject(d *json.Decoder, depth int) error {
	v.kind, v.keys = "an object", map[string]*jsonValue{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		key := token.(string) // the decoder has seen to it
		path := key
		if v.path != "" {
			path = v.path + "." + key
		}
		if v.keys[key] != nil {
			return fmt.Errorf("%s: the key stands twice", path)
		}
		if v.keys[key], err = readJSON(d, path, depth+1); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

func (v *jsonValue) readList(d *json.Decoder, depth int) error {
	v.kind = "a list"
	for d.More() {
		entry, err := readJSON(d, fmt.Sprintf("%s[%d]", v.path, len(v.list)), depth+1)
		if err != nil {
			return err
		}
		v.list = append(v.list, entry)
	}
	_, err := d.Token()
	return err
}
