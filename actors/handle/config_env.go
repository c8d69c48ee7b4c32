package handle

import (
	"fmt"
	"strings"
)

// FromEnviron is base with what the environment sets in its place: for every
// setting a variable, as MOLDAU_BROKERS; docs/configuration.md names them all.
// environ has the form of os.Environ. An empty variable counts as not set. A
// variable whose name begins with MOLDAU_ and that is no setting is a mistake,
// but for those that Kubernetes makes for a service of the name moldau. Secrets
// are given as names of files. The error is a *ConfigError with all mistakes;
// the rest of the configuration is checked by New.
func FromEnviron(base Config, environ []string) (Config, error) {
	config := base
	security := &security{}
	known := map[string]option{}
	for _, o := range append(config.options(), security.options()...) {
		known[envName(o.name)] = o
	}
	var mistakes []error
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, envPrefix) || value == "" {
			continue
		}
		o, there := known[name]
		if !there {
			if !fromKubernetes(name) {
				mistakes = append(mistakes, fmt.Errorf("%s: there is no such setting", name))
			}
			continue
		}
		if err := o.set(value); err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: %w", name, err))
		}
	}
	mistakes = append(mistakes, security.apply(&config, envName)...)
	if len(mistakes) > 0 {
		return base, &ConfigError{mistakes}
	}
	return config, nil
}

// fromKubernetes says whether Kubernetes sets the variable in every container
// beside a service of the name moldau.
func fromKubernetes(name string) bool {
	rest := strings.TrimPrefix(name, envPrefix)
	return rest == "PORT" || strings.HasPrefix(rest, "PORT_") || strings.HasPrefix(rest, "SERVICE_")
}
