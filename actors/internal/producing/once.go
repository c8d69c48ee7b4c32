package producing

// Once is what a call that sends one batch itself does about an attempt that
// failed. There is no number by which a broker would know the batch again, so it is
// sent again only where it was surely not written.
type Once struct {
	Again  bool // another attempt may help, and cannot write it twice
	Unsure bool // it may have been written
	// Acked: the broker says that it was written before.
	Acked bool
}

// OnceAfter decides about such a call. reached says that a broker may have had the
// batch, leaderAcks that the leader did not wait for its replicas: then it looks
// whether it leads before it writes, and a refusal is one.
func OnceAfter(err error, reached, leaderAcks bool) Once {
	what := reactionTo(err)
	o := Once{Unsure: reached && what.mayHave(leaderAcks), Acked: reached && what.reaction == acked}
	switch what.reaction {
	case resend, alone, newLeader:
		o.Again = !o.Unsure
	}
	return o
}

// UnsureError is the error of a batch that may have been written, of class
// wire.ErrUnsure.
func UnsureError(err error) error { return &unsureError{err} }
