// Package suite tests moldau whole: the front door, the tree and its data
// paths, against the in-process broker and, with the build tag kafka, against
// real brokers. What a run did is written to a History, and a run is good if
// its History has no violation.
package suite
