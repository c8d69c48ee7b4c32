package moldau

import (
	"time"

	"github.com/moldau-go/moldau/actors"
)

// ReadOptions are what of a topic is read, and how. The zero value reads every
// partition to the end that it has when the iteration begins.
type ReadOptions struct {
	FetchOptions // of each request, for a partition

	// Partitions are what is read; nil for all that the topic has when the iteration
	// begins.
	Partitions []int32
	// Resume is where partitions begin that are in it, in place of where the others do:
	// what Reader.Next told.
	Resume map[int32]int64
	// End is the first place of each partition that is not read. Default Latest, as it
	// is when the iteration begins: the last stable offset, and with ReadUncommitted the
	// high watermark. One behind that is waited for with Follow, and is Latest without.
	End Position
	// Follow goes on at the end: the iteration ends when there is nothing more to read
	// and nothing has come for so long; Forever for never. Default: it ends at the end.
	Follow time.Duration
	// Limit ends the iteration after so many records, LimitBytes after the record that
	// reaches so many bytes of keys, values and headers. Default: no limit.
	Limit      int
	LimitBytes int64
	// CommitTo is a group without members to begin and commit with: a partition begins
	// at what the group has committed, if anything, and Next is committed every
	// CommitEvery, and when the iteration ends in whatever way. Default: none.
	CommitTo string
	// CommitEvery is the time from one commit to the next. Default 5 s.
	CommitEvery time.Duration
}

// Forever as ReadOptions.Follow never ends at the end.
const Forever time.Duration = -1

// commitEvery is the default of ReadOptions.CommitEvery.
const commitEvery = 5 * time.Second

type (
	// Reader reads a topic without a subscription.
	Reader = actors.Reader
	// OffsetRangeError is a read from an offset that the partition does not have.
	OffsetRangeError = actors.OffsetRangeError
)

// Read reads a topic from a position on: a plain loop, whose records are handled
// when the next one is asked for.
//
//	reader := client.Read("orders", moldau.Earliest, moldau.ReadOptions{})
//	for r := range reader.Records(ctx) {
//		...
//	}
//	if err := reader.Err(); err != nil {
//		...
//	}
//
// It does no I/O, so every error comes by Reader.Err. For work that is spread over
// workers, and goes on after failures, subscribe.
func (c *Client) Read(topic string, from Position, options ReadOptions) *Reader {
	fetch := c.fetchAsk(options.FetchOptions)
	ask := actors.ReadAsk{
		Topic: topic, Partitions: options.Partitions, From: from, End: options.End, Resume: options.Resume,
		Follow: options.Follow, Limit: options.Limit, LimitBytes: options.LimitBytes,
		MaxBytes: fetch.MaxBytes, MaxWait: fetch.MaxWait, Isolation: fetch.Isolation,
		Group: options.CommitTo, Every: options.CommitEvery,
	}
	if ask.Every <= 0 {
		ask.Every = commitEvery
	}
	return actors.NewReader(c.system, c.handle, ask)
}
