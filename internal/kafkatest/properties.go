package kafkatest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// properties are the lines of a Java properties file.
type properties map[string]string

// String is sorted, with line ends and backslashes written as the format wants them.
func (p properties) String() string {
	escape := strings.NewReplacer(`\`, `\\`, "\n", " ")
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(p)) {
		fmt.Fprintf(&b, "%s=%s\n", key, escape.Replace(p[key]))
	}
	return b.String()
}

// serverProperties configures node n.
func (k *Kafka) serverProperties(n *Node) properties {
	p := properties{}
	k.commonProperties(p, n)
	switch {
	case k.version.kraft():
		k.kraftProperties(p, n)
	default:
		p["broker.id"] = strconv.Itoa(int(n.id))
		p["zookeeper.connect"] = "127.0.0.1:" + strconv.Itoa(k.zookeeper.port)
		p["zookeeper.connection.timeout.ms"] = "30000"
		// A killed broker's registration hinders its return until the session ends.
		p["zookeeper.session.timeout.ms"] = "4000"
	}
	k.listenerProperties(p, n)
	k.securityProperties(p)
	for key, value := range k.options.Config {
		p[key] = strings.ReplaceAll(value, "{node}", strconv.Itoa(int(n.id)))
	}
	return p
}

func (k *Kafka) commonProperties(p properties, n *Node) {
	replicas, inSync := "1", "1"
	if k.options.Nodes >= 3 {
		replicas, inSync = "3", "2"
	}
	maps.Copy(p, properties{
		"log.dirs":                   n.dataDir(),
		"default.replication.factor": replicas,
		"min.insync.replicas":        inSync,
		// A topic that nobody created is a mistake in a test.
		"auto.create.topics.enable":                        "false",
		"delete.topic.enable":                              "true",
		"offsets.topic.replication.factor":                 replicas,
		"offsets.topic.num.partitions":                     "5",
		"transaction.state.log.replication.factor":         replicas,
		"transaction.state.log.min.isr":                    inSync,
		"transaction.state.log.num.partitions":             "5",
		"share.coordinator.state.topic.replication.factor": replicas,
		"share.coordinator.state.topic.min.isr":            inSync,
		"share.coordinator.state.topic.num.partitions":     "5",
		"group.initial.rebalance.delay.ms":                 "0",
		"group.min.session.timeout.ms":                     "1000",
		"log.cleaner.dedupe.buffer.size":                   "8388608",
		"log.cleaner.threads":                              "1",
		"num.network.threads":                              "2",
		"num.io.threads":                                   "4",
		"num.recovery.threads.per.data.dir":                "1",
	})
}

func (k *Kafka) kraftProperties(p properties, n *Node) {
	voters := make([]string, len(k.nodes))
	for i, other := range k.nodes {
		voters[i] = fmt.Sprintf("%d@127.0.0.1:%d", other.id, other.controllerPort)
	}
	maps.Copy(p, properties{
		"process.roles":             "broker,controller",
		"node.id":                   strconv.Itoa(int(n.id)),
		"controller.quorum.voters":  strings.Join(voters, ","),
		"controller.listener.names": "CONTROLLER",
		// Twice as quick to notice a dead node as the defaults.
		"broker.heartbeat.interval.ms": "500",
		"broker.session.timeout.ms":    "4000",
	})
}

// internalListener is the plain listener of brokers among themselves and of the kit; no proxy stands before it.
const internalListener = "INTERNAL"

func (k *Kafka) listenerProperties(p properties, n *Node) {
	host := "127.0.0.1"
	if !k.version.namedListeners() {
		advertised := n.advertised[Plain]
		if k.version.atLeast(0, 9) {
			p["listeners"] = "PLAINTEXT://" + n.bound[Plain]
			p["advertised.listeners"] = "PLAINTEXT://" + advertised
			return
		}
		p["host.name"], p["advertised.host.name"] = host, host
		p["port"] = portOf(n.bound[Plain])
		p["advertised.port"] = portOf(advertised)
		return
	}
	bound := []string{internalListener + "://" + n.internal}
	advertised := []string{internalListener + "://" + n.internal}
	protocols := []string{internalListener + ":PLAINTEXT"}
	for _, l := range k.options.Listeners {
		bound = append(bound, l.property()+"://"+n.bound[l])
		advertised = append(advertised, l.property()+"://"+n.advertised[l])
		protocols = append(protocols, l.property()+":"+l.protocol())
	}
	if k.version.kraft() {
		bound = append(bound, fmt.Sprintf("CONTROLLER://%s:%d", host, n.controllerPort))
		protocols = append(protocols, "CONTROLLER:PLAINTEXT")
	}
	p["listeners"] = strings.Join(bound, ",")
	p["advertised.listeners"] = strings.Join(advertised, ",")
	p["listener.security.protocol.map"] = strings.Join(protocols, ",")
	p["inter.broker.listener.name"] = internalListener
}

func (k *Kafka) securityProperties(p properties) {
	if k.certificates != nil {
		maps.Copy(p, properties{
			"ssl.keystore.type":              "PEM",
			"ssl.keystore.certificate.chain": onOneLine(k.certificates.BrokerCert),
			"ssl.keystore.key":               onOneLine(k.certificates.BrokerKey),
			"ssl.truststore.type":            "PEM",
			"ssl.truststore.certificates":    onOneLine(k.certificates.CA),
		})
	}
	for _, l := range k.options.Listeners {
		name := "listener.name." + strings.ToLower(l.property()) + "."
		if l == MutualTLS {
			p[name+"ssl.client.auth"] = "required"
		}
		if !l.sasl() {
			continue
		}
		const security = "org.apache.kafka.common.security."
		p["sasl.enabled.mechanisms"] = "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER"
		p[name+"plain.sasl.jaas.config"] = security + "plain.PlainLoginModule required" + k.plainUsers() + ";"
		p[name+"scram-sha-256.sasl.jaas.config"] = security + "scram.ScramLoginModule required;"
		p[name+"scram-sha-512.sasl.jaas.config"] = security + "scram.ScramLoginModule required;"
		p[name+"oauthbearer.sasl.jaas.config"] = security +
			`oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`
	}
}

func (k *Kafka) plainUsers() string {
	var b strings.Builder
	for _, u := range k.options.Users {
		fmt.Fprintf(&b, ` user_%s="%s"`, u.Name, u.Password)
	}
	return b.String()
}

func onOneLine(pem []byte) string { return strings.ReplaceAll(string(pem), "\n", " ") }
