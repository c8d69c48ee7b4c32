package telemetry

import (
	"context"
	"log/slog"
)

// LogHandler is a slog.Handler that gives records of at least the given level
// to a Handler, as Log events.
func LogHandler(to Handler, least slog.Level) slog.Handler { return &logHandler{to: to, least: least} }

type logHandler struct {
	to    Handler
	least slog.Level
	attrs []slog.Attr
	group string
}

func (h *logHandler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.least }

func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	out := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	out.AddAttrs(h.attrs...)
	r.Attrs(func(a slog.Attr) bool {
		out.AddAttrs(h.named(a)...)
		return true
	})
	Emit(h.to, Log{out})
	return nil
}

// named puts an attribute under the handler's groups, as slog asks for: an empty
// one is ignored, and a group without a name is as if its parts stood there.
func (h *logHandler) named(a slog.Attr) []slog.Attr {
	switch {
	case a.Equal(slog.Attr{}):
		return nil
	case a.Key == "" && a.Value.Kind() == slog.KindGroup:
		var parts []slog.Attr
		for _, part := range a.Value.Group() {
			parts = append(parts, h.named(part)...)
		}
		return parts
	case h.group != "":
		a.Key = h.group + "." + a.Key
	}
	return []slog.Attr{a}
}

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := *h
	next.attrs = append([]slog.Attr(nil), h.attrs...)
	for _, a := range attrs {
		next.attrs = append(next.attrs, h.named(a)...)
	}
	return &next
}

func (h *logHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	next := *h
	if h.group != "" {
		name = h.group + "." + name
	}
	next.group = name
	return &next
}
