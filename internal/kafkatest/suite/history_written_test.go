package suite

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// goodWrites is a run that only produced, and its log: record 3 failed. Acks were
// told in the order of offsets, partition by partition.
func goodWrites() (*History, []Entry) {
	h := &History{}
	for i := range 6 {
		h.Produced(i % 2)
	}
	log := []Entry{{0, 0, 0}, {1, 0, 1}, {0, 1, 2}, {0, 2, 4}, {1, 2, 5}}
	for _, at := range []int{1, 0, 2, 4, 3} {
		h.Settled(log[at].ID, log[at].Offset, nil)
	}
	h.Settled(3, -1, errors.New("no"))
	return h, log
}

func TestWrittenFindsNoFaultWhereThereIsNone(t *testing.T) {
	h, log := goodWrites()
	for _, rules := range []Rules{{}, {InOrder: true}, {Doubles: true}, {Doubles: true, InOrder: true}} {
		found, doubled := h.CheckWritten(log, rules)
		require.Empty(t, found)
		require.Zero(t, doubled)
	}
	// Record 2 is there again, behind one that came after it; the second is acked.
	h.records[2].offset = 3
	found, doubled := h.CheckWritten(append(log, Entry{0, 3, 2}), Rules{Doubles: true})
	require.Empty(t, found)
	require.Equal(t, 1, doubled)
}

// TestWrittenTurnsRed plants one bug after another; each is found with and
// without the freedom to write a record twice, but for that itself.
func TestWrittenTurnsRed(t *testing.T) {
	for want, plant := range map[string]func(h *History, log []Entry) []Entry{
		"record 2 was acked at offset 1 and is lost": func(_ *History, log []Entry) []Entry {
			return append(log[:2:2], log[3:]...)
		},
		"record 4 was acked at offset 7 and is at 0/2": func(h *History, log []Entry) []Entry {
			h.records[4].offset = 7
			return log
		},
		"record 2 stands behind record 4 of the same key": func(h *History, log []Entry) []Entry {
			log[2].ID, log[3].ID = 4, 2
			h.records[2].offset, h.records[4].offset = 2, 1
			return log
		},
		"record 6 was never settled": func(h *History, log []Entry) []Entry {
			h.Produced(0)
			return log
		},
		"record 1 is settled twice": func(h *History, log []Entry) []Entry {
			h.Settled(1, 0, nil)
			return log
		},
		"1/3 holds record 77, which was never produced": func(_ *History, log []Entry) []Entry {
			return append(log, Entry{1, 3, 77})
		},
		"of its own 7": func(h *History, log []Entry) []Entry {
			h.Fault("of its own %d", 7)
			return log
		},
	} {
		t.Run(want, func(t *testing.T) {
			for _, rules := range []Rules{{}, {Doubles: true}} {
				h, log := goodWrites()
				found, _ := h.CheckWritten(plant(h, log), rules)
				require.NotEmpty(t, found)
				require.Contains(t, found[0], want)
			}
		})
	}
}

func TestWrittenTwiceTurnsRed(t *testing.T) {
	h, log := goodWrites()
	found, doubled := h.CheckWritten(append(log, Entry{0, 3, 4}), Rules{})
	require.Equal(t, []string{"record 4 is in the log twice, the second time at 0/3"}, found)
	require.Equal(t, 1, doubled)
}

// Acks of one partition that are told out of order are found where callbacks
// promise it, and only there.
func TestWrittenToldOutOfOrderTurnsRed(t *testing.T) {
	h, log := goodWrites()
	h.order[1], h.order[2] = h.order[2], h.order[1]
	found, _ := h.CheckWritten(log, Rules{InOrder: true})
	require.Equal(t, []string{"the ack of record 0 at 0/0 was told after that of record 2 at offset 1"}, found)
	found, _ = h.CheckWritten(log, Rules{})
	require.Empty(t, found)
}
