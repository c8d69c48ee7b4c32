package handle

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/moldau-go/moldau/actors/internal/metadata"
)

// defaultPort is Kafka's.
const defaultPort = 9092

// Bootstrap is every address of Brokers and BrokerList, as they were written.
func (c *Config) Bootstrap() []string {
	entries := strings.FieldsFunc(c.Brokers, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
	for _, entry := range c.BrokerList {
		entries = append(entries, strings.TrimSpace(entry))
	}
	return entries
}

// bootstrap reads the addresses and names every one that is wrong.
func (c *Config) bootstrap() (seeds []metadata.Broker, mistakes []error) {
	seeds, mistakes = readAddresses(nil, c.Bootstrap(), "Brokers")
	if len(seeds) == 0 && len(mistakes) == 0 && c.BrokersFunc == nil {
		mistakes = append(mistakes, errors.New("Brokers: at least one address is needed, as \"localhost:9092\""))
	}
	return seeds, mistakes
}

// Resolved are the bootstrap addresses of the configuration and those that its
// BrokersFunc gave, each once. The error, a *ConfigError, names every one that
// is wrong; the others are there all the same.
func (c *Config) Resolved(entries []string) ([]metadata.Broker, error) {
	seeds, _ := c.bootstrap()
	given := slices.DeleteFunc(slices.Clone(entries), func(entry string) bool { return strings.TrimSpace(entry) == "" })
	seeds, mistakes := readAddresses(seeds, given, "BrokersFunc")
	if len(given) == 0 {
		mistakes = append(mistakes, errors.New("BrokersFunc: it gave no address"))
	}
	if len(mistakes) > 0 {
		return seeds, &ConfigError{mistakes}
	}
	return seeds, nil
}

// readAddresses adds addresses to those that are there, each once.
func readAddresses(seeds []metadata.Broker, entries []string, field string) (_ []metadata.Broker, mistakes []error) {
	for _, entry := range entries {
		host, port, err := splitAddress(strings.TrimSpace(entry))
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: %q: %w", field, entry, err))
			continue
		}
		known := func(b metadata.Broker) bool { return b.Host == host && b.Port == port }
		if !slices.ContainsFunc(seeds, known) {
			seeds = append(seeds, metadata.Broker{ID: int32(-1 - len(seeds)), Host: host, Port: port})
		}
	}
	return seeds, mistakes
}

func splitAddress(entry string) (string, int32, error) {
	if strings.Contains(entry, "://") {
		return "", 0, errors.New("an address is host:port, without a protocol")
	}
	bare, closed := strings.CutSuffix(strings.TrimPrefix(entry, "["), "]")
	if ip, err := netip.ParseAddr(bare); err == nil && closed == strings.HasPrefix(entry, "[") {
		return ip.String(), defaultPort, nil
	}
	host, port := entry, uint64(defaultPort)
	if strings.Contains(entry, ":") {
		var text string
		var err error
		if host, text, err = net.SplitHostPort(entry); err != nil {
			return "", 0, errors.New("not host:port; an IPv6 address with a port stands in brackets")
		}
		if port, err = strconv.ParseUint(text, 10, 16); err != nil || port == 0 {
			return "", 0, errors.New("not host:port with a port from 1 to 65535")
		}
	}
	if strings.Contains(entry, "[") || strings.Contains(host, ":") {
		if _, err := netip.ParseAddr(host); err != nil {
			return "", 0, errors.New("what stands in brackets is no IPv6 address")
		}
		return host, int32(port), nil
	}
	if host == "" || strings.ContainsFunc(host, notInName) {
		return "", 0, errors.New("not host:port: the host is empty, or has a character that no host name has")
	}
	return host, int32(port), nil
}

// notInName says which characters no host name has. Names in other scripts are
// left to the resolver.
func notInName(r rune) bool {
	return r <= unicode.MaxASCII && !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '.' && r != '-' && r != '_'
}
