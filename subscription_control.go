package moldau

import (
	"fmt"

	"github.com/moldau-go/moldau/actors"
	"github.com/moldau-go/moldau/actors/handle"
)

// Pause hands the workers of partitions nothing more and stops fetching for them,
// until Resume; without partitions those of all that are read now. A call that is
// under way goes on. It holds over restarts of a worker. The error names partitions
// that the subscription does not read. It does not block.
func (s *Subscription) Pause(partitions ...int32) error {
	return s.each(partitions, func(p *handle.Progress) { actors.PauseWorker(s.client.system, p) })
}

// Resume ends a Pause, and one that a decision made: what failed is tried again.
func (s *Subscription) Resume(partitions ...int32) error {
	return s.each(partitions, func(p *handle.Progress) { actors.ResumeWorker(s.client.system, p) })
}

// Seek has a partition read from another position, forward or back. A call that is
// under way goes on, and is not acked. What comes after Seek has returned may still
// be of before, until that call ends. It does not block; the error says that the
// subscription does not read the partition, or that its worker is being restarted:
// then nothing has changed.
func (s *Subscription) Seek(partition int32, to Position) (err error) {
	bad := s.each([]int32{partition}, func(p *handle.Progress) { err = actors.SeekWorker(s.client.system, p, to) })
	if bad != nil {
		return bad
	}
	return err
}

// each does something with the partitions that are named, or with none if one of
// them is not read.
func (s *Subscription) each(partitions []int32, do func(*handle.Progress)) error {
	read := map[int32]*handle.Progress{}
	for _, key := range s.sub.Assigned() {
		read[key.Partition] = s.sub.Progress(key)
	}
	for _, p := range partitions {
		if read[p] == nil {
			return fmt.Errorf("moldau: subscription %q does not read partition %d", s.sub.Name, p)
		}
	}
	if len(partitions) == 0 {
		for _, progress := range read {
			do(progress)
		}
		return nil
	}
	for _, p := range partitions {
		do(read[p])
	}
	return nil
}
