package producing

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau/internal/simulator"
)

// plant is a bug in what is around the core, or in what the core is told. Bugs in
// the core itself were planted by hand, one after another, and seen red:
//
//	halves are sent while others are on the wire      TestASplitTakesOverItsPlace
//	Unsure is not handed on to halves                 TestAnUnsureBatchStaysUnsureWhenItIsCut
//	a gap at an unsure batch numbers it anew          TestAnUnsureBatchIsNeverRenumbered, the simulations
//	the safe policy does not look at Unsure           TestRetryPolicies, TestAnyOrderOfEvents, the simulations
//	MaxRetries is one too many                        TestMaxRetries
//	alone is not taken back by an ack                 TestAnyOrderOfEvents
//	Part is not the last action                       TestAnyOrderOfEvents
//	a topic that is gone fails its first batch alone  TestATopicThatIsGone
type plant int

const (
	sound plant = iota
	halvesShareANumber
	unsureIsNumberedAnew
	crashForgetsWhatWasSent
	lostIsTakenAsNotSent
	rejectedIsForgotten
	outcomeIsToldTwice
	nothingIsCut
)

// Every kind of guarantee that the simulations look after turns them red when it
// is broken.
func TestSimulationsFindPlantedBugs(t *testing.T) {
	idempotent, safe := simulated, simulated
	idempotent.Idempotent, idempotent.MaxInFlight = true, 5
	safe.Safe = true
	for _, c := range []struct {
		bug  plant
		cfg  Config
		says string
	}{
		{halvesShareANumber, idempotent, "acked"},
		{unsureIsNumberedAnew, idempotent, "twice"},
		{crashForgetsWhatWasSent, safe, "twice"},
		{lostIsTakenAsNotSent, safe, "twice"},
		{rejectedIsForgotten, simulated, "no outcome"},
		{outcomeIsToldTwice, simulated, "two outcomes"},
		{nothingIsCut, simulated, "though there was time"},
	} {
		var err error
		for seed := uint64(0); err == nil && seed < 300; seed++ {
			_, err = scenario(c.cfg, c.bug)(simulator.New(seed, weather))
		}
		require.ErrorContains(t, err, c.says, "bug %d", c.bug)
	}
}
