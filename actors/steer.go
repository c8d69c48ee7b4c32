package actors

import (
	"errors"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/actors/protocol"
	"github.com/moldau-go/moldau/behaviors"
)

// PauseWorker pauses a partition, now and over restarts of its worker.
func PauseWorker(system *actor.ActorSystem, p *handle.Progress) {
	p.SetPaused(true)
	if pid := p.Handler(); pid != nil {
		system.Root.Send(pid, &protocol.Pause{})
	}
}

// ResumeWorker ends a pause.
func ResumeWorker(system *actor.ActorSystem, p *handle.Progress) {
	p.SetPaused(false)
	if pid := p.Handler(); pid != nil {
		system.Root.Send(pid, &protocol.Resume{})
	}
}

// errNoWorker is a Seek that finds no worker.
var errNoWorker = errors.New("moldau: the partition's worker is being restarted; try again")

// SeekWorker has a partition's worker go to a position.
func SeekWorker(system *actor.ActorSystem, p *handle.Progress, to behaviors.Position) error {
	if err := p.Stopped(); err != nil {
		return err
	}
	pid := p.Handler()
	if pid == nil {
		return errNoWorker
	}
	system.Root.Send(pid, &seekTo{to})
	return nil
}
