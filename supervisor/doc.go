// Package supervisor is OTP supervision on protoactor-go: restart types,
// strategies, intensity with escalation, the delayed restarts of brod's
// supervisor, ordered stop with a limit for each child, monitors with a
// reason, stable names, and a tree that can be looked at while it runs.
//
// A supervisor is an actor and its children are ordinary protoactor children:
// it can be spawned below any actor, and below it PIDs, Parent, Watch and Stop
// work as everywhere. What differs is what happens to a child that fails: it
// is stopped, and a new incarnation with a PID of its own takes its place, at
// once or after a delay. A message to the old PID is a dead letter; who needs
// an address that lasts gives the child a Name.
//
// Nothing that a child does hangs or kills the tree: panics anywhere, also
// while stopping, runtime.Goexit, nil messages, a start or a Receive that
// never returns. The last costs its limit (ChildSpec.Startup and Shutdown);
// then the child is left behind, told in an Event and counted as a zombie. A
// worker whose Shutdown is Infinity is waited for without end, as in OTP.
//
// Children run on a pooled dispatcher and a mailbox of this package; both
// belong to the ActorSystem, and the pool's goroutines end when idle.
//
// The rules themselves are in internal/core, a state machine without actors,
// goroutines and clocks; this package carries out what it decides.
package supervisor
