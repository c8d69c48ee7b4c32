package actors

import (
	"context"
	"fmt"
	"time"
)

// lastCommitLimit bounds the commit at the end of an iteration whose ctx is over.
const lastCommitLimit = 5 * time.Second

// askGroup begins where the group is, in partitions that were not begun here.
func (r *Reader) askGroup(ctx context.Context, partitions []int32) error {
	if r.ask.Group == "" {
		return nil
	}
	list, err := CommittedOffsets(ctx, r.system, r.handle, r.ask.Group, r.keys(partitions))
	if err != nil {
		return err
	}
	for _, o := range list {
		partition := o.Partition.Partition
		if o.Offset < 0 {
			continue
		}
		r.committed[partition] = o.Offset
		if _, begun := r.next[partition]; !begun {
			r.next[partition] = o.Offset
		}
	}
	return nil
}

// uncommitted is what the loop has finished and the group does not have.
func (r *Reader) uncommitted() (offsets []GroupOffset) {
	for partition, next := range r.next {
		if committed, known := r.committed[partition]; known && next != committed {
			offsets = append(offsets, GroupOffset{Partition: r.key(partition), Offset: next})
		}
	}
	return offsets
}

func (r *readRun) commitWhenDue() error {
	if r.ask.Group == "" || time.Now().Before(r.commits) {
		return nil
	}
	return r.commit(r.ctx)
}

// commit commits what the loop has finished. After a failure there is no other: the
// iteration ends.
func (r *readRun) commit(ctx context.Context) error {
	r.commits = time.Now().Add(r.ask.Every)
	offsets := r.uncommitted()
	if err := CommitOffsets(ctx, r.system, r.handle, Outsider(r.ask.Group), offsets); err != nil {
		r.refused = true
		return fmt.Errorf("moldau: what was read is not committed: %w", err)
	}
	for _, o := range offsets {
		r.committed[o.Partition.Partition] = o.Offset
	}
	return nil
}

// lastCommit is the commit at the end: also when ctx has ended, if not for long.
func (r *readRun) lastCommit(ctx context.Context) error {
	if r.ask.Group == "" || r.core == nil || r.refused || r.handle.Stopped() != nil {
		return nil
	}
	if ctx.Err() != nil {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastCommitLimit)
		defer cancel()
		ctx = last
	}
	return r.commit(ctx)
}
