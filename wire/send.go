package wire

import "errors"

var (
	errNoRequest = errors.New("the call has no Request")
	errQueueFull = errors.New("as many calls as Config.MaxCalls allows are queued or in flight on this connection")
)

// Send queues a call and never blocks. It sets the version of the request; what
// cannot be sent (no version in common, a closed connection, a full queue) is
// answered through Done before Send returns.
func (c *Conn) Send(call *Call) {
	if call.Request == nil {
		finish(call, Result{Err: &CallError{API: -1, Kind: ErrInvalid, Cause: errNoRequest}})
		return
	}
	if err := c.setVersion(call); err != nil {
		refuse(call, err)
		return
	}
	if err := c.enqueue(call); err != nil {
		refuse(call, err)
	}
}

// setVersion sets the negotiated version, or checks the one that is fixed.
func (c *Conn) setVersion(call *Call) error {
	key := call.Request.Key()
	if call.FixedVersion {
		return c.versions.allows(key, call.Request.GetVersion(), c.cfg.Pins)
	}
	version, err := c.Version(key)
	if err == nil {
		call.Request.SetVersion(version)
	}
	return err
}

// enqueue hands a call to the writer, or says why not.
func (c *Conn) enqueue(call *Call) error {
	timeout := call.Timeout
	if timeout <= 0 {
		timeout = c.cfg.RequestTimeout
	}
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause != nil {
		err := *c.cause
		err.API = call.Request.Key()
		return &err
	}
	if c.outstanding() >= c.cfg.MaxCalls {
		return &CallError{API: call.Request.Key(), Kind: ErrBusy, Cause: errQueueFull}
	}
	c.queue.push(queued{call: call, at: now, deadline: now + timeout})
	c.arm(now+timeout, now)
	c.work.Signal()
	return nil
}

// refuse answers a call that was never queued, on the caller's goroutine.
func refuse(call *Call, err error) {
	if v, ok := call.Request.(Vectored); ok {
		v.Release()
	}
	finish(call, Result{Err: err})
}

func finish(call *Call, r Result) {
	if call.Done != nil {
		call.Done(r)
	}
}
