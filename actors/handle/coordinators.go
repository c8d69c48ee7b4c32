package handle

import "sync"

// Coordinators remembers which broker coordinates a group. The zero value is
// ready; all methods may be called from anywhere at any time.
type Coordinators struct {
	mu    sync.Mutex
	nodes map[string]int32
}

// mostCoordinators bounds what is remembered, for programs that look at groups of
// ever other names.
const mostCoordinators = 1000

// Of is the broker that coordinates a group; false while it is not known.
func (c *Coordinators) Of(group string) (int32, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	node, known := c.nodes[group]
	return node, known
}

// Set remembers who coordinates a group.
func (c *Coordinators) Set(group string, node int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.nodes == nil || len(c.nodes) >= mostCoordinators {
		c.nodes = map[string]int32{}
	}
	c.nodes[group] = node
}

// Forget forgets that a broker coordinates a group; another may do by now.
func (c *Coordinators) Forget(group string, node int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.nodes[group] == node {
		delete(c.nodes, group)
	}
}
