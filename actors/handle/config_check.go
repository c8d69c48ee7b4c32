package handle

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/moldau-go/moldau/actors/internal/metadata"
	"github.com/moldau-go/moldau/telemetry"
)

// ConfigError is a configuration with mistakes, all of them.
type ConfigError struct{ Mistakes []error }

// Error lists the mistakes.
func (e *ConfigError) Error() string {
	return "moldau: the configuration is wrong: " + strings.ReplaceAll(errors.Join(e.Mistakes...).Error(), "\n", "; ")
}

// Unwrap gives the mistakes to errors.Is and errors.As.
func (e *ConfigError) Unwrap() []error { return e.Mistakes }

// withDefaults fills in what is zero.
func (c Config) withDefaults() Config {
	for _, o := range c.options() {
		o.fill()
	}
	topics := make(map[string]ProduceConfig, len(c.Topics))
	for name, p := range c.Topics {
		topics[name] = c.topicDefaults(p)
	}
	c.Topics = topics
	if c.ClientID == "" {
		c.ClientID = c.Name
	}
	if c.Telemetry == nil {
		c.Telemetry = telemetry.Default()
	}
	return c
}

// topicDefaults fills in what is zero in a topic's settings.
func (c *Config) topicDefaults(p ProduceConfig) ProduceConfig {
	if p.BufferBytes == 0 {
		p.BufferBytes = c.Produce.BufferBytes
	}
	if p.RequestBytes == 0 {
		p.RequestBytes = c.Produce.RequestBytes
	}
	if p.BufferRecords == 0 {
		p.BufferRecords = c.Produce.BufferRecords
	}
	if p.QueueBytes == 0 {
		p.QueueBytes = c.Produce.QueueBytes
	}
	for _, o := range p.options("") {
		o.fill()
	}
	return p
}

// check names everything that is wrong with a configuration, at once.
func (c Config) check() ([]metadata.Broker, error) {
	seeds, errs := c.bootstrap()
	if strings.ContainsAny(c.Name, "/ ") {
		errs = append(errs, fmt.Errorf("Name %q: a name has no slash and no space", c.Name))
	}
	errs = append(errs, checkOptions(c.options())...)
	errs = append(errs, c.Produce.check("Produce.")...)
	for _, topic := range slices.Sorted(maps.Keys(c.Topics)) {
		errs = append(errs, c.topicMistakes(topic, c.Topics[topic])...)
	}
	if len(errs) > 0 {
		return nil, &ConfigError{errs}
	}
	return seeds, nil
}

// topicMistakes is what is wrong with the settings of one topic, which have
// their defaults.
func (c *Config) topicMistakes(topic string, p ProduceConfig) []error {
	prefix := fmt.Sprintf("Topics[%q].", topic)
	errs := append(checkOptions(p.options(prefix)), p.check(prefix)...)
	if p.BufferBytes != c.Produce.BufferBytes || p.BufferRecords != c.Produce.BufferRecords || p.RequestBytes != c.Produce.RequestBytes || p.QueueBytes != c.Produce.QueueBytes {
		errs = append(errs, errors.New(prefix+"BufferBytes, BufferRecords, QueueBytes, RequestBytes: they are the client's: set them in Produce, and PartitionBytes, PartitionRecords here"))
	}
	return errs
}

// checkOptions names what is wrong with settings one by one.
func checkOptions(options []option) (errs []error) {
	for _, o := range options {
		if o.negative() && !o.off && !o.signed {
			errs = append(errs, fmt.Errorf("%s %v: must not be negative", o.name, reflect.ValueOf(o.field).Elem()))
		}
		if word, ok := o.field.(choice); ok && (*word.at < 0 || int(*word.at) >= len(word.words)) {
			errs = append(errs, fmt.Errorf("%s %d: there is no such choice; want one of %s", o.name, *word.at, strings.Join(word.words, ", ")))
		}
		if by, ok := o.field.(partitioning); ok && by.wrong() {
			errs = append(errs, fmt.Errorf("%s %d: there is no such scheme", o.name, *by.at))
		}
	}
	return errs
}

// check names what does not go together.
func (p *ProduceConfig) check(prefix string) (errs []error) {
	if p.Idempotence == IdempotenceOn && p.Acks != AcksAll {
		errs = append(errs, errors.New(prefix+"Idempotence: it needs Acks: AcksAll"))
	}
	if p.Idempotence == IdempotenceOn && p.Retry == RetryAtLeastOnce {
		errs = append(errs, errors.New(prefix+"Retry: RetryAtLeastOnce is without idempotence; want RetryIdempotent, or Idempotence: IdempotenceOff"))
	}
	if !p.plain() && p.MaxInFlight > 5 {
		errs = append(errs, fmt.Errorf("%sMaxInFlight %d: at most 5 with idempotence, as brokers remember 5 batches", prefix, p.MaxInFlight))
	}
	return errs
}

// plain says that batches are sent without numbers.
func (p *ProduceConfig) plain() bool {
	return p.Idempotence == IdempotenceOff || p.Retry == RetryAtLeastOnce || p.Acks != AcksAll
}
