package handle

import (
	"strings"
	"unicode"
)

// envPrefix begins the names of environment variables.
const envPrefix = "MOLDAU_"

// envName is a setting's environment variable: MOLDAU_PRODUCE_BATCH_BYTES for
// Produce.BatchBytes.
func envName(name string) string {
	return envPrefix + strings.ToUpper(strings.Join(words(name), "_"))
}

// fileKey is where a setting stands in a configuration file: produce.batchBytes
// for Produce.BatchBytes.
func fileKey(name string) string {
	parts := strings.Split(name, ".")
	for i, part := range parts {
		first := words(part)[0]
		parts[i] = strings.ToLower(first) + part[len(first):]
	}
	return strings.Join(parts, ".")
}

// words cuts a Go name: "NoAPIVersions" is No, API, Versions.
func words(name string) []string {
	var list []string
	runes, begin := []rune(name), 0
	for i, r := range runes {
		if r == '.' {
			list, begin = append(list, string(runes[begin:i])), i+1
			continue
		}
		if i == begin || !unicode.IsUpper(r) {
			continue
		}
		if !unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]) {
			list, begin = append(list, string(runes[begin:i])), i
		}
	}
	return append(list, string(runes[begin:]))
}
