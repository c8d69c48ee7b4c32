package behaviors

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRetriesDoubleTheirPauses(t *testing.T) {
	dead := DeadLetter("dead")
	r := Retry(9).Then(dead)
	for i, pause := range []time.Duration{100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000} {
		require.Equal(t, RetryAfter(pause*time.Millisecond), r.Decide(Failure{Attempts: i + 1}))
	}
	require.Equal(t, dead, r.Decide(Failure{Attempts: 10}))
	require.Equal(t, Restart, Retry(1).Decide(Failure{Attempts: 2}), "that is what comes last, if nothing is said")
	require.Equal(t, Skip, Retry(0).Then(Skip).Decide(Failure{Attempts: 1}))
	require.Equal(t, 10*time.Second, Retries{}.Decide(Failure{Attempts: 1 << 30}).Delay(), "for ever")
	require.Equal(t, time.Second, Retries{Min: time.Minute, Max: time.Second}.Decide(Failure{Attempts: 1}).Delay())
}

func TestDecisionsAreDeciders(t *testing.T) {
	for d, word := range map[Decision]string{
		Restart: "restart", Skip: "skip", Pause: "pause", Stop: "stop", DeadLetter("dead"): "dead letter to dead", RetryAfter(-1): "retry after 0s",
	} {
		require.Equal(t, d, d.Decide(Failure{}))
		require.Equal(t, word, d.String())
	}
	require.Equal(t, KindRestart, Decision{}.Kind())
	require.Equal(t, "dead", DeadLetter("dead").Topic())
	boom := errors.New("boom")
	require.Equal(t, Skip, OnErrorFunc(func(Failure) Decision { return Skip }).Decide(Failure{}))
	require.ErrorIs(t, &RecordError{5, boom}, boom)
	require.EqualError(t, &RecordError{5, boom}, "record at offset 5: boom")
}
