package consuming

import (
	"errors"
	"time"

	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/wire"
)

// Reset says where to go on when there is no record at the position.
type Reset uint8

// The ways to go on.
const (
	ResetEarliest Reset = iota // at the oldest record
	ResetLatest                // after the newest one
	ResetNearest               // at the end of the log that is nearer
	ResetSince                 // at the first record of the last while (KIP-1106)
	ResetRefused               // not: the subscriber is told
)

// The timestamps by which ListOffsets is asked for an end of the log.
const (
	latestTimestamp   = -1
	earliestTimestamp = -2
)

// timestamp is what to ask for when a position is out of range; false: nothing.
func (c *Core) timestamp(now time.Time) (int64, bool) {
	switch c.cfg.Reset {
	case ResetLatest:
		return latestTimestamp, true
	case ResetSince:
		return now.Add(-c.cfg.ResetBack).UnixMilli(), true
	case ResetRefused:
		return 0, false
	}
	return earliestTimestamp, true
}

func isOutOfRange(err error) bool {
	var coded *wire.Error
	return errors.As(err, &coded) && coded.Code == wire.OffsetOutOfRange
}

// outOfRange looks for another position, or has the subscriber choose one.
func (c *Core) outOfRange(now time.Time, err error) []Action {
	out := c.fail(now, err, nil) // a pause before the next fetch, should this go on
	timestamp, ok := c.timestamp(now)
	if !ok {
		c.refused = err
		return c.step(now, out)
	}
	c.reset, c.upper = err, false
	return append(out, c.resolve(timestamp))
}

// found takes the place that a broker told for a position out of range. The nearest
// end is the older one for a position before it; else the newer one is asked for,
// unless the position is in range by now.
func (c *Core) found(now time.Time, offset int64) []Action {
	if c.cfg.Reset == ResetNearest {
		switch {
		case c.upper:
			offset = min(offset, c.next)
		case c.next >= offset:
			c.upper = true
			return []Action{c.resolve(latestTimestamp)}
		}
	}
	return c.step(now, c.move(offset, -1, c.reset, nil))
}

// move goes on elsewhere. epoch is that of the batch before, if it is known.
func (c *Core) move(to int64, epoch int32, why error, out []Action) []Action {
	from := c.next
	c.next, c.epoch, c.reset = to, epoch, nil
	if from == to {
		return out
	}
	return append(out, Moved{from, to, why})
}

// diverged goes back to where the log is the one that was read.
func (c *Core) diverged(now time.Time, end int64, epoch int32) []Action {
	err := &behaviors.TruncatedError{From: c.next, To: min(end, c.next)}
	out := c.fail(now, err, nil)
	if c.cfg.Reset == ResetRefused {
		c.refused = err
		return c.step(now, out)
	}
	return c.step(now, c.move(err.To, epoch, err, out))
}
