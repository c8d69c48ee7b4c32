package moldau

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors"
	"github.com/moldau-go/moldau/wire"
)

// GroupOffset is the place of a group in a partition.
type GroupOffset = actors.GroupOffset

// ErrGroupInUse is a commit to a group whose members are running: they alone may
// commit to it.
var ErrGroupInUse = actors.ErrGroupInUse

// CommittedOffsets is the place of a group in each of the partitions, in their
// order, or all that the group has if none is named; the latter needs brokers from
// 0.10.2 on. Offset is -1 where nothing is committed. An offset that is part of a
// transaction is waited for until that has ended.
//
// It tries again where that may help, until ctx or CallTimeout ends; then the error
// is a *GaveUpError. Other errors are a *wire.Error, as of class
// wire.ErrAuthorization, or ErrStopped; those of partitions are joined, and the
// list is returned as well.
func (c *Client) CommittedOffsets(ctx context.Context, group string, partitions ...Partition) ([]GroupOffset, error) {
	return actors.CommittedOffsets(ctx, c.system, c.handle, group, partitions)
}

// CommitOffsets sets the place of a group in partitions: each offset is the next
// one to be read. It is for groups without members; while a group has some, brokers
// refuse it with an error that is ErrGroupInUse. The group need not exist.
//
// It tries again where that may help: then an offset may be committed twice. Errors
// as those of CommittedOffsets; what the error does not name is committed.
func (c *Client) CommitOffsets(ctx context.Context, group string, offsets ...GroupOffset) error {
	for _, o := range offsets {
		if o.Offset < 0 {
			return &wire.CallError{API: int16(kmsg.OffsetCommit), Kind: wire.ErrInvalid,
				Cause: fmt.Errorf("offset %d of %s/%d is negative; look a position up by OffsetsOf", o.Offset, o.Topic, o.Partition.Partition)}
		}
	}
	return actors.CommitOffsets(ctx, c.system, c.handle, actors.Outsider(group), offsets)
}
