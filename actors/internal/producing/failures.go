package producing

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/moldau-go/moldau/wire"
)

// Refusal is a batch that the broker refused because of some of its records,
// which it names (KIP-467). Nothing of the batch was written.
type Refusal struct {
	Err     *wire.Error
	Records []RefusedRecord
}

// RefusedRecord is one of them, by its place in the batch, with the broker's text.
type RefusedRecord struct {
	Index   int32
	Message string
}

func (e *Refusal) Error() string { return e.Err.Error() }

// Unwrap gives the error of the batch.
func (e *Refusal) Unwrap() error { return e.Err }

// unsureError is a batch that is given up though it may have been written. It is
// wire.ErrUnsure.
type unsureError struct{ cause error }

func (e *unsureError) Error() string {
	return "moldau: whether the batch was written is not known: " + e.cause.Error()
}

func (e *unsureError) Unwrap() error        { return e.cause }
func (e *unsureError) Is(target error) bool { return target == wire.ErrUnsure }

// expiredError is a batch whose time was over. It is wire.ErrTimeout, and a
// *wire.Error with RequestTimedOut to errors.As; and, other than that code of a
// broker, wire.ErrUnsure only if the batch may have been written.
type expiredError struct {
	after  time.Duration
	last   error // of the last attempt; nil: there was none
	unsure bool
}

func (e *expiredError) Error() string {
	text := e.coded().Error()
	if e.last != nil {
		text += "; the last attempt failed with: " + e.last.Error()
	}
	return text
}

func (e *expiredError) coded() *wire.Error {
	return &wire.Error{Code: wire.RequestTimedOut, Cause: fmt.Errorf("not acked within the delivery timeout of %v", e.after)}
}

// As gives the code.
func (e *expiredError) As(target any) bool {
	coded, ok := target.(**wire.Error)
	if ok {
		*coded = e.coded()
	}
	return ok
}

func (e *expiredError) Is(target error) bool {
	return target == wire.ErrTimeout || e.unsure && target == wire.ErrUnsure
}

func (e *expiredError) Retriable() bool       { return true }
func (e *expiredError) SafeToRetry() bool     { return !e.unsure }
func (e *expiredError) RefreshMetadata() bool { return false }

// Unwrap gives the last attempt's error, unless it is unsure about something
// else than the batch, as a look for the leader.
func (e *expiredError) Unwrap() error {
	if !e.unsure && errors.Is(e.last, wire.ErrUnsure) {
		return nil
	}
	return e.last
}

// orUnsure makes the error of a batch say that it may have been written.
func orUnsure(it *item, err error) error {
	if it.Unsure {
		return &unsureError{err}
	}
	return err
}

// fail decides about a batch after an error. reached says that a broker may have
// had it.
func (c *Core) fail(it *item, err error, reached bool, out []Action) []Action {
	if it.phase == flying {
		c.flying--
	}
	it.phase = waiting
	it.count(err)
	what := reactionTo(err)
	if wire.RefreshMetadata(err) {
		c.giveUp()
	}
	it.Unsure = it.Unsure || reached && what.mayHave(c.cfg.LeaderAcks)
	switch what.reaction {
	case renumber:
		if c.cfg.Idempotent {
			return c.gap(it, err, out)
		}
	case split:
		if it.Count > 1 {
			return c.part(it, nil, out)
		}
		err = it.tooLarge(err)
	case reject:
		return c.reject(it, err, out)
	case resend, alone, newLeader:
		c.alone = c.alone || reached && what.reaction == alone
		return c.resend(it, what, err, out)
	}
	return c.end(it, orUnsure(it, err), out)
}

// mayHave says whether a batch may have been written that failed so. leaderAcks:
// the leader did not wait for its replicas.
func (what row) mayHave(leaderAcks bool) bool {
	return what.written == perhaps || what.written == perhapsR && !leaderAcks
}

// resend lets a batch wait for its next attempt, if it may have one.
func (c *Core) resend(it *item, what row, err error, out []Action) []Action {
	switch {
	case it.Unsure && c.cfg.Safe:
		return c.end(it, orUnsure(it, err), out)
	case c.cfg.MaxRetries > 0 && it.attempts >= c.cfg.MaxRetries, what.most > 0 && it.same > what.most:
		return c.end(it, orUnsure(it, fmt.Errorf("moldau: given up after %d retries: %w", it.attempts, err)), out)
	}
	it.attempts++
	it.again = true
	return append(out, Retried{ID: it.ID, Attempt: it.attempts, Err: err})
}

// end fails a batch for good; those before it are settled first. Its place in
// the sequence stays empty.
func (c *Core) end(it *item, err error, out []Action) []Action {
	it.phase, it.base, it.err = answered, -1, err
	c.broken = c.broken || c.cfg.Idempotent && it.numbered
	return out
}

// part cuts a batch that was refused, and so was surely not written by this
// attempt. Halves take over its place in the sequence; without some of its
// records it would leave a gap there, so what is left gets a new number.
func (c *Core) part(it *item, rejected []Rejection, out []Action) []Action {
	it.phase, it.rejected = parting, rejected
	c.broken = c.broken || len(rejected) > 0 && c.cfg.Idempotent && it.numbered
	return out
}

// reject fails the records that the broker named. What is left of a batch of which
// an earlier attempt may have been written keeps its number: if that was written,
// the broker knows the number and refuses this one.
func (c *Core) reject(it *item, err error, out []Action) []Action {
	refusal := (*Refusal)(nil)
	if !errors.As(err, &refusal) {
		return c.end(it, orUnsure(it, err), out)
	}
	rejected := it.named(refusal)
	switch {
	case len(rejected) == 0:
		return c.end(it, orUnsure(it, err), out)
	case it.Count <= 1:
		return c.end(it, rejected[0].Err, out)
	}
	return c.part(it, rejected, out)
}

// named are the records that a refusal names, each with the broker's text. What
// is not in the batch is left out, so that there is an end.
func (it *item) named(refusal *Refusal) []Rejection {
	var rejected []Rejection
	for _, r := range refusal.Records {
		twice := slices.ContainsFunc(rejected, func(o Rejection) bool { return o.Index == r.Index })
		if twice || r.Index < 0 || int(r.Index) >= it.Count {
			continue
		}
		own := *refusal.Err
		if r.Message != "" {
			own.Message = r.Message
		}
		rejected = append(rejected, Rejection{r.Index, orUnsure(it, &own)})
	}
	return rejected
}

// Parted is the answer to Part: what the batch has become, in order. Nothing is
// left of one whose records were all rejected.
func (c *Core) Parted(now time.Time, id uint64, parts []Batch) []Action {
	at := slices.IndexFunc(c.items, func(it *item) bool { return it.ID == id && it.phase == parting })
	if at < 0 {
		return nil
	}
	was := c.items[at]
	heirs := make([]*item, len(parts))
	for i, b := range parts {
		heirs[i] = &item{Batch: b, numbered: was.numbered, again: true, attempts: was.attempts}
		if b.Err != nil {
			c.end(heirs[i], b.Err, nil)
		}
	}
	c.items = slices.Replace(c.items, at, at+1, heirs...)
	return c.next(now, c.settle(nil))
}

// gap decides about a batch that the broker refused because of its place in
// the sequence. Behind one that is not settled that is to be expected. The
// first one gets a new number, unless it may have been written already: then it
// is not known what became of it, and it must not be written a second time.
func (c *Core) gap(it *item, err error, out []Action) []Action {
	first := c.items[0] == it
	c.broken = c.broken || first
	if first && it.Unsure {
		return c.end(it, orUnsure(it, err), out)
	}
	it.again = true
	return append(out, Retried{ID: it.ID, Attempt: it.attempts + 1, Err: err})
}

// count remembers an error, and how often in a row it came.
func (it *item) count(err error) {
	if code(err) != code(it.lastErr) {
		it.same = 0
	}
	it.same++
	it.lastErr = err
}

// tooLarge is why a single record cannot be sent.
func (it *item) tooLarge(err error) error {
	coded := (*wire.Error)(nil)
	if !errors.As(err, &coded) || it.Size == 0 {
		return err
	}
	setting := "the topic's max.message.bytes (or the broker's message.max.bytes)"
	if coded.Code == wire.RecordListTooLarge {
		setting = "the topic's segment.bytes (or the broker's log.segment.bytes)"
	}
	own := *coded
	own.Cause = fmt.Errorf("it is a single record of %d bytes, which cannot be split: raise %s", it.Size, setting)
	return &own
}

func code(err error) wire.Code {
	if coded := (*wire.Error)(nil); errors.As(err, &coded) {
		return coded.Code
	}
	return 0
}
