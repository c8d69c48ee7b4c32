package telemetry

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
)

// slog's contract: a group without a name is none, an empty attribute is left out.
func TestGroupsWithoutAName(t *testing.T) {
	var got Event
	log := slog.New(LogHandler(Func(func(e Event) { got = e }), slog.LevelDebug))
	log.WithGroup("a").WithGroup("").Info("m", "k", 1)
	require.Equal(t, "1", fields(got)["a.k"], "%v", fields(got))
	log.WithGroup("a").Info("m", slog.Attr{}, slog.Group("", slog.Int("inline", 1)))
	require.Equal(t, map[string]string{"message": "m", "a.inline": "1"}, fields(got))
}
