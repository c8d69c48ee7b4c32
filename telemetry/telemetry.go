// Package telemetry has the typed events that moldau emits and the interface
// that takes them. The library logs nothing itself: everything it has to say
// goes through a Handler, by default one that gives warnings and errors to
// log/slog.
package telemetry

import (
	"context"
	"log/slog"
)

// Event is one thing that happened. The concrete types of this package are all
// there are; a handler switches over those it knows.
type Event interface {
	// Name is the event's stable name, as "connection.opened".
	Name() string
	// Level is how loud it is.
	Level() slog.Level
	// Attrs are its fields, free of secrets.
	Attrs() []slog.Attr
}

// Handler takes events. Handle is called from many goroutines at once,
// including those of actors, and must be quick. A panic in it is caught and
// ignored.
type Handler interface {
	Handle(Event)
}

// Func makes a function a Handler.
type Func func(Event)

// Handle calls the function.
func (f Func) Handle(e Event) { f(e) }

// Discard takes events and drops them.
var Discard Handler = Func(func(Event) {})

// Slog gives events of at least the given level to a logger.
func Slog(logger *slog.Logger, least slog.Level) Handler {
	return Func(func(e Event) {
		if e.Level() >= least {
			logger.LogAttrs(context.Background(), e.Level(), "moldau: "+e.Name(), e.Attrs()...)
		}
	})
}

// Default is Slog with slog's default logger from Warn on.
func Default() Handler {
	return Func(func(e Event) {
		if e.Level() >= slog.LevelWarn {
			Slog(slog.Default(), slog.LevelWarn).Handle(e)
		}
	})
}

// Emit hands e to h and survives a panic in it. A nil h drops the event.
func Emit(h Handler, e Event) {
	if h == nil {
		return
	}
	defer func() { _ = recover() }()
	h.Handle(e)
}
