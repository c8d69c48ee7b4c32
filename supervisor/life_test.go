package supervisor

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A life is a context like another, whether it is looked at before its end or
// after.
func TestLifeIsAContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, early := range map[string]bool{"looked at before": true, "looked at after": false} {
			l := &life{}
			require.NoError(t, l.Err(), name)
			_, limited := l.Deadline()
			require.False(t, limited)
			var done <-chan struct{}
			before := runtime.NumGoroutine()
			child, stop := context.Background(), func() {}
			called := false
			if early {
				done = l.Done()
				child, stop = context.WithTimeout(l, time.Hour)
				context.AfterFunc(l, func() { called = true })
				require.Equal(t, before, runtime.NumGoroutine(), "a child needs no goroutine")
			}
			l.cancel()
			l.cancel()
			require.ErrorIs(t, l.Err(), context.Canceled)
			require.ErrorIs(t, context.Cause(l), context.Canceled)
			if early {
				<-done
				<-child.Done()
				synctest.Wait()
				require.True(t, called)
			}
			stop()
			<-l.Done()
			late, stop := context.WithCancel(l)
			require.ErrorIs(t, late.Err(), context.Canceled)
			stop()
		}
	})
}

// One that nobody looks at costs nothing.
func TestLifeIsCheap(t *testing.T) {
	var l life
	require.Zero(t, testing.AllocsPerRun(10, func() {
		if l.Err() == nil {
			l.cancel()
		}
	}))
}
