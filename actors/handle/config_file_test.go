package handle

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/wire"
	"github.com/moldau-go/moldau/wire/compress"
	"github.com/moldau-go/moldau/wire/sasl"
)

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func load(t *testing.T, text string) (Config, error) {
	t.Helper()
	return Load(write(t, t.TempDir(), "c.json", text))
}

func TestFileSetsEverySetting(t *testing.T) {
	c, err := load(t, `{
		"name": "orders", "clientID": "id", "brokers": ["a:1", "b"], "brokerList": ["c"],
		"connectTimeout": "1s", "metadataRefresh": "off", "unknownTopicTTL": "250ms", "autoCreateTopics": true, "noAPIVersions": true,
		"pins": {"Fetch": 11, "Metadata": 9},
		"socket": {"readBuffer": "64KiB", "keepAlive": "off", "delay": true},
		"produce": {"acks": "leader", "idempotence": "off", "linger": "off", "codec": "zstd", "codecLevel": -3, "batchBytes": 1000, "bufferBytes": "1GiB", "partitioner": "sarama"},
		"consume": {"maxWait": "2s", "maxBytes": "3MiB", "isolation": "read_uncommitted"}
	}`)
	require.NoError(t, err)
	require.Equal(t, Config{
		Name: "orders", ClientID: "id", Brokers: "a:1,b", BrokerList: []string{"c"},
		ConnectTimeout: time.Second, MetadataRefresh: -1, UnknownTopicTTL: 250 * time.Millisecond, AutoCreateTopics: true, NoAPIVersions: true,
		Pins:    map[int16]int16{1: 11, 3: 9},
		Socket:  wire.Socket{ReadBuffer: 64 << 10, KeepAlive: -1, Delay: true},
		Produce: ProduceConfig{Acks: AcksLeader, Idempotence: IdempotenceOff, Linger: NoLinger, Codec: compress.Zstd, CodecLevel: -3, BatchBytes: 1000, BufferBytes: 1 << 30, Partitioner: behaviors.LikeSarama},
		Consume: ConsumeConfig{MaxWait: 2 * time.Second, MaxBytes: 3 << 20, Isolation: ReadUncommitted},
	}, c)
	_, err = New(c)
	require.NoError(t, err)
}

func TestFileNamesEveryMistake(t *testing.T) {
	_, err := load(t, `{"brokers": 1, "Name": "x", "produce": {"lingr": "1s", "linger": 5, "acks": "some", "batchBytes": 1.5, "maxInFlight": true, "partitioner": "hash"},
		"consume": [], "connectTimeout": "soon", "autoCreateTopics": "yes", "socket": {"readBuffer": "9GiB"}, "pins": {"Nonsense": 1}, "sasl": {"password": "hunter2"}}`)
	var wrong *ConfigError
	require.ErrorAs(t, err, &wrong)
	for _, key := range []string{"brokers:", "Name:", "produce.lingr:", "produce.linger:", "produce.acks: want one of all, leader", "produce.batchBytes:",
		"produce.maxInFlight:", "produce.partitioner: want one of java, kafkaex, kafkaex_legacy, brod, sarama, librdkafka, random, round_robin", "consume:", "connectTimeout:", "autoCreateTopics:", "socket.readBuffer:", "pins:", "sasl.password:", "passwordFile"} {
		require.ErrorContains(t, err, key)
	}
	require.Len(t, wrong.Mistakes, 14)
	require.NotContains(t, err.Error(), "hunter2")
}

func TestFileIsStrictJSON(t *testing.T) {
	for text, reason := range map[string]string{
		`{"name": "a", "name": "b"}`:                    "name: the key stands twice",
		`{"produce": {"linger": "1s"}, "produce": {}}`:  "produce: the key stands twice",
		`{"produce": {"linger": "1s", "linger": "1s"}}`: "produce.linger: the key stands twice",
		`{"name": "a"} {}`:                              "more after the end",
		`{"name": "a"`:                                  "unexpected EOF",
		`{"name": "a",}`:                                "near byte",
		`["name"]`:                                      "want an object",
		`"name"`:                                        "want an object",
		``:                                              "unexpected EOF",
		`{"name": null}`:                                "name: want a string",
		`{"produce": null}`:                             "produce: want an object",
		`{"clients": {"a": {}}}`:                        "LoadAll",
		strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40): "nested too deep",
	} {
		_, err := load(t, text)
		require.ErrorContains(t, err, reason, text)
		require.ErrorAs(t, err, new(*ConfigError), text)
	}
	_, err := Load(filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestFileOfSeveralClients(t *testing.T) {
	dir := t.TempDir()
	list, err := LoadAll(write(t, dir, "c.json", `{"clients": {"orders": {"brokers": "a"}, "audit": {"brokers": "b"}}}`))
	require.NoError(t, err)
	require.Equal(t, []Config{{Name: "audit", Brokers: "b"}, {Name: "orders", Brokers: "a"}}, list)
	for text, reason := range map[string]string{
		`{"brokers": "a"}`:                              `"clients"`,
		`{"clients": {}, "brokers": "a"}`:               "nothing beside it",
		`{"clients": {"a": {"name": "b"}}}`:             "clients.a.name",
		`{"clients": {"a": {"x": 1}, "b": {"y": 2}}}`:   "clients.a.x",
		`{"clients": {"a": {"x": 1}, "b": {"y": "q"}}}`: "clients.b.y",
		`{"clients": {"a": 5}}`:                         "clients.a",
		`{"clients": {"a": {"brokers": "x"}, "a": {}}}`: "stands twice",
	} {
		_, err := LoadAll(write(t, dir, "d.json", text))
		require.ErrorContains(t, err, reason, text)
	}
}

// keyPair writes a certificate and its key in PEM form.
func keyPair(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	made, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{SerialNumber: big.NewInt(1)}, &key.PublicKey, key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	write(t, dir, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made})))
	write(t, dir, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
}

func TestFileSetsTLSAndLogin(t *testing.T) {
	dir := t.TempDir()
	keyPair(t, dir)
	write(t, dir, "password", "hunter2\n")
	text := `{"brokers": "a", "tls": {"enabled": true, "caFile": "cert.pem", "certFile": "cert.pem", "keyFile": "key.pem", "serverName": "k"},
		"sasl": {"mechanism": "PLAIN", "username": "alice", "passwordFile": "password"}}`
	path := write(t, dir, "c.json", text)
	c, err := Load(path)
	require.NoError(t, err)
	require.Equal(t, "k", c.TLS.ServerName)
	require.Len(t, c.TLS.Certificates, 1)
	require.NotNil(t, c.TLS.RootCAs)
	require.Equal(t, "PLAIN", c.SASL.Mechanism())
	first := func() string {
		session, err := c.SASL.Start(t.Context(), sasl.Target{Secure: true})
		require.NoError(t, err)
		message, err := session.First()
		require.NoError(t, err)
		return string(message)
	}
	require.Equal(t, "\x00alice\x00hunter2", first())
	write(t, dir, "password", "changed")
	require.Equal(t, "\x00alice\x00changed", first(), "the file is read at every login")
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", c.SASL, c.SASL, c.SASL), "changed")
	write(t, dir, "password", "")
	_, err = c.SASL.Start(t.Context(), sasl.Target{Secure: true})
	require.ErrorContains(t, err, "one line")

	again, err := Load(path)
	require.NoError(t, err)
	require.Empty(t, Differences(c, again), "the same file is the same configuration")
}

func TestEveryKindOfLogin(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "both", "alice\nsecret\n")
	write(t, dir, "one", "secret")
	for text, mechanism := range map[string]string{
		`{"mechanism": "SCRAM-SHA-256", "credentialsFile": "both"}`:                  "SCRAM-SHA-256",
		`{"mechanism": "SCRAM-SHA-512", "username": "alice", "passwordFile": "one"}`: "SCRAM-SHA-512",
		`{"mechanism": "PLAIN", "credentialsFile": "both", "allowWithoutTLS": true}`: "PLAIN",
		`{"mechanism": "OAUTHBEARER", "tokenFile": "one", "allowWithoutTLS": true}`:  "OAUTHBEARER",
	} {
		c, err := Load(write(t, dir, "c.json", `{"sasl": `+text+`}`))
		require.NoError(t, err, text)
		require.Equal(t, mechanism, c.SASL.Mechanism())
		_, err = c.SASL.Start(t.Context(), sasl.Target{Host: "h"})
		require.NoError(t, err, text)
	}
	for text, reason := range map[string]string{
		`{"sasl": {"mechanism": "GSSAPI"}}`:                                                              "sasl.mechanism: want PLAIN",
		`{"sasl": {"username": "a"}}`:                                                                    "sasl.mechanism",
		`{"sasl": {"mechanism": "PLAIN"}}`:                                                               "sasl.credentialsFile",
		`{"sasl": {"mechanism": "PLAIN", "username": "a"}}`:                                              "sasl.passwordFile",
		`{"sasl": {"mechanism": "PLAIN", "credentialsFile": "f", "username": "a"}}`:                      "either",
		`{"sasl": {"mechanism": "PLAIN", "credentialsFile": "f", "username": "a", "passwordFile": "p"}}`: "either",
		`{"sasl": {"mechanism": "OAUTHBEARER"}}`:                                                         "sasl.tokenFile",
		`{"tls": {"caFile": "x"}}`:                                                                       "tls.enabled",
		`{"tls": {"enabled": true, "caFile": "x"}}`:                                                      "tls.caFile",
		`{"tls": {"enabled": true, "caFile": "one"}}`:                                                    "PEM",
		`{"tls": {"enabled": true, "certFile": "x"}}`:                                                    "tls.keyFile",
		`{"tls": {"enabled": true, "certFile": "x", "keyFile": "y"}}`:                                    "tls.certFile",
		`{"tls": true}`: "tls: want an object",
	} {
		_, err := Load(write(t, dir, "c.json", text))
		require.ErrorContains(t, err, reason, text)
	}
}

func TestEnvironmentGoesBeforeTheBase(t *testing.T) {
	base := Config{Brokers: "base", ClientID: "kept", Produce: ProduceConfig{Linger: time.Second}}
	c, err := FromEnviron(base, []string{
		"MOLDAU_BROKERS=a:1, b", "MOLDAU_PRODUCE_LINGER=off", "MOLDAU_CONSUME_MAX_BYTES=4MiB", "MOLDAU_AUTO_CREATE_TOPICS=true", "MOLDAU_NO_API_VERSIONS=false",
		"MOLDAU_UNKNOWN_TOPIC_TTL=1s", "MOLDAU_PINS=Fetch=11, Produce=7", "MOLDAU_NAME=", "MOLDAU_TLS_ENABLED=true", "MOLDAU_TLS_SERVER_NAME=k",
		"MOLDAU_SERVICE_HOST=10.0.0.1", "MOLDAU_PORT_9092_TCP=x", "MOLDAU_PORT=tcp://x", "PATH=/bin", "=C:=x",
	})
	require.NoError(t, err)
	require.Equal(t, "k", c.TLS.ServerName)
	c.TLS = nil
	require.Equal(t, Config{
		Brokers: "a:1, b", ClientID: "kept", AutoCreateTopics: true, UnknownTopicTTL: time.Second, Pins: map[int16]int16{1: 11, 0: 7},
		Produce: ProduceConfig{Linger: NoLinger}, Consume: ConsumeConfig{MaxBytes: 4 << 20},
	}, c)
	_, err = FromEnviron(base, []string{"MOLDAU_BROKRES=a", "MOLDAU_COOL_DOWN=5", "MOLDAU_SASL_PASSWORD=hunter2", "MOLDAU_SASL_MECHANISM=PLAIN"})
	var wrong *ConfigError
	require.ErrorAs(t, err, &wrong)
	require.Len(t, wrong.Mistakes, 4)
	for _, name := range []string{"MOLDAU_BROKRES", "MOLDAU_COOL_DOWN", "MOLDAU_SASL_PASSWORD:", "MOLDAU_SASL_PASSWORD_FILE"} {
		require.ErrorContains(t, err, name)
	}
	require.NotContains(t, err.Error(), "hunter2")
}

func TestNamesOfSettings(t *testing.T) {
	for name, want := range map[string][2]string{
		"ClientID":           {"clientID", "MOLDAU_CLIENT_ID"},
		"NoAPIVersions":      {"noAPIVersions", "MOLDAU_NO_API_VERSIONS"},
		"UnknownTopicTTL":    {"unknownTopicTTL", "MOLDAU_UNKNOWN_TOPIC_TTL"},
		"Produce.BatchBytes": {"produce.batchBytes", "MOLDAU_PRODUCE_BATCH_BYTES"},
		"TLS.CAFile":         {"tls.caFile", "MOLDAU_TLS_CA_FILE"},
		"SASL.Mechanism":     {"sasl.mechanism", "MOLDAU_SASL_MECHANISM"},
	} {
		require.Equal(t, want, [2]string{fileKey(name), envName(name)}, name)
	}
}

// Whatever bytes a file has, reading it ends with a configuration or a *ConfigError.
func TestAnyFileIsReadOrRefused(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		parts := rapid.SliceOf(rapid.SampledFrom([]string{`{`, `}`, `[`, `]`, `"brokers"`, `"produce"`, `"linger"`, `:`, `,`, `"5ms"`, `1e9`, `null`, `true`, `"off"`, `"\ud800"`, "\x00"})).Draw(rt, "parts")
		path := filepath.Join(dir, "f.json")
		if err := os.WriteFile(path, []byte(strings.Join(parts, "")), 0o600); err != nil {
			rt.Fatal(err)
		}
		if _, err := Load(path); err != nil && !errors.As(err, new(*ConfigError)) {
			rt.Fatalf("%v", err)
		}
	})
}

func TestDifferencesAreNamed(t *testing.T) {
	plain := func(password string) sasl.Authenticator {
		return sasl.Plain{Username: "a", Password: sasl.NewSecret(password)}
	}
	base := Config{Brokers: "a", SASL: plain("x"), Pins: map[int16]int16{1: 2}}
	require.Empty(t, Differences(base, base))
	same := Config{Brokers: "a", Name: DefaultName, ClientID: DefaultName, RequestTimeout: 30 * time.Second, SASL: plain("x"), Pins: map[int16]int16{1: 2}}
	require.Empty(t, Differences(base, same), "a default that is written out is no difference")
	other := same
	other.SASL, other.Brokers, other.Produce.Linger, other.Pins, other.Socket.Delay = plain("y"), "b", NoLinger, map[int16]int16{1: 3}, true
	require.Equal(t, []string{"Brokers", "SASL", "Socket", "Pins", "Produce.Linger"}, Differences(base, other))
	other = same
	other.Dial = wire.Config{}.Dial
	require.Empty(t, Differences(base, other))
	other.Produce.Partitioner = behaviors.LikeJava
	require.Empty(t, Differences(base, other))
	other.Produce.Partitioner = behaviors.RoundRobin()
	require.Equal(t, []string{"Produce.Partitioner"}, Differences(base, other))
	again := other
	again.Produce.Partitioner = behaviors.RoundRobin()
	require.Empty(t, Differences(other, again), "each counts for itself, but they are configured the same")
	other = base
	other.SASL = sasl.Scram{Username: "a", Password: sasl.NewSecret("x")}
	require.Equal(t, []string{"SASL"}, Differences(base, other))
}

// Every field of Config is a setting that text can name, or one that it cannot hold.
func TestEveryFieldIsASetting(t *testing.T) {
	known := map[string]bool{}
	for _, o := range new(Config).options() {
		known[o.name] = true
	}
	inGoOnly := []string{"TLS", "SASL", "BrokersFunc", "Dial", "Telemetry", "System", "Socket.LocalAddr", "Socket.Control", "Topics" /* in files too */}
	for _, name := range inGoOnly {
		known[name] = true
	}
	var walk func(reflect.Type, string)
	walk = func(typ reflect.Type, prefix string) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			if f.Type == reflect.TypeFor[ProduceConfig]() || f.Type == reflect.TypeFor[ConsumeConfig]() || f.Type == reflect.TypeFor[wire.Socket]() {
				walk(f.Type, prefix+f.Name+".")
				continue
			}
			require.True(t, known[prefix+f.Name], "%s is not in options()", prefix+f.Name)
			delete(known, prefix+f.Name)
		}
	}
	walk(reflect.TypeFor[Config](), "")
	require.Empty(t, known, "no field has these names")
}
