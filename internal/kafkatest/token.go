package kafkatest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"
)

// UnsecuredToken makes the unsigned JWT (KIP-255) that the OAUTHBEARER listeners of a test cluster accept: issued now,
// expiring after life.
func UnsecuredToken(principal string, life time.Duration) (string, error) {
	now := time.Now()
	claims, err := json.Marshal(map[string]any{"sub": principal, "iat": now.Unix(), "exp": now.Add(life).Unix()})
	if err != nil {
		return "", fmt.Errorf("kafkatest: a token for %q cannot be made: %w", principal, err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"none"}`)) + "." + encode(claims) + ".", nil
}
