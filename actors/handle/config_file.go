package handle

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Load reads the configuration file of one client: a JSON object whose keys are
// the settings, as {"brokers": "a:9092", "produce": {"linger": "1ms"}}. A key
// that is no setting, one that stands twice and a value of the wrong type are
// mistakes. Secrets are given as names of files; relative ones are below the
// folder of the configuration file. The error is a *ConfigError with all
// mistakes, or that of the file system; addresses and ranges are checked by New.
func Load(path string) (Config, error) {
	root, err := readFile(path)
	if err != nil {
		return Config{}, err
	}
	if _, several := root.keys["clients"]; several {
		return Config{}, &ConfigError{[]error{fmt.Errorf("%s: clients: the file describes several clients; load it with LoadAll", path)}}
	}
	config, mistakes := fromJSON(root, filepath.Dir(path))
	return config, asError(path, mistakes)
}

// LoadAll reads a configuration file of several clients: {"clients": {"<name>":
// {settings}, ...}}. They come in the order of their names. Rules and errors as
// for Load.
func LoadAll(path string) ([]Config, error) {
	root, err := readFile(path)
	if err != nil {
		return nil, err
	}
	clients := root.keys["clients"]
	if clients == nil || clients.keys == nil || len(root.keys) != 1 {
		return nil, asError(path, []error{errors.New(`want {"clients": {"<name>": {settings}, ...}} and nothing beside it`)})
	}
	var configs []Config
	var mistakes []error
	for _, name := range slices.Sorted(maps.Keys(clients.keys)) {
		config, wrong := fromJSON(clients.keys[name], filepath.Dir(path))
		if config.Name != "" {
			wrong = append(wrong, fmt.Errorf("clients.%s.name: the key is the name", name))
		}
		config.Name = name
		configs, mistakes = append(configs, config), append(mistakes, wrong...)
	}
	return configs, asError(path, mistakes)
}

func readFile(path string) (*jsonValue, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("moldau: the configuration file cannot be read: %w", err)
	}
	root, err := parseJSON(text)
	if err != nil {
		return nil, asError(path, []error{err})
	}
	return root, nil
}

func asError(path string, mistakes []error) error {
	if len(mistakes) == 0 {
		return nil
	}
	for i, m := range mistakes {
		mistakes[i] = fmt.Errorf("%s: %w", path, m)
	}
	return &ConfigError{mistakes}
}

// fromJSON takes the settings of one client.
func fromJSON(root *jsonValue, dir string) (Config, []error) {
	if root.keys == nil {
		return Config{}, []error{root.mistake("want an object with settings")}
	}
	config, security := Config{}, &security{dir: dir}
	known := map[string]option{}
	for _, o := range append(config.options(), security.options()...) {
		known[fileKey(o.name)] = o
	}
	mistakes := takeTopics(root, &config)
	mistakes = append(mistakes, takeJSON(root, "", known)...)
	return config, append(mistakes, security.apply(&config, fileKey)...)
}

// takeTopics takes the settings of topics out of an object.
func takeTopics(root *jsonValue, config *Config) (mistakes []error) {
	topics := root.keys["topics"]
	delete(root.keys, "topics")
	switch {
	case topics == nil:
		return nil
	case topics.keys == nil:
		return []error{topics.mistake("want an object with topics")}
	}
	config.Topics = map[string]ProduceConfig{}
	for _, name := range slices.Sorted(maps.Keys(topics.keys)) {
		p, known := ProduceConfig{}, map[string]option{}
		for _, o := range p.options("") {
			known[fileKey(o.name)] = o
		}
		if topics.keys[name].keys == nil {
			mistakes = append(mistakes, topics.keys[name].mistake("want an object with settings"))
			continue
		}
		mistakes = append(mistakes, takeJSON(topics.keys[name], "", known)...)
		config.Topics[name] = p
	}
	return mistakes
}

// takeJSON sets what the keys of an object name; prefix is the path to it.
func takeJSON(object *jsonValue, prefix string, known map[string]option) (mistakes []error) {
	for _, key := range slices.Sorted(maps.Keys(object.keys)) {
		value, path := object.keys[key], prefix+key
		o, there := known[path]
		switch {
		case there:
			if err := o.setJSON(value); err != nil {
				mistakes = append(mistakes, value.mistake(err.Error()))
			}
		case !isGroup(path, known):
			mistakes = append(mistakes, value.mistake("there is no such setting"+secretHint(key)))
		case value.keys == nil:
			mistakes = append(mistakes, value.mistake("want an object with settings"))
		default:
			mistakes = append(mistakes, takeJSON(value, path+".", known)...)
		}
	}
	return mistakes
}

func isGroup(path string, known map[string]option) bool {
	for key := range known {
		if strings.HasPrefix(key, path+".") {
			return true
		}
	}
	return false
}

// secretHint helps who writes a secret into the file.
func secretHint(key string) string {
	switch strings.ToLower(key) {
	case "password", "token", "secret", "key":
		return "; secrets are not written here: name a file that holds it, with passwordFile, credentialsFile, tokenFile or keyFile"
	}
	return ""
}

// setJSON gives the setting a value of a file: JSON's own types for true and
// false, whole numbers and lists, strings for all else.
func (o option) setJSON(value *jsonValue) error {
	switch field := o.field.(type) {
	case *bool:
		if value.kind != "true or false" {
			return errors.New("want true or false")
		}
	case *int, *int32:
		if value.kind != "a number" && value.kind != "a string" {
			return errors.New("want a whole number")
		}
	case *string:
		if list, ok := o.brokerList(value); ok {
			*field = strings.Join(list, ",")
			return nil
		}
		if value.kind != "a string" {
			return errors.New("want a string")
		}
	case *[]string:
		list, ok := value.strings()
		if !ok {
			return errors.New("want a list of strings")
		}
		*field = list
		return nil
	case pins:
		return field.setJSON(value)
	default:
		if value.kind != "a string" {
			return o.want()
		}
	}
	return o.set(value.text)
}

// brokerList takes brokers as a list too, as the name says nothing of a string.
func (o option) brokerList(value *jsonValue) ([]string, bool) {
	if o.name != "Brokers" {
		return nil, false
	}
	return value.strings()
}

// want is what the setting says of a value that it cannot take.
func (o option) want() error {
	if err := o.set(""); err != nil {
		return err
	}
	return errors.New("want a string")
}

// setJSON reads {"Fetch": 11, "Metadata": 9}.
func (p pins) setJSON(value *jsonValue) error {
	if value.keys == nil {
		return errors.New(`want an object, as {"Fetch": 11}`)
	}
	var pairs []string
	for name, version := range value.keys {
		pairs = append(pairs, name+"="+version.text)
	}
	return p.set(strings.Join(pairs, ","))
}
