package producing

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau/wire"
)

func TestOnceIsSentAgainOnlyIfItWasNotWritten(t *testing.T) {
	again, unsure, final := Once{Again: true}, Once{Unsure: true}, Once{}
	for _, tt := range []struct {
		code              wire.Code
		all, leader, none Once // acks=all, acks=1, and never sent
	}{
		{wire.UnknownTopicOrPartition, again, again, again},
		{wire.LeaderNotAvailable, again, again, again},
		{wire.NotLeaderOrFollower, unsure, again, again},
		{wire.FencedLeaderEpoch, unsure, again, again},
		{wire.RequestTimedOut, unsure, unsure, again},
		{wire.NotEnoughReplicas, again, again, again},
		{wire.NotEnoughReplicasAfterAppend, unsure, unsure, again},
		{wire.CorruptMessage, again, again, again},
		{wire.UnknownServerError, unsure, unsure, final},
		{wire.MessageTooLarge, final, final, final},
		{wire.RecordListTooLarge, final, final, final},
		{wire.InvalidRecord, final, final, final},
		{wire.TopicAuthorizationFailed, final, final, final},
		{wire.InvalidRequiredAcks, final, final, final},
	} {
		err := &wire.Error{Code: tt.code, API: 0}
		require.Equal(t, tt.all, OnceAfter(err, true, false), "%v, acks=all", tt.code)
		require.Equal(t, tt.leader, OnceAfter(err, true, true), "%v, acks=1", tt.code)
		require.Equal(t, tt.none, OnceAfter(err, false, false), "%v, not sent", tt.code)
	}
	for code := range reactions {
		o := OnceAfter(&wire.Error{Code: code, API: 0}, true, false)
		require.False(t, o.Again && o.Unsure, "%v", code)
		require.False(t, OnceAfter(&wire.Error{Code: code, API: 0}, false, false).Unsure, "%v was not sent", code)
	}
}

func TestOnceAndConnections(t *testing.T) {
	require.Equal(t, Once{Unsure: true}, OnceAfter(&wire.ConnError{API: 0, Written: true}, true, true))
	require.Equal(t, Once{Again: true}, OnceAfter(&wire.ConnError{API: 0}, false, true))
	require.Equal(t, Once{}, OnceAfter(errors.New("who knows"), false, true))
	err := UnsureError(&wire.Error{Code: wire.NotLeaderOrFollower})
	require.ErrorIs(t, err, wire.ErrUnsure)
	require.ErrorIs(t, err, wire.ErrNotLeader)
}
