package sasl

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const secret = "hunter2-the-secret"

func TestSecretIsNeverPrinted(t *testing.T) {
	type nested struct {
		Public Secret
		hidden Secret
		Ptr    *Secret
		Many   []Secret
		Map    map[string]Secret
	}
	s := NewSecret(secret)
	values := []any{
		s, &s, nested{s, s, &s, []Secret{s}, map[string]Secret{"k": s}},
		Plain{Username: "u", Password: s}, &Scram{Username: "u", Password: s}, Token{Value: s},
		plainSession{"", "u", s}, &oauthSession{token: Token{Value: s}},
	}
	var all strings.Builder
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p"} {
			fmt.Fprintf(&all, verb+"\n", v)
		}
		j, err := json.Marshal(struct{ V any }{v})
		if err == nil { // a function within, as of a Source, is not JSON
			all.Write(j)
		}
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "v", v)
		slog.New(slog.NewTextHandler(&log, nil)).Info("m", "v", v)
		all.Write(log.Bytes())
	}
	x, err := xml.Marshal(s)
	require.NoError(t, err)
	all.Write(x)
	var g bytes.Buffer
	require.NoError(t, gob.NewEncoder(&g).Encode(s))
	all.Write(g.Bytes())
	require.NotContains(t, all.String(), secret)
	require.NotContains(t, all.String(), fmt.Sprintf("%x", secret))
	require.Equal(t, "[redacted]", fmt.Sprint(s))
	require.Equal(t, "[redacted]", fmt.Sprintf("%#v", s))
	require.Equal(t, secret, s.Reveal())
	require.Empty(t, Secret{}.Reveal())
	require.True(t, Secret{}.Empty())
	require.Equal(t, "a [redacted] b", s.scrub("a "+secret+" b"))
}

var plainText = Target{Host: "h", Address: "h:1"}

func TestPlain(t *testing.T) {
	ctx := context.Background()
	s, err := Plain{Username: "alice", Password: NewSecret("pw"), AuthzID: "bob"}.Start(ctx, Target{Secure: true})
	require.NoError(t, err)
	first, err := s.First()
	require.NoError(t, err)
	require.Equal(t, "bob\x00alice\x00pw", string(first))
	_, done, err := s.Next(ctx, nil)
	require.NoError(t, err)
	require.True(t, done)
	for name, p := range map[string]Plain{
		"no TLS":      {Username: "a", Password: NewSecret(secret)},
		"no user":     {Password: NewSecret(secret), AllowWithoutTLS: true},
		"no password": {Username: "a", AllowWithoutTLS: true},
		"zero byte":   {Username: "a\x00b", Password: NewSecret(secret), AllowWithoutTLS: true},
		"no file":     {Source: FromFile("/does/not/exist"), AllowWithoutTLS: true},
	} {
		_, err := p.Start(ctx, plainText)
		var e *Error
		require.ErrorAs(t, err, &e, name)
		require.NotContains(t, err.Error(), secret)
	}
}

func TestFromFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "credentials")
	read := func(text string) (string, string, error) {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		user, password, err := FromFile(path)(context.Background())
		return user, password.Reveal(), err
	}
	user, password, err := read("\r\nalice\r\n\npw with space \r\nmore")
	require.NoError(t, err)
	require.Equal(t, "alice", user)
	require.Equal(t, "pw with space ", password)
	_, _, err = read("alice\n")
	require.ErrorContains(t, err, "two lines")
	require.NotContains(t, err.Error(), "alice")
}

func TestScramLimits(t *testing.T) {
	for name, test := range map[string]struct {
		answer func(nonce string) string
		text   string
	}{
		"too few":            {func(n string) string { return "r=" + n + "x,s=c2FsdA==,i=4095" }, "fewer than MinIterations (4096)"},
		"too many":           {func(n string) string { return "r=" + n + "x,s=c2FsdA==,i=2147483647" }, "more than MaxIterations"},
		"beyond a number":    {func(n string) string { return "r=" + n + "x,s=c2FsdA==,i=99999999999999999999" }, "no iteration count"},
		"no count":           {func(n string) string { return "r=" + n + "x,s=c2FsdA==" }, "no iteration count"},
		"nonce as it was":    {func(n string) string { return "r=" + n + ",s=c2FsdA==,i=4096" }, "nothing to the nonce"},
		"another nonce":      {func(n string) string { return "r=abc,s=c2FsdA==,i=4096" }, "not valid"},
		"nothing":            {func(string) string { return "" }, "no iteration count"},
		"count put in front": {func(n string) string { return "i=4096,r=" + n + "x,s=c2FsdA==,i=2147483647" }, "not valid"},
	} {
		s, err := Scram{Username: "alice", Password: NewSecret(secret)}.Start(context.Background(), plainText)
		require.NoError(t, err, name)
		first, err := s.First()
		require.NoError(t, err)
		_, _, err = s.Next(context.Background(), []byte(test.answer(field(string(first), "r="))))
		require.ErrorContains(t, err, test.text, name)
		require.NotContains(t, err.Error(), secret)
	}
}

// A broker that does not know the password cannot pass for one that does.
func TestScramBrokerMustProveItself(t *testing.T) {
	s, err := Scram{Hash: SHA512, Username: "alice", Password: NewSecret(secret)}.Start(context.Background(), plainText)
	require.NoError(t, err)
	first, err := s.First()
	require.NoError(t, err)
	_, done, err := s.Next(context.Background(), []byte("r="+field(string(first), "r=")+"x,s=c2FsdA==,i=4096"))
	require.NoError(t, err)
	require.False(t, done)
	_, done, err = s.Next(context.Background(), []byte("v=bm90IHRoZSBzaWduYXR1cmU="))
	require.ErrorContains(t, err, "did not prove")
	require.False(t, done)
}

func TestScramRefusesBadNames(t *testing.T) {
	_, err := Scram{Username: "a\u0007b", Password: NewSecret(secret)}.Start(context.Background(), plainText)
	require.ErrorContains(t, err, "SASLprep")
	require.NotContains(t, err.Error(), secret)
}

func TestOAuthTokensAreChecked(t *testing.T) {
	start := func(token Token, err error) error {
		_, got := OAuthBearer{AllowWithoutTLS: true, Token: func(context.Context) (Token, error) { return token, err }}.Start(context.Background(), plainText)
		return got
	}
	require.NoError(t, start(Token{Value: NewSecret("t"), Extensions: map[string]string{"abc": "x y\t"}}, nil))
	for name, token := range map[string]Token{
		"empty":           {},
		"control":         {Value: NewSecret("a\x01auth=Bearer b")},
		"space":           {Value: NewSecret("a b")},
		"authz":           {Value: NewSecret("t"), AuthzID: "a\x01b"},
		"extension auth":  {Value: NewSecret("t"), Extensions: map[string]string{"auth": "x"}},
		"extension name":  {Value: NewSecret("t"), Extensions: map[string]string{"a1": "x"}},
		"extension value": {Value: NewSecret("t"), Extensions: map[string]string{"a": "x\x01"}},
		"extension empty": {Value: NewSecret("t"), Extensions: map[string]string{"": "x"}},
	} {
		require.Error(t, start(token, nil), name)
	}
	require.ErrorIs(t, start(Token{}, os.ErrDeadlineExceeded), os.ErrDeadlineExceeded)
	_, err := OAuthBearer{AllowWithoutTLS: true}.Start(context.Background(), plainText)
	require.ErrorContains(t, err, "no Token function")
}

func TestOAuthMessages(t *testing.T) {
	s := &oauthSession{token: Token{Value: NewSecret(secret), AuthzID: "a=b,c", Extensions: map[string]string{"b": "2", "a": "1"}, Lifetime: time.Hour}}
	first, err := s.First()
	require.NoError(t, err)
	require.Equal(t, "n,a=a=3Db=2Cc,\x01auth=Bearer "+secret+"\x01a=1\x01b=2\x01\x01", string(first))
	answer, done, err := s.Next(context.Background(), []byte(`{"status":"`+secret+`"}`))
	require.NoError(t, err)
	require.False(t, done)
	require.Equal(t, []byte{1}, answer)
	require.NotContains(t, s.Explain(), secret)
	_, _, err = s.Next(context.Background(), nil)
	require.ErrorContains(t, err, "refused the token")
	require.Equal(t, time.Hour, s.Lifetime())
}

// Whatever the token holds, it cannot put a second attribute into the message.
func TestOAuthMessageProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		token := Token{
			Value: NewSecret(rapid.String().Draw(t, "value")), AuthzID: rapid.String().Draw(t, "authz"),
			Extensions: rapid.MapOfN(rapid.String(), rapid.String(), 0, 3).Draw(t, "extensions"),
		}
		if token.check() != nil {
			return
		}
		first, err := (&oauthSession{token: token}).First()
		require.NoError(t, err)
		require.Equal(t, 3+len(token.Extensions), bytes.Count(first, []byte{1}))
	})
}

func FuzzMessages(f *testing.F) {
	f.Add([]byte("r=%x,s=c2FsdA==,i=4096"), []byte("v=bm90IHRoZSBzaWduYXR1cmU="))
	f.Add([]byte("e=other-error"), []byte(`{"status":"invalid_token"}`))
	f.Add([]byte("m=x,r=%,s=,i="), []byte{})
	f.Fuzz(func(t *testing.T, one, two []byte) {
		ctx := context.Background()
		for _, a := range []Authenticator{
			Scram{Username: "alice", Password: NewSecret(secret), MaxIterations: 4096},
			OAuthBearer{AllowWithoutTLS: true, Token: func(context.Context) (Token, error) { return Token{Value: NewSecret(secret)}, nil }},
		} {
			s, err := a.Start(ctx, plainText)
			if err != nil {
				t.Fatal(err)
			}
			first, err := s.First()
			if err != nil {
				t.Fatal(err)
			}
			challenge := bytes.ReplaceAll(one, []byte("%"), []byte(field(string(first), "r=")))
			_, done, err := s.Next(ctx, challenge)
			if err == nil && !done {
				_, done, err = s.Next(ctx, two)
			}
			if done && (a.Mechanism() != oauthBearer || len(challenge) > 0) {
				t.Fatalf("%s: a made-up broker passed with %q, %q", a.Mechanism(), one, two)
			}
			if err != nil && strings.Contains(err.Error(), secret) && !bytes.Contains(append(one, two...), []byte(secret)) {
				t.Fatal("the secret is in the error: " + strconv.Quote(err.Error()))
			}
		}
	})
}
