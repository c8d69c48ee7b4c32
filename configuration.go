package moldau

import "github.com/moldau-go/moldau/actors/handle"

// LoadConfig reads the configuration file of one client: a JSON object whose
// keys are the settings, as {"brokers": "a:9092", "produce": {"linger": "1ms"}};
// docs/configuration.md has them all. A key that is no setting, one that stands
// twice and a value of the wrong type are mistakes. Secrets are given as names
// of files; relative ones are below the folder of the configuration file. The
// error is a *ConfigError with all mistakes, or that of the file system.
func LoadConfig(path string) (Config, error) { return handle.Load(path) }

// LoadConfigs reads a configuration file of several clients: {"clients":
// {"<name>": {settings}, ...}}. They come in the order of their names. Rules
// and errors as for LoadConfig.
func LoadConfigs(path string) ([]Config, error) { return handle.LoadAll(path) }

// ConfigFromEnviron is base with what the environment sets in its place, as
// MOLDAU_BROKERS or MOLDAU_PRODUCE_LINGER; docs/configuration.md has them all.
// environ has the form of os.Environ. An empty variable counts as not set; one
// that begins with MOLDAU_ and is no setting is a mistake. The error is a
// *ConfigError with all mistakes.
func ConfigFromEnviron(base Config, environ []string) (Config, error) {
	return handle.FromEnviron(base, environ)
}
