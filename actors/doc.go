// Package actors is the client as a tree of actors under supervisors:
//
//	moldau:<name>               the system supervisor (SpawnClient): handle, then
//	client:<name>               supervisor, rest_for_one, in this order:
//	├─ client                   metadata; who leads what
//	├─ brokers                  one_for_one, dynamic
//	│  └─ broker:<node id>      the connections of one broker
//	├─ producers                one_for_one, dynamic
//	│  └─ <topic>               one_for_one
//	│     └─ producer:<p>       sends one partition's batches
//	├─ consumers                one_for_one, dynamic, for PIDs that subscribe themselves
//	│  └─ <topic>/consumer:<p>  reads one partition for one PID
//	└─ subscribers              one_for_one, dynamic
//	   └─ <subscription>        rest_for_one: subscriber, workers
//	      └─ worker:<topic>/<p> rest_for_one: consumer, handler
//
// What must outlive a crash is in the client's handle.Handle. Each actor is a
// shell around a pure core in actors/internal, which decides; the shell carries
// out. No actor blocks in Receive: sockets and user code run on goroutines
// that belong to an actor and end with it. The one exception is a handler that
// is told to stop: it waits up to stopLimit for the user's code.
package actors
