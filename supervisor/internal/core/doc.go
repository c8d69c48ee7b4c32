// Package core is the supervisor's mind: a state machine that is told what
// happened and answers with what has to be done. It starts nothing, waits for
// nothing and reads no clock; time comes in with every event.
//
// Purpose: OTP's supervisor rules, with the delayed restarts that brod's
// supervisor added to them.
// In: Event values (events.go). Out: Action values (actions.go).
//
// How it is laid out:
//
//	machine.go    the machine, its one entry Handle, and the task queue
//	jobs.go       work in order: the first start, group restarts, the stop
//	restart.go    what an exit means: restart, park, forget or give up
//	hold.go       children that wait for a restart, now or after a delay
//	life.go       one child's start, stop and end
//	requests.go   start, terminate, restart, delete, find, which, count
//	children.go   the children in start order, found by id in one step
//
// A machine is not safe for concurrent use.
package core
