package kafkatest

import (
	"context"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestVersions(t *testing.T) {
	for text, want := range map[string]struct {
		scala                   string
		kraft, named, apis, tls bool
	}{
		"0.8.2.2":   {scala: "2.10"},
		"0.9.0.1":   {scala: "2.11"},
		"0.10.2.2":  {scala: "2.11", named: true, apis: true},
		"0.11.0.3":  {scala: "2.11", named: true, apis: true},
		"1.1.1":     {scala: "2.12", named: true, apis: true},
		"2.8.2":     {scala: "2.13", named: true, apis: true, tls: true},
		"3.9.1":     {scala: "2.13", named: true, apis: true, tls: true, kraft: true},
		"4.3.1":     {scala: "2.13", named: true, apis: true, tls: true, kraft: true},
		"4.4.0-rc1": {scala: "2.13", named: true, apis: true, tls: true, kraft: true},
	} {
		v, err := parseVersion(text)
		require.NoError(t, err)
		require.Equal(t, want.scala, v.scala(), text)
		require.Equal(t, want.kraft, v.kraft(), text)
		require.Equal(t, want.named, v.namedListeners(), text)
		require.Equal(t, want.apis, v.apiVersions(), text)
		require.Equal(t, want.tls, v.security(), text)
		require.NoError(t, xml.Unmarshal([]byte(v.pom()), new(struct{})), text)
	}
	for _, text := range []string{"4", "4.3", "a.b.c", "1.2.3.4.5", "-1.0.0"} {
		_, err := parseVersion(text)
		require.ErrorContains(t, err, text)
	}
	var unsupported *UnsupportedError
	_, err := parseVersion("0.7.2.0")
	require.ErrorAs(t, err, &unsupported)
}

func TestWhatIsMissingIsSaidInOneLine(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("JAVA_HOME", "")
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	var missing *MissingToolError
	_, err := OpenKafka(t.Context(), Options{})
	require.ErrorAs(t, err, &missing)
	require.Equal(t, "java", missing.Tool)
	require.NotContains(t, err.Error(), "\n")
	_, err = Fetch(t.Context(), "")
	require.ErrorAs(t, err, &missing)
	require.Equal(t, "mvn", missing.Tool)
	require.NotContains(t, err.Error(), "\n")
}

func TestHalfFilledCacheIsFilledAgain(t *testing.T) {
	cache, bin := t.TempDir(), t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("PATH", bin+":/usr/bin:/bin")
	// A Maven that dies half-way: some jars are there, the exit status is not zero.
	mvn := filepath.Join(bin, "mvn")
	script := "#!/bin/sh\nfor a; do case $a in -DoutputDirectory=*) d=${a#*=};; esac; done\nmkdir -p $d; echo half >$d/kafka_2.13-4.3.1.jar\necho connection lost; exit "
	require.NoError(t, os.WriteFile(mvn, []byte(script+"1\n"), 0o755))
	var download *DownloadError
	_, err := Fetch(t.Context(), "4.3.1")
	require.ErrorAs(t, err, &download)
	require.ErrorContains(t, err, "connection lost")
	// One that ends well and leaves a broken jar is found out too.
	require.NoError(t, os.WriteFile(mvn, []byte(script+"0\n"), 0o755))
	_, err = Fetch(t.Context(), "4.3.1")
	require.ErrorAs(t, err, &download)
	require.ErrorContains(t, err, "broken")
	left, err := filepath.Glob(filepath.Join(cache, "moldau", "kafka", "4.3.1", "*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestOptionsAreChecked(t *testing.T) {
	for want, options := range map[string]Options{
		"1 to 9":    {Nodes: -1},
		"no list":   {Listeners: []Listener{}},
		"telnet":    {Listeners: []Listener{"telnet"}},
		"twice":     {Listeners: []Listener{TLS, TLS}},
		"2.7":       {Version: "1.1.1", Listeners: []Listener{SASL}},
		"0.10.2":    {Version: "0.9.0.1", Nodes: 3, Proxies: true},
		"a version": {Version: "x"},
	} {
		_, _, err := options.withDefaults()
		require.Error(t, err, want)
	}
	options, _, err := Options{}.withDefaults()
	require.NoError(t, err)
	require.Equal(t, 1, options.Nodes)
	require.Equal(t, []Listener{Plain}, options.Listeners)
}

func TestPortsAreLeasedOnce(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	lease, err := newPortLease()
	require.NoError(t, err)
	defer lease.release()
	seen := map[int]bool{}
	for range 50 {
		port, err := lease.take()
		require.NoError(t, err)
		require.False(t, seen[port])
		seen[port] = true
		lock, err := tryLock(filepath.Join(lease.dir, strconv.Itoa(port)))
		require.NoError(t, err)
		require.Nil(t, lock, "the port is locked")
	}
}

func TestLeftBehindDataIsSwept(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	living, err := newRunDir()
	require.NoError(t, err)
	dead := filepath.Join(runRoot(), "run-dead")
	require.NoError(t, os.MkdirAll(filepath.Join(dead, "node-1"), 0o755))
	next, err := newRunDir()
	require.NoError(t, err)
	require.NoDirExists(t, dead)
	require.DirExists(t, living.path)
	require.NoError(t, living.remove())
	require.NoError(t, next.remove())
	require.NoDirExists(t, living.path)
}

func TestUnsecuredToken(t *testing.T) {
	token, err := UnsecuredToken("alice", time.Hour)
	require.NoError(t, err)
	parts := strings.Split(token, ".")
	require.Len(t, parts, 3)
	require.Empty(t, parts[2])
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	require.NoError(t, err)
	require.Contains(t, string(claims), `"sub":"alice"`)
}

func TestProcessEndIsTold(t *testing.T) {
	java := filepath.Join(t.TempDir(), "java")
	require.NoError(t, os.WriteFile(java, []byte("#!/bin/sh\necho $CLASSPATH; echo \"$@\" >&2; exec sleep 1000\n"), 0o755))
	t.Setenv("JAVA_HOME", "")
	t.Setenv("PATH", filepath.Dir(java)+":/usr/bin:/bin")
	cmd, err := jvm{jars: "/jars", main: "Main", args: []string{"x"}}.command()
	require.NoError(t, err)
	cleaned := false
	p, err := startProcess(cmd, func() { cleaned = true })
	require.NoError(t, err)
	require.False(t, p.ended())
	ctx, cancel := context.WithCancelCause(t.Context())
	gaveUp := errors.New("gave up")
	cancel(gaveUp)
	require.ErrorIs(t, p.wait(ctx), gaveUp)
	p.kill()
	require.True(t, p.ended() && cleaned)
	p.kill()
	require.ErrorIs(t, p.signal(signalTerminate), os.ErrProcessDone)
}
