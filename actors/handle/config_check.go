package handle

import (
	"errors"
	"fmt"
	"reflect"
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
	if c.ClientID == "" {
		c.ClientID = c.Name
	}
	if c.Telemetry == nil {
		c.Telemetry = telemetry.Default()
	}
	return c
}

// check names everything that is wrong with a configuration, at once.
func (c Config) check() ([]metadata.Broker, error) {
	seeds, errs := c.bootstrap()
	if strings.ContainsAny(c.Name, "/ ") {
		errs = append(errs, fmt.Errorf("Name %q: a name has no slash and no space", c.Name))
	}
	for _, o := range c.options() {
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
	if c.Produce.Idempotence == IdempotenceOn && c.Produce.Acks != AcksAll {
		errs = append(errs, errors.New("Produce.Idempotence: it needs Acks: AcksAll"))
	}
	if c.Produce.Idempotence == IdempotenceOn && c.Produce.Retry == RetryAtLeastOnce {
		errs = append(errs, errors.New("Produce.Retry: RetryAtLeastOnce is without idempotence; want RetryIdempotent, or Idempotence: IdempotenceOff"))
	}
	if c.Produce.Idempotence != IdempotenceOff && c.Produce.MaxInFlight > 5 {
		errs = append(errs, fmt.Errorf("Produce.MaxInFlight %d: at most 5 with idempotence, as brokers remember 5 batches", c.Produce.MaxInFlight))
	}
	if len(errs) > 0 {
		return nil, &ConfigError{errs}
	}
	return seeds, nil
}
