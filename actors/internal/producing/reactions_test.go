package producing

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau/wire"
)

// expected is what users are promised, by what can be seen from outside; it is
// written down once more here, so that no row changes unseen.
var expected = map[string][]wire.Code{
	"acked": {wire.DuplicateSequenceNumber},
	"fails": {
		wire.UnknownServerError, wire.InvalidTopic, wire.InvalidRequiredAcks, wire.TopicAuthorizationFailed, wire.ClusterAuthorizationFailed,
		wire.UnsupportedVersion, wire.InvalidRequest, wire.UnsupportedForMessageFormat, wire.PolicyViolation, wire.InvalidTxnState, wire.InvalidProducerIDMapping,
		wire.TransactionalIDAuthorizationFailed, wire.UnsupportedCompressionType, wire.ProducerFenced, wire.TransactionAbortable,
	},
	"resent": {wire.CorruptMessage, wire.ConcurrentTransactions, wire.ThrottlingQuotaExceeded},
	"alone":  {wire.RequestTimedOut, wire.NotEnoughReplicas, wire.NotEnoughReplicasAfterAppend},
	"leader": {
		wire.UnknownTopicOrPartition, wire.LeaderNotAvailable, wire.NotLeaderOrFollower, wire.BrokerNotAvailable, wire.ReplicaNotAvailable, wire.NetworkException,
		wire.KafkaStorageError, wire.FencedLeaderEpoch, wire.UnknownLeaderEpoch, wire.UnknownTopicID, wire.InconsistentTopicID, wire.NewLeaderElected, wire.RebootstrapRequired,
	},
	"renumbered": {wire.OutOfOrderSequenceNumber, wire.InvalidProducerEpoch, wire.UnknownProducerID},
	"split":      {wire.MessageTooLarge, wire.RecordListTooLarge},
	"rejected":   {wire.InvalidTimestamp, wire.InvalidRecord},
}

func expectedOf(code wire.Code) string {
	for what, codes := range expected {
		if slices.Contains(codes, code) {
			return what
		}
	}
	switch {
	case code.Retriable() && code.RefreshMetadata():
		return "leader"
	case code.Retriable():
		return "resent"
	}
	return "fails"
}

// seen is what a producer does when a batch of three records is answered so.
func seen(t *testing.T, err error) string {
	cfg := testConfig
	cfg.Idempotent, cfg.MaxInFlight, cfg.Forget = true, 5, time.Minute
	c := New(cfg, []Batch{{ID: 1, Opened: epoch, Count: 3, Size: 300}}, func() float64 { return 0 })
	c.Start(epoch)
	only[Send](t, c.Leader(epoch, 3))
	out := c.Answer(epoch, 1, -1, err, true)
	switch {
	case has[Settle](out) && only[Settle](t, out).Err == nil:
		require.Equal(t, int64(-1), only[Settle](t, out).Base)
		return "acked"
	case has[Settle](out):
		require.ErrorIs(t, only[Settle](t, out).Err, err)
		return "fails"
	case has[Part](out) && len(only[Part](t, out).Rejected) == 0:
		return "split"
	case has[Part](out):
		return "rejected"
	case has[FindLeader](out):
		return "leader"
	}
	require.False(t, has[Send](out), "without a pause")
	later := c.Tick(at(50 * time.Millisecond))
	switch {
	case has[Bump](later):
		return "renumbered"
	case only[Send](t, later).Alone:
		return "alone"
	}
	return "resent"
}

// Every code that there is, and one that there is not, is answered as promised.
func TestReactionToEveryCode(t *testing.T) {
	for code := wire.UnknownServerError; code <= wire.ShareSessionLimitReached+1; code++ {
		if code == wire.None {
			continue
		}
		var err error = coded(code)
		if expectedOf(code) == "rejected" {
			require.Equal(t, "fails", seen(t, err), "%v: no record is named", code)
			err = &Refusal{Err: err.(*wire.Error), Records: []RefusedRecord{{Index: 1}}}
		}
		require.Equal(t, expectedOf(code), seen(t, err), code)
	}
}

// What is sent again agrees with what the codes say of themselves.
func TestReactionsAgreeWithTheCodes(t *testing.T) {
	for code, r := range reactions {
		again := r.reaction == resend || r.reaction == alone || r.reaction == newLeader
		require.Equal(t, code.Retriable(), again, code)
		require.Equal(t, code.RefreshMetadata(), r.reaction == newLeader, code)
		if again {
			require.Equal(t, code.SafeToRetry(), r.written == no, code)
		}
	}
}

func TestReactionToWhatIsNoCode(t *testing.T) {
	require.Equal(t, "fails", seen(t, errors.New("foreign")))
	require.Equal(t, "leader", seen(t, errLost))
	refused := &wire.ConnError{Stage: wire.StageLogin, Cause: coded(wire.SASLAuthenticationFailed)}
	require.Equal(t, "fails", seen(t, refused))
	require.Equal(t, row{reaction: newLeader, written: perhaps}, reactionTo(fmt.Errorf("wrapped: %w", errLost)))
	require.Equal(t, row{reaction: newLeader}, reactionTo(&wire.ConnError{Stage: wire.StageDial}), "it was not sent")
}

// With acks=leader the leader answers what it knows before it writes.
func TestNotLeaderIsSureWhereTheLeaderAcksAlone(t *testing.T) {
	for _, leaderAcks := range []bool{false, true} {
		cfg := testConfig
		cfg.Safe, cfg.LeaderAcks = true, leaderAcks
		c := New(cfg, []Batch{{ID: 1, Opened: epoch}}, func() float64 { return 0 })
		c.Start(epoch)
		c.Leader(epoch, 3)
		out := c.Answer(epoch, 1, -1, coded(wire.NotLeaderOrFollower), true)
		require.Equal(t, leaderAcks, !has[Settle](out))
	}
}

func TestACorruptBatchIsNotTriedForEver(t *testing.T) {
	c := sending(t)
	now := epoch
	for range corruptMost {
		require.False(t, has[Settle](c.Answer(now, 1, -1, coded(wire.CorruptMessage), true)))
		now = now.Add(time.Second)
		only[Send](t, c.Tick(now))
	}
	settle := only[Settle](t, c.Answer(now, 1, -1, coded(wire.CorruptMessage), true))
	require.ErrorIs(t, settle.Err, wire.ErrCorrupt)
	require.NotErrorIs(t, settle.Err, wire.ErrUnsure)
}

const page = "../../../docs/delivery.md"

// words are the reactions as the page has them.
var words = map[reaction]string{
	fail: "fails", acked: "acked, offset -1", resend: "sent again after a pause", alone: "sent again after a pause, in requests of its own until one is acked",
	newLeader: "leader looked up at once, sent again", renumber: "new epoch, if it surely was not written; else fails", split: "sent again in halves; a single record fails",
	reject: "the records that the broker names fail, the others are sent again; if it names none, all fail",
}

var writtenWords = map[written]string{no: "no", perhaps: "perhaps", perhapsR: "perhaps; no with `AcksLeader`", yes: "yes"}

// The page has every row of the table, and no other.
func TestDocumentedReactionsAreTheReactions(t *testing.T) {
	var codes []wire.Code
	for code := range reactions {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	var want strings.Builder
	want.WriteString("| code | the batch | written? |\n|---|---|---|\n")
	for _, code := range codes {
		r := reactions[code]
		does := words[r.reaction]
		if r.most > 0 {
			does += fmt.Sprintf(", at most %d times in a row, then fails", r.most)
		}
		fmt.Fprintf(&want, "| %s (%d) | %s | %s |\n", code.Name(), code, does, writtenWords[r.written])
	}
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	require.True(t, strings.Contains(string(text), want.String()), "%s does not have this table:\n%s", page, want.String())
}
