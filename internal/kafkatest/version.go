package kafkatest

import (
	"fmt"
	"strconv"
	"strings"
)

// DefaultVersion is the Kafka version that is started when none is named: the newest one that the kit was tried with.
const DefaultVersion = "4.3.1"

// version is a Kafka version such as 0.8.2.2 or 4.3.1, comparable number by number.
type version struct {
	text  string
	parts [4]int
}

func parseVersion(text string) (version, error) {
	if text == "" {
		text = DefaultVersion
	}
	v := version{text: text}
	numbers, _, _ := strings.Cut(text, "-") // 4.4.0-rc1
	fields := strings.Split(numbers, ".")
	if len(fields) < 3 || len(fields) > 4 {
		return version{}, fmt.Errorf("kafkatest: %q is not a Kafka version: want one such as 4.3.1 or 0.8.2.2", text)
	}
	for i, field := range fields {
		n, err := strconv.Atoi(field)
		if err != nil || n < 0 {
			return version{}, fmt.Errorf("kafkatest: %q is not a Kafka version: %q is not a number", text, field)
		}
		v.parts[i] = n
	}
	if !v.atLeast(0, 8, 2) {
		return version{}, &UnsupportedError{What: "starting a broker", Since: "0.8.2", Have: text}
	}
	return v, nil
}

// atLeast tells whether v is the given version or a newer one; numbers left out are zero.
func (v version) atLeast(parts ...int) bool {
	for i, have := range v.parts {
		want := 0
		if i < len(parts) {
			want = parts[i]
		}
		if have != want {
			return have > want
		}
	}
	return true
}

// kraft tells whether the kit runs this version without ZooKeeper. KRaft is ready for production since 3.3 (KIP-833);
// the kit uses it from 3.5 on, where a format can also add SCRAM users (KIP-900).
func (v version) kraft() bool { return v.atLeast(3, 5) }

// namedListeners tells whether listeners may carry names of their own (KIP-103).
func (v version) namedListeners() bool { return v.atLeast(0, 10, 2) }

// security tells whether the kit can give this version TLS and SASL listeners: PEM key stores in the properties are
// KIP-651, managing SCRAM users by request is KIP-554, both of 2.7.
func (v version) security() bool { return v.atLeast(2, 7) }

// apiVersions tells whether brokers answer ApiVersions (KIP-35).
func (v version) apiVersions() bool { return v.atLeast(0, 10) }

// scala is the Scala version in the artifact's name.
func (v version) scala() string {
	switch {
	case v.atLeast(2, 4):
		return "2.13"
	case v.atLeast(1, 0):
		return "2.12"
	case v.atLeast(0, 9):
		return "2.11"
	default:
		return "2.10"
	}
}
