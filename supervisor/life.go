package supervisor

import (
	"context"
	"sync"
	"time"
)

// life is the context of one incarnation. Most actors never look at theirs, so
// the context behind it is made when somebody does. The zero value has begun. Safe
// for concurrent use.
type life struct {
	mu   sync.Mutex
	made *cancelable
	over bool
}

type cancelable struct {
	context.Context
	end context.CancelFunc
}

func (l *life) context() context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.made == nil {
		ctx, end := context.WithCancel(context.Background())
		l.made = &cancelable{ctx, end}
		if l.over {
			end()
		}
	}
	return l.made.Context
}

// cancel ends it. Calling it again does nothing.
func (l *life) cancel() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	if l.made != nil {
		l.made.end()
	}
}

// Deadline implements context.Context: there is none.
func (l *life) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done implements context.Context.
func (l *life) Done() <-chan struct{} { return l.context().Done() }

// Err implements context.Context.
func (l *life) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return context.Canceled
	}
	return nil
}

// Value implements context.Context. It has none of its own; contexts that are made
// of this one find by it what cancels them.
func (l *life) Value(key any) any { return l.context().Value(key) }
