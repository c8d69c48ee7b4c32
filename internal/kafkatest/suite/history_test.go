package suite

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// goodRun is a history of two partitions and its log, without a fault: record 3
// failed and may or may not be in the log, one set was handed out twice.
func goodRun() (*History, []Entry) {
	h := &History{}
	for i := range 6 {
		h.Produced(i % 2)
	}
	log := []Entry{{0, 0, 0}, {1, 0, 1}, {0, 1, 2}, {0, 2, 4}, {1, 2, 5}}
	for _, e := range log {
		h.Settled(e.ID, e.Offset, nil)
	}
	h.Settled(3, -1, errors.New("no"))
	for _, e := range []Entry{{0, 0, 0}, {1, 0, 1}, {0, 1, 2}, {0, 0, 0}, {0, 1, 2}, {0, 2, 4}, {1, 2, 5}} {
		h.Handed(e)
	}
	return h, log
}

func TestHistoryFindsNoFaultWhereThereIsNone(t *testing.T) {
	h, log := goodRun()
	require.Empty(t, h.Check(log))
	require.Equal(t, Counts{Produced: 6, Acked: 5, Failed: 1, Handed: 7, Again: 2}, h.Counts())
	require.EqualError(t, h.FirstFailure(), "no")
	h.handed[1] = []Entry{{1, 0, 1}, {1, 1, 3}, {1, 2, 5}}
	require.Empty(t, h.Check(append(log, Entry{1, 1, 3})), "a failed record may be there all the same")
}

// TestHistoryTurnsRed plants one bug after another in the good run.
func TestHistoryTurnsRed(t *testing.T) {
	for want, plant := range map[string]func(h *History, log []Entry) []Entry{
		"record 2 was acked at offset 1 and is lost": func(h *History, log []Entry) []Entry {
			h.handed[0] = []Entry{{0, 0, 0}, {0, 2, 4}}
			return append(log[:2:2], log[3:]...)
		},
		"record 4 is in the log twice": func(h *History, log []Entry) []Entry {
			h.Handed(Entry{0, 3, 4})
			return append(log, Entry{0, 3, 4})
		},
		"record 3 is in the log twice": func(h *History, log []Entry) []Entry {
			h.Handed(Entry{1, 3, 3})
			h.Handed(Entry{1, 4, 3})
			return append(log, Entry{1, 3, 3}, Entry{1, 4, 3})
		},
		"record 4 was acked at offset 7": func(h *History, log []Entry) []Entry {
			h.records[4].offset = 7
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
		"record 9 is settled and was never produced": func(h *History, log []Entry) []Entry {
			h.Settled(9, 0, nil)
			return log
		},
		"1/3 holds record 77, which was never produced": func(h *History, log []Entry) []Entry {
			h.Handed(Entry{1, 3, 77})
			return append(log, Entry{1, 3, 77})
		},
		"record 2 stands behind record 4 of the same key": func(h *History, log []Entry) []Entry {
			log[2].ID, log[3].ID = 4, 2
			h.handed[0] = []Entry{log[0], log[2], log[3]}
			h.records[2].offset, h.records[4].offset = 2, 1
			return log
		},
		"partition 1: the last 1 of 2 records were not handed out": func(h *History, log []Entry) []Entry {
			h.handed[1] = h.handed[1][:1]
			return log
		},
		"partition 1: the last 2 of 2 records were not handed out": func(h *History, log []Entry) []Entry {
			delete(h.handed, 1)
			return log
		},
		"0/2 was handed out after 0/0: 1 records between were left out": func(h *History, log []Entry) []Entry {
			h.handed[0] = []Entry{{0, 0, 0}, {0, 2, 4}}
			return log
		},
		"0/1 was handed out after 0/-1: 1 records between were left out": func(h *History, log []Entry) []Entry {
			h.handed[0] = h.handed[0][1:]
			return log
		},
		"0/2 was handed out as record 5 and is record 4": func(h *History, log []Entry) []Entry {
			h.handed[0][len(h.handed[0])-1].ID = 5
			return log
		},
		"0/3 was handed out and is not in the log": func(h *History, log []Entry) []Entry {
			h.Handed(Entry{0, 3, 3})
			return log
		},
		"1 records of partition 7 were handed out, and its log is empty": func(h *History, log []Entry) []Entry {
			h.Handed(Entry{7, 0, 0})
			return log
		},
	} {
		t.Run(want, func(t *testing.T) {
			h, log := goodRun()
			found := h.Check(plant(h, log))
			require.NotEmpty(t, found)
			require.Contains(t, found[0], want)
		})
	}
}

func TestHistoryKeepsTheReportShort(t *testing.T) {
	h := &History{}
	for range 100 {
		h.Produced(0)
	}
	found := h.Check(nil)
	require.Len(t, found, shownViolations+1)
	require.Equal(t, "and 80 more", found[shownViolations])
}
