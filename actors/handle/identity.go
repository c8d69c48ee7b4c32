package handle

// Identity is the client's idempotent producer id. Every slot counts its own
// epoch and sequence under it.
type Identity struct {
	ID    int64
	Epoch int16
}

// identityState is what is known of the identity.
type identityState struct {
	Identity
	known bool
	off   bool // brokers do not give one
}

// Identity is the client's producer id; false while it has none. plain says
// that a topic with these settings gets none: its batches are sent without
// numbers.
func (h *Handle) Identity(config *ProduceConfig) (id Identity, known, plain bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	plain = config.plain() || h.identity.off && config.Idempotence == IdempotenceAuto
	return h.identity.Identity, h.identity.known, plain
}

// SetIdentity gives the client its producer id.
func (h *Handle) SetIdentity(id Identity) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.identity.Identity, h.identity.known = id, true
}

// DropIdentity takes back a producer id whose epochs are used up.
func (h *Handle) DropIdentity(id Identity) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.identity.known && h.identity.ID == id.ID {
		h.identity.known = false
	}
}

// NoIdentity says that brokers give none. It reports whether that is new.
func (h *Handle) NoIdentity() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	was := h.identity.off
	h.identity.off = true
	return !was
}
