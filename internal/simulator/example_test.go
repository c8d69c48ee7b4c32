package simulator_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/moldau-go/moldau/internal/simulator"
)

// pinger asks until it is answered.
type pinger struct{ answered bool }

func (p *pinger) Handle(in simulator.Input) []simulator.Action {
	if _, ok := in.Event.(simulator.Message); ok {
		p.answered = true
		return []simulator.Action{simulator.StopTimer{Name: "again"}}
	}
	return []simulator.Action{
		simulator.Send{To: "echo", Body: simulator.Text("ping")},
		simulator.StartTimer{Name: "again", After: time.Second},
	}
}

// echo answers everything.
type echo struct{}

func (echo) Handle(in simulator.Input) []simulator.Action {
	if m, ok := in.Event.(simulator.Message); ok {
		return []simulator.Action{simulator.Send{To: m.From, Body: m.Body}}
	}
	return nil
}

// Two nodes, a link that is cut for the first two seconds, and a promise that is
// checked at the end.
func Example() {
	world := simulator.New(1, simulator.Config{
		Link: simulator.Link{Latency: simulator.Range{Min: 10 * time.Millisecond}},
	})
	client := &pinger{}
	world.Add(simulator.Node{Name: "client", Start: func(int) simulator.Core { return client }})
	world.Add(simulator.Node{Name: "echo", Start: func(int) simulator.Core { return echo{} }})
	world.Cut("client", "echo")
	world.At(2500*time.Millisecond, "heal", func() { world.Heal("client", "echo") })
	world.Finally("an answer comes", func() error {
		if !client.answered {
			return errors.New("none came")
		}
		return nil
	})
	result, err := world.Run()
	fmt.Println("ended after", result.Elapsed, "with", result.Dropped, "lost:", err)
	// Output: ended after 4s with 3 lost: <nil>
}
