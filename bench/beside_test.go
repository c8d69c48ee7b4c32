package main

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// slowAnswers is a producer whose third answer is slow, and whose flush goes on until
// there are enough.
type slowAnswers struct {
	producer
	asked int
	over  chan struct{}
}

func (p *slowAnswers) one(context.Context, []byte) error { return nil }

func (p *slowAnswers) send(_ context.Context, n int) error {
	if n > 1 {
		<-p.over
	}
	return nil
}

func (p *slowAnswers) ask(context.Context) error {
	switch p.asked++; p.asked {
	case 13:
		time.Sleep(30 * time.Millisecond)
	case 15:
		close(p.over)
	}
	return nil
}

func TestTheLongestAnswerCounts(t *testing.T) {
	j, m := &job{Kind: beside, Records: 2, WarmUp: 1, Size: 10}, &measurement{}
	require.NoError(t, j.beside(t.Context(), &slowAnswers{over: make(chan struct{})}, m))
	require.GreaterOrEqual(t, m.ExtraMS, 30.0)
	j, m = &job{Kind: beside, Throttled: true, Size: 10}, &measurement{}
	require.NoError(t, j.beside(t.Context(), &slowAnswers{asked: 13, over: make(chan struct{})}, m))
	require.Less(t, m.ExtraMS, 30.0)
}
