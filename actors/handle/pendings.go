package handle

import "context"

// Pendings are the claims to the outcomes of records that were produced in one
// call. It is a value that may be copied, kept and waited for by anyone any
// number of times. The zero value is that of no records.
type Pendings struct {
	first stretch
	more  []stretch
	n     int
}

// stretch is records one behind the other in one batch.
type stretch struct {
	Pending // of the first
	n       int
}

// AllFailed are n records that were not accepted.
func AllFailed(err error, n int) (p Pendings) {
	p.fail(err, n)
	return p
}

// add adds n records behind the others.
func (p *Pendings) add(first Pending, n int) {
	if n == 0 {
		return
	}
	if p.n == 0 {
		p.first = stretch{first, n}
	} else {
		p.more = append(p.more, stretch{first, n})
	}
	p.n += n
}

// fail adds n records that were not accepted.
func (p *Pendings) fail(err error, n int) {
	if n > 0 {
		failed := Failed(err)
		failed.index = sameForAll
		p.add(failed, n)
	}
}

// sameForAll is the index of a stretch whose records share one outcome.
const sameForAll = -1

// Len is the number of records.
func (p Pendings) Len() int { return p.n }

// At is the claim of one record, by its place in the call.
func (p Pendings) At(i int) Pending {
	if i < 0 || i >= p.n {
		panic("moldau: Pendings.At: there is no such record")
	}
	if i < p.first.n {
		return p.first.at(i)
	}
	i -= p.first.n
	for _, s := range p.more {
		if i < s.n {
			return s.at(i)
		}
		i -= s.n
	}
	return Pending{}
}

func (s stretch) at(i int) Pending {
	if s.index == sameForAll {
		return s.Pending
	}
	return Pending{outcome: s.outcome, index: s.index + int32(i)}
}

// Wait blocks until every record is acked or has failed for good, and returns
// the error of the first that failed. When ctx ends first its error is returned
// and nothing else happens: the records stay accepted. A waiting caller ends the
// linger of their batches.
func (p Pendings) Wait(ctx context.Context) error {
	var failed error
	for i := -1; i < len(p.more) && p.n > 0; i++ {
		s := p.first
		if i >= 0 {
			s = p.more[i]
		}
		if err := s.wait(ctx); err != nil && failed == nil {
			failed = err
		}
		if ctx.Err() != nil && failed != nil {
			break
		}
	}
	return failed
}

// wait is the first error of the stretch, once all of it is settled.
func (s stretch) wait(ctx context.Context) error {
	if _, err := s.at(0).Wait(ctx); err != nil {
		return err
	}
	for i := 1; i < s.n; i++ {
		if s.outcome.uniform() {
			return nil
		}
		if _, err := s.outcome.of(s.at(i).index); err != nil {
			return err
		}
	}
	return nil
}
