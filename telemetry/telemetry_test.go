package telemetry

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var cause = errors.New("the cause")

// events is one of each, with everything set.
func events() []Event {
	var r slog.Record
	r.Level, r.Message = slog.LevelWarn, "hello"
	r.AddAttrs(slog.Int("n", 1))
	return []Event{
		ConnectionOpened{"c", "b", "l", time.Second}, ConnectFailed{"c", "b", "l", cause, time.Second}, ConnectionClosed{"c", "b", "l", cause},
		MetadataUpdated{"c", 3, 4}, MetadataFailed{"c", cause, time.Second}, BootstrapFailed{"c", cause, "stack", time.Second}, ProduceRetried{"c", "t", 1, 2, cause}, ProduceFailed{"c", "t", 1, 2, cause},
		FetchFailed{"c", "t", 1, cause}, OffsetReset{"c", "t", 1, 5, 6, cause}, WorkerFailed{"c", "s", "t", 1, cause, "stack"},
		RecordsSkipped{"c", "s", "t", 1, 5, 6, cause}, PartitionPaused{"c", "s", "t", 1, cause},
		ActorChanged{"s", "c", "failed", true, cause, time.Second}, Log{r},
	}
}

func TestEventsTellTheirFields(t *testing.T) {
	names := map[string]bool{}
	for _, e := range events() {
		require.Regexp(t, regexp.MustCompile(`^[a-z]+(\.[a-z]+)?$`), e.Name())
		require.False(t, names[e.Name()], "%s twice", e.Name())
		names[e.Name()] = true
		keys := map[string]bool{}
		for _, a := range e.Attrs() {
			require.NotEmpty(t, a.Key)
			require.False(t, keys[a.Key], "%s has %s twice", e.Name(), a.Key)
			keys[a.Key] = true
		}
		require.NotEmpty(t, keys)
	}
}

func TestZeroEventsDoNoHarm(t *testing.T) {
	for _, e := range []Event{
		ConnectionOpened{}, ConnectFailed{}, ConnectionClosed{}, MetadataUpdated{}, MetadataFailed{}, ProduceRetried{}, ProduceFailed{},
		FetchFailed{}, OffsetReset{}, WorkerFailed{}, RecordsSkipped{}, PartitionPaused{}, ActorChanged{}, Log{},
	} {
		require.NotPanics(t, func() { e.Attrs(); e.Level(); e.Name() })
	}
}

func TestLevels(t *testing.T) {
	require.Equal(t, slog.LevelInfo, ConnectionClosed{Err: cause}.Level())
	require.Equal(t, slog.LevelDebug, ConnectionClosed{}.Level())
	require.Equal(t, slog.LevelWarn, ActorChanged{Failed: true}.Level())
	require.Equal(t, slog.LevelDebug, ActorChanged{}.Level())
	loud := map[string]bool{}
	for _, e := range events() {
		loud[e.Name()] = e.Level() >= slog.LevelWarn
	}
	for name, want := range map[string]bool{
		"connection.opened": false, "connection.failed": true, "connection.closed": false, "metadata.updated": false, "metadata.failed": true,
		"produce.retried": false, "produce.failed": true, "fetch.failed": true, "offset.reset": true, "worker.failed": true, "actor.changed": true, "log": true,
	} {
		require.Equal(t, want, loud[name], name)
	}
}

func text(w *bytes.Buffer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

func TestSlogGivesWhatIsLoudEnough(t *testing.T) {
	var out bytes.Buffer
	h := Slog(text(&out), slog.LevelWarn)
	Emit(h, ConnectionOpened{Client: "c"})
	require.Empty(t, out.String())
	Emit(h, ConnectFailed{"me", "kafka:9092", "produce", cause, time.Second})
	require.Equal(t, "level=WARN msg=\"moldau: connection.failed\" client=me broker=kafka:9092 lane=produce error=\"the cause\" retry=1s\n", out.String())
}

func TestDefaultIsSlogsDefault(t *testing.T) {
	var out bytes.Buffer
	before := slog.Default()
	defer slog.SetDefault(before)
	h := Default()
	slog.SetDefault(text(&out)) // set later than the handler was made
	Emit(h, ProduceRetried{})
	require.Empty(t, out.String(), "quiet by default")
	Emit(h, ProduceFailed{Topic: "t", Err: cause})
	require.Contains(t, out.String(), "produce.failed")
}

func TestEmitSurvives(t *testing.T) {
	require.NotPanics(t, func() {
		Emit(nil, MetadataUpdated{})
		Emit(Discard, MetadataUpdated{})
		Emit(Func(func(Event) { panic("handler") }), MetadataUpdated{})
		Emit(Func(nil), MetadataUpdated{})
	})
}

func TestTheActorLibrarysLogger(t *testing.T) {
	var mu sync.Mutex
	var got []Event
	h := LogHandler(Func(func(e Event) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, e)
	}), slog.LevelWarn)
	require.False(t, h.Enabled(context.Background(), slog.LevelInfo))
	require.True(t, h.Enabled(context.Background(), slog.LevelWarn))
	log := slog.New(h)
	log.Info("not loud enough")
	base := log.With("a", 1)
	base.WithGroup("g").With("b", 2).WithGroup("h").Error("it failed", "c", 3)
	base.Warn("a sibling", "d", 4)
	require.Len(t, got, 2)
	require.Equal(t, slog.LevelError, got[0].Level())
	require.Equal(t, map[string]string{"message": "it failed", "a": "1", "g.b": "2", "g.h.c": "3"}, fields(got[0]))
	require.Equal(t, map[string]string{"message": "a sibling", "a": "1", "d": "4"}, fields(got[1]), "loggers that share a parent share nothing else")
}

func fields(e Event) map[string]string {
	out := map[string]string{}
	for _, a := range e.Attrs() {
		out[a.Key] = a.Value.String()
	}
	return out
}
