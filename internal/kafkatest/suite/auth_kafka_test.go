//go:build kafka

package suite

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/telemetry"
	"github.com/moldau-go/moldau/wire"
	"github.com/moldau-go/moldau/wire/sasl"
)

const wrongPassword = "not-the-secret-at-all"

// TestAuth logs in with every mechanism over TLS, rightly and wrongly. A wrong
// login fails records within MaxBlock with the reason, and nothing that the
// client tells holds the password.
func TestAuth(t *testing.T) {
	k := kafkatest.StartKafka(t, kafkatest.Options{Listeners: []kafkatest.Listener{kafkatest.Plain, kafkatest.TLS, kafkatest.SASLTLS}})
	topic := newTopic(t, k, "orders", 3)
	right, wrong := sasl.NewSecret("alice-secret"), sasl.NewSecret(wrongPassword)
	trusted := k.Certificates().ClientConfig()
	for i, c := range []struct {
		name        string
		good, wrong sasl.Authenticator
	}{
		{"PLAIN", sasl.Plain{Username: "alice", Password: right}, sasl.Plain{Username: "alice", Password: wrong}},
		{"SCRAM-SHA-256", sasl.Scram{Username: "alice", Password: right}, sasl.Scram{Username: "alice", Password: wrong}},
		{"SCRAM-SHA-512", sasl.Scram{Hash: sasl.SHA512, Username: "alice", Password: right}, sasl.Scram{Hash: sasl.SHA512, Username: "alice", Password: wrong}},
		{"OAUTHBEARER", sasl.OAuthBearer{Token: token("alice", time.Hour)}, sasl.OAuthBearer{Token: token("alice", -time.Hour)}},
	} {
		t.Run(c.name+" right", func(t *testing.T) {
			ctx := patient(t)
			topic := newTopic(t, k, fmt.Sprint("orders-", i), 3)
			client, _ := start(t, moldau.Config{Brokers: k.AddrsOf(kafkatest.SASLTLS)[0], TLS: trusted, SASL: c.good})
			flow := newFlow(t, client, topic)
			flow.subscribe()
			flow.produce(ctx, 5000)
			flow.verifyAcked(ctx, newForeign(t, k.Addrs(), nil))
		})
		t.Run(c.name+" wrong", func(t *testing.T) {
			told, err := denied(t, k.AddrsOf(kafkatest.SASLTLS)[0], topic, trusted, c.wrong)
			require.ErrorIs(t, err, wire.ErrAuthentication)
			for _, text := range append(told, err.Error()) {
				require.NotContains(t, text, wrongPassword)
			}
		})
	}
	t.Run("TLS right", func(t *testing.T) {
		client, _ := start(t, moldau.Config{Brokers: k.AddrsOf(kafkatest.TLS)[0], TLS: trusted})
		_, err := client.Topic(topic).ProduceSync(patient(t), text("x"))
		require.NoError(t, err)
	})
	t.Run("TLS with another authority", func(t *testing.T) {
		other, err := kafkatest.NewCertificates()
		require.NoError(t, err)
		_, err = denied(t, k.AddrsOf(kafkatest.TLS)[0], topic, other.ClientConfig(), nil)
		require.ErrorIs(t, err, wire.ErrConnection)
		require.ErrorContains(t, err, "certificate")
	})
	t.Run("TLS on a plain listener", func(t *testing.T) {
		_, err := denied(t, k.Addrs()[0], topic, trusted, nil)
		require.ErrorIs(t, err, wire.ErrConnection)
	})
}

// denied is the error of a record of a client that cannot log in, and all that
// the client's events say.
func denied(t *testing.T, address, topic string, config *tls.Config, login sasl.Authenticator) ([]string, error) {
	t.Helper()
	client, seen := start(t, moldau.Config{
		Brokers: address, TLS: config, SASL: login, CoolDown: 100 * time.Millisecond, Produce: moldau.ProduceConfig{MaxBlock: 3 * time.Second},
	})
	_, err := client.Topic(topic).ProduceSync(patient(t), text("x"))
	require.Error(t, err)
	require.NotZero(t, seen.count(is[telemetry.ConnectFailed]))
	require.NoError(t, client.Close())
	var told []string
	for _, e := range seen.list {
		told = append(told, fmt.Sprintf("%v %+v", e.Attrs(), e))
	}
	return told, err
}

func token(principal string, life time.Duration) func(context.Context) (sasl.Token, error) {
	return func(context.Context) (sasl.Token, error) {
		text, err := kafkatest.UnsecuredToken(principal, life)
		return sasl.Token{Value: sasl.NewSecret(text)}, err
	}
}

// TestAuthOfATokenSourceThatFails: the reason of the user's own code is told.
func TestAuthOfATokenSourceThatFails(t *testing.T) {
	k := kafkatest.StartKafka(t, kafkatest.Options{Listeners: []kafkatest.Listener{kafkatest.Plain, kafkatest.SASLTLS}})
	reason := errors.New("the token endpoint is down")
	told, err := denied(t, k.AddrsOf(kafkatest.SASLTLS)[0], "orders", k.Certificates().ClientConfig(), sasl.OAuthBearer{
		Token: func(context.Context) (sasl.Token, error) { return sasl.Token{}, reason },
	})
	require.ErrorIs(t, err, reason)
	require.True(t, strings.Contains(strings.Join(told, "\n"), reason.Error()))
}
