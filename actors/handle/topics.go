package handle

import (
	"errors"
	"fmt"
	"strings"
)

// ErrNoProducers is a topic that is produced to and has no producers: they are
// not started by themselves (Config.NoAutoProducers), or were stopped.
var ErrNoProducers = errors.New("moldau: the topic has no producers; start them with StartProducers, or name it in Config.Topics")

// ErrAborted is what records fail with that were given up by AbortProducers.
var ErrAborted = errors.New("moldau: the topic's producers were aborted")

// OtherTopicConfigError is a start of a topic's producers with other settings
// than they run with.
type OtherTopicConfigError struct {
	Topic string
	// Differ are the settings that differ. Functions cannot be compared, so those
	// that are set always do.
	Differ []string
}

// Error names the settings that differ, and what helps.
func (e *OtherTopicConfigError) Error() string {
	return fmt.Sprintf("moldau: the producers of topic %q run with other settings (%s); stop them first", e.Topic, strings.Join(e.Differ, ", "))
}

// Topic is the handle of a topic that is produced to, made at first use; whether
// it exists is not asked. The error is ErrNoProducers, or that of Stop.
func (h *Handle) Topic(name string) (*Topic, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped != nil {
		return nil, h.stopped
	}
	if t := h.topics[name]; t != nil {
		return t, nil
	}
	config, named := h.config.Topics[name]
	switch {
	case named:
	case h.config.NoAutoProducers:
		return nil, ErrNoProducers
	default:
		config = h.config.Produce
	}
	return h.addTopic(name, config), nil
}

// StartTopic is Topic with settings of its own: those of the call, not what the
// configuration says of the topic. A topic that is there keeps its settings:
// others are an *OtherTopicConfigError. Wrong ones are a *ConfigError.
func (h *Handle) StartTopic(name string, config ProduceConfig) (*Topic, error) {
	config, err := h.Settings(name, config)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped != nil {
		return nil, h.stopped
	}
	t := h.topics[name]
	if t == nil {
		return h.addTopic(name, config), nil
	}
	if differ := t.config.differ(config); len(differ) > 0 {
		return nil, &OtherTopicConfigError{Topic: name, Differ: differ}
	}
	return t, nil
}

// Settings are a topic's settings with their defaults, or a *ConfigError with what
// is wrong with them.
func (h *Handle) Settings(topic string, config ProduceConfig) (ProduceConfig, error) {
	config = h.config.topicDefaults(config)
	if mistakes := h.config.topicMistakes(topic, config); len(mistakes) > 0 {
		return config, &ConfigError{mistakes}
	}
	return config, nil
}

func (h *Handle) addTopic(name string, config ProduceConfig) *Topic {
	t := newTopic(h, name, config)
	h.topics[name] = t
	return t
}

// EndTopic forgets a topic: what is not settled fails with err, and who produces
// to it by what he had of it fails with ErrNoProducers.
func (h *Handle) EndTopic(t *Topic, err error) {
	h.mu.Lock()
	if h.topics[t.name] == t {
		delete(h.topics, t.name)
	}
	h.mu.Unlock()
	t.end(err, ErrNoProducers)
}

// Produced is the topic of a name if it is produced to, nil otherwise.
func (h *Handle) Produced(name string) *Topic {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.topics[name]
}

// Uses says whether a topic is produced to, or read from by a subscription or a
// subscriber of its own.
func (h *Handle) Uses(topic string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.topics[topic] != nil {
		return true
	}
	for _, s := range h.subs {
		if s.Topic == topic {
			return true
		}
	}
	for key := range h.direct {
		if key.Topic == topic {
			return true
		}
	}
	return false
}
