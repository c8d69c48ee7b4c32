package wire

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The table of codes agrees with the Java client's, of which testdata has a
// printout: code, name, R if retriable, M if it calls for fresh metadata.
func TestCodesAgreeWithJava(t *testing.T) {
	// Where this client's answer differs, on purpose: these pass with time, and
	// these tell that what is known of leaders or brokers is stale.
	retriableHere := map[Code]bool{BrokerNotAvailable: true, ReassignmentInProgress: true, NewLeaderElected: true, RebootstrapRequired: true}
	refreshHere := map[Code]bool{BrokerNotAvailable: true, UnknownLeaderEpoch: true, NewLeaderElected: true, RebootstrapRequired: true}

	classless := map[Code]bool{None: true, OperationNotAttempted: true, ElectionNotNeeded: true, RebootstrapRequired: true}
	f, err := os.Open("testdata/kafka-4.3.1-errors.txt")
	require.NoError(t, err)
	defer f.Close()
	n := 0
	for s := bufio.NewScanner(f); s.Scan(); n++ {
		var code Code
		var name, flags string
		_, err := fmt.Sscan(s.Text(), &code, &name, &flags)
		require.NoError(t, err)
		require.True(t, code.Known(), name)
		require.Equal(t, name, code.Name())
		require.Equal(t, strings.Contains(flags, "R") || retriableHere[code], code.Retriable(), name)
		require.Equal(t, strings.Contains(flags, "M") || refreshHere[code], code.RefreshMetadata(), name)
		require.NotEmpty(t, code.Description(), name)
		if !classless[code] {
			require.NotZero(t, code.info().class, name)
		}
	}
	require.Equal(t, len(codeTable), n)
}

func TestUnknownCode(t *testing.T) {
	for _, code := range []Code{-2, 1000, -32768, 32767} {
		require.False(t, code.Known())
		require.Contains(t, code.Name(), "CODE_")
		require.False(t, code.Retriable())
		require.NotEmpty(t, code.Description())
	}
}

func TestErrorHelpersLookThroughWrapping(t *testing.T) {
	wrap := func(err error) error { return fmt.Errorf("while working: %w", errors.Join(errors.New("other"), err)) }
	tests := []struct {
		err                      error
		retriable, safe, refresh bool
		classes                  []error
	}{
		{nil, false, false, false, nil},
		{errors.New("plain"), false, false, false, nil},
		{&Error{Code: NotLeaderOrFollower}, true, false, true, []error{ErrNotLeader}},
		{&Error{Code: NotLeaderOrFollower, API: keyFetch}, true, true, true, []error{ErrNotLeader}},
		{&Error{Code: RequestTimedOut}, true, false, false, []error{ErrTimeout, ErrUnsure}},
		{&Error{Code: RequestTimedOut, API: 3}, true, true, false, []error{ErrTimeout}},
		{&Error{Code: NotEnoughReplicas}, true, true, false, []error{ErrNotEnoughReplicas}},
		{&Error{Code: NotEnoughReplicasAfterAppend}, true, false, false, []error{ErrNotEnoughReplicas, ErrUnsure}},
		{&Error{Code: MessageTooLarge}, false, false, false, []error{ErrTooLarge}},
		{&Error{Code: ProducerFenced}, false, false, false, []error{ErrFenced, ErrTransaction}},
		{&Error{Code: TopicAuthorizationFailed, API: 3}, false, false, false, []error{ErrAuthorization}},
		{&ConnError{API: -1}, true, true, true, []error{ErrConnection}},
		{&ConnError{API: 0, Written: true}, true, false, true, []error{ErrConnection, ErrUnsure}},
		{&ConnError{API: 1, Written: true}, true, true, true, []error{ErrConnection, ErrUnsure}},
		{&ConnError{API: -1, Cause: &AuthError{Code: SASLAuthenticationFailed}}, false, false, true, []error{ErrAuthentication}},
		{&ConnError{API: -1, Cause: &FrameError{Size: 1 << 30, Max: 1 << 20}}, false, false, true, []error{ErrTooLarge, ErrCorrupt}},
		{&AuthError{Code: SASLAuthenticationFailed}, false, false, false, []error{ErrAuthentication}},
		{&AuthError{Cause: &ConnError{API: -1}}, true, true, false, []error{ErrAuthentication, ErrConnection}},
		{&VersionError{}, false, false, false, []error{ErrUnsupportedVersion}},
		{&CallError{Kind: ErrBusy}, true, true, false, []error{ErrBusy}},
	}
	for _, test := range tests {
		err := test.err
		if err != nil {
			err = wrap(err)
		}
		require.Equal(t, test.retriable, Retriable(err), "%v", err)
		require.Equal(t, test.safe, SafeToRetry(err), "%v", err)
		require.Equal(t, test.refresh, RefreshMetadata(err), "%v", err)
		for _, class := range test.classes {
			require.ErrorIs(t, err, class)
		}
	}
	code, ok := CodeOf(wrap(&Error{Code: NotController}))
	require.True(t, ok)
	require.Equal(t, NotController, code)
	_, ok = CodeOf(errors.New("plain"))
	require.False(t, ok)
}

func TestErrorTextNamesCauseAndCure(t *testing.T) {
	err := &Error{Code: MessageTooLarge, Broker: "b1:9092", Topic: "orders", Partition: 3, Message: "too big"}
	require.Equal(t, `Produce: MESSAGE_TOO_LARGE for orders/3 from b1:9092: a batch is larger than the topic's max.message.bytes (broker: "too big"); send smaller batches or raise max.message.bytes`, err.Error())
}
