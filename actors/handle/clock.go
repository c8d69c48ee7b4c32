package handle

import (
	"sync/atomic"
	"time"
)

// clock tells the time to the millisecond, as Kafka's timestamps have it, for a
// fraction of what time.Now costs. It ticks while it is asked and stops by
// itself when nobody asked for a whole tick. The zero value is ready.
type clock struct {
	now  atomic.Int64 // 0: it stands still
	used atomic.Bool  // since the last tick
}

const clockTick = time.Millisecond

func (c *clock) millis() int64 {
	if !c.used.Load() {
		c.used.Store(true)
	}
	if now := c.now.Load(); now != 0 {
		return now
	}
	now := time.Now().UnixMilli()
	if c.now.CompareAndSwap(0, now) {
		time.AfterFunc(clockTick, c.tick)
	}
	return now
}

func (c *clock) tick() {
	if !c.used.Swap(false) {
		c.now.Store(0)
		return
	}
	c.now.Store(time.Now().UnixMilli())
	time.AfterFunc(clockTick, c.tick)
}
