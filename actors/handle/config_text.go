package handle

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moldau-go/moldau/wire"
)

// set gives the setting the value of a text, as it stands in an environment
// variable or as a string in a configuration file. The error says what was
// expected, and does not repeat the text.
func (o option) set(text string) error {
	if o.off && text == "off" {
		text = "-1"
		if _, duration := o.field.(*time.Duration); duration {
			text = "-1ns"
		}
	}
	switch field := o.field.(type) {
	case *string:
		*field = text
		return nil
	case *[]string:
		*field = strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
		return nil
	case *bool:
		switch text {
		case "true", "false":
			*field = text == "true"
			return nil
		}
		return errors.New("want true or false")
	case *int:
		n, err := parseNumber(text, math.MaxInt32)
		*field = int(n)
		return err
	case *int32:
		n, err := parseNumber(text, math.MaxInt32)
		*field = int32(n)
		return err
	case *time.Duration:
		return setDuration(field, text)
	case choice:
		at := slices.Index(field.words, text)
		if at < 0 {
			return wantOneOf(field.words)
		}
		*field.at = int8(at)
		return nil
	case pins:
		return field.set(text)
	case partitioning:
		return field.set(text)
	}
	panic("no such kind of setting: " + o.name)
}

func setDuration(field *time.Duration, text string) error {
	d, err := time.ParseDuration(text)
	if err != nil {
		return errors.New(`want a time with its unit, as "500ms", "5s" or "2m"`)
	}
	*field = d
	return nil
}

// parseNumber reads a whole number; one that counts bytes may end in KiB, MiB
// or GiB.
func parseNumber(text string, most int64) (int64, error) {
	factor := int64(1)
	for i, unit := range []string{"KiB", "MiB", "GiB"} {
		if short, ok := strings.CutSuffix(text, unit); ok {
			text, factor = short, 1<<(10*(i+1))
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return 0, errors.New(`want a whole number; one of bytes may end in KiB, MiB or GiB`)
	}
	if n > most/factor || n < -most/factor {
		return 0, fmt.Errorf("want at most %d", most)
	}
	return n * factor, nil
}

// set reads "Fetch=11, Metadata=9".
func (p pins) set(text string) error {
	versions := map[int16]int16{}
	for entry := range strings.SplitSeq(text, ",") {
		name, number, found := strings.Cut(strings.TrimSpace(entry), "=")
		version, err := strconv.ParseUint(number, 10, 15)
		key := apiKey(name)
		if !found || err != nil || key < 0 {
			return errors.New(`want API=version pairs, as "Fetch=11, Metadata=9"`)
		}
		if _, twice := versions[key]; twice {
			return fmt.Errorf("%s is pinned twice", name)
		}
		versions[key] = int16(version)
	}
	*p.at = versions
	return nil
}

// apiKey finds an API by its name in the protocol; -1 if there is none.
func apiKey(name string) int16 {
	for key := range int16(lastAPIKey) {
		if wire.APIName(key) == name {
			return key
		}
	}
	return -1
}

// lastAPIKey is above every key that the protocol has.
const lastAPIKey = 200
