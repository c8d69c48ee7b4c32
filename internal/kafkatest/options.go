package kafkatest

import (
	"fmt"
	"slices"
	"time"
)

// Listener names one way to reach a real broker.
type Listener string

const (
	// Plain is unencrypted and without login. Every version has it.
	Plain Listener = "plain"
	// TLS is encrypted; the broker shows a certificate of the cluster's own authority.
	TLS Listener = "tls"
	// MutualTLS also asks for a client certificate of that authority.
	MutualTLS Listener = "mutual-tls"
	// SASL is unencrypted and takes PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER.
	SASL Listener = "sasl"
	// SASLTLS takes the same mechanisms over TLS.
	SASLTLS Listener = "sasl-tls"
)

// AllListeners is every listener that a broker since 2.7 can have.
func AllListeners() []Listener { return []Listener{Plain, TLS, MutualTLS, SASL, SASLTLS} }

// protocol is Kafka's name for what a listener speaks.
func (l Listener) protocol() string {
	switch l {
	case TLS, MutualTLS:
		return "SSL"
	case SASL:
		return "SASL_PLAINTEXT"
	case SASLTLS:
		return "SASL_SSL"
	default:
		return "PLAINTEXT"
	}
}

// property is the listener's name in server.properties.
func (l Listener) property() string {
	switch l {
	case TLS:
		return "TLS"
	case MutualTLS:
		return "MTLS"
	case SASL:
		return "SASL"
	case SASLTLS:
		return "SASLTLS"
	default:
		return "PLAIN"
	}
}

func (l Listener) sasl() bool { return l == SASL || l == SASLTLS }

// User may log in with PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512.
type User struct {
	Name     string `json:"name"`
	Password string `json:"password"`
}

// Options says what cluster to start. The zero value is one node of DefaultVersion with a plain listener.
type Options struct {
	Version   string            // Kafka version; "" = DefaultVersion
	Nodes     int               // number of nodes; 0 = 1. Replication factors are 3 (in-sync minimum 2) from 3 nodes on, else 1
	Listeners []Listener        // nil = Plain alone; others need Kafka 2.7
	Users     []User            // nil = alice with alice-secret and bob with bob-secret
	Config    map[string]string // server.properties of every node; overrides the kit's own; {node} in a value is the node's id
	HeapMB    int               // each node's largest heap in MiB; 0 = 512
	JVM       []string          // further JVM options; they override the kit's, which favour a quick start over speed
	Proxies   bool              // put a Proxy before every listener of every node; the nodes advertise the proxies. Needs 0.10.2 for more than one node
	// StartTimeout bounds the start and each restart, without the download of the jars; 0 = 2 minutes.
	StartTimeout time.Duration
}

// withDefaults returns the options filled in, or what is wrong with them.
func (o Options) withDefaults() (Options, version, error) {
	v, err := parseVersion(o.Version)
	if err != nil {
		return o, v, err
	}
	o.Version = v.text
	if o.Nodes == 0 {
		o.Nodes = 1
	}
	if o.Nodes < 1 || o.Nodes > 9 {
		return o, v, fmt.Errorf("kafkatest: %d nodes: want 1 to 9", o.Nodes)
	}
	if o.Listeners == nil {
		o.Listeners = []Listener{Plain}
	}
	if o.Users == nil {
		o.Users = []User{{"alice", "alice-secret"}, {"bob", "bob-secret"}}
	}
	if o.StartTimeout == 0 {
		o.StartTimeout = 2 * time.Minute
	}
	if o.Proxies && o.Nodes > 1 && !v.namedListeners() {
		return o, v, &UnsupportedError{What: "proxies before several nodes", Since: "0.10.2", Have: v.text}
	}
	return o, v, checkListeners(o.Listeners, v)
}

func checkListeners(listeners []Listener, v version) error {
	if len(listeners) == 0 {
		return fmt.Errorf("kafkatest: no listener: name at least one, or leave Listeners nil for a plain one")
	}
	for i, l := range listeners {
		if !slices.Contains(AllListeners(), l) {
			return fmt.Errorf("kafkatest: %q is not a listener: want one of %v", l, AllListeners())
		}
		if slices.Contains(listeners[:i], l) {
			return fmt.Errorf("kafkatest: listener %q is named twice", l)
		}
		if l != Plain && !v.security() {
			return &UnsupportedError{What: "a " + string(l) + " listener of this kit", Since: "2.7", Have: v.text}
		}
	}
	return nil
}
