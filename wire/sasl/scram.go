package sasl

import (
	"context"
	"strconv"
	"strings"

	"github.com/xdg-go/scram"
)

// Hash is the hash function of SCRAM.
type Hash int

// The hash functions that Kafka offers.
const (
	SHA256 Hash = iota // SCRAM-SHA-256, the zero value
	SHA512             // SCRAM-SHA-512
)

// The defaults of Scram's limits on the iteration count.
const (
	// DefaultMinIterations is Kafka's own floor and RFC 7677's.
	DefaultMinIterations = 4096
	// DefaultMaxIterations is well above Kafka's own ceiling of 16384 and takes
	// a fraction of a second to compute.
	DefaultMaxIterations = 200_000
)

// Scram is SCRAM-SHA-256 or -512 (RFC 5802, KIP-84): the password itself never
// leaves the process, and the broker proves that it knows it too.
type Scram struct {
	Hash     Hash
	Username string
	Password Secret
	// Source, if set, is asked at each login instead of the two fields above.
	Source Source
	// AuthzID is the identity to act as; empty means the user itself.
	AuthzID string
	// MinIterations and MaxIterations bound the work that the broker may ask
	// for: fewer make the password easy to guess for who listens, more would
	// let a hostile broker burn this machine's time. 0 means the defaults above.
	MinIterations, MaxIterations int
}

var _ Authenticator = Scram{}

// Mechanism is SCRAM-SHA-256 or SCRAM-SHA-512.
func (s Scram) Mechanism() string {
	if s.Hash == SHA512 {
		return "SCRAM-SHA-512"
	}
	return "SCRAM-SHA-256"
}

// Start resolves the credentials.
func (s Scram) Start(ctx context.Context, _ Target) (Session, error) {
	user, password, err := credentials(ctx, s.Mechanism(), s.Username, s.Password, s.Source)
	if err != nil {
		return nil, err
	}
	hash := scram.SHA256
	if s.Hash == SHA512 {
		hash = scram.SHA512
	}
	client, err := hash.NewClient(user, password.Reveal(), s.AuthzID)
	if err != nil {
		// The library's text may quote what it was given.
		return nil, &Error{s.Mechanism(), "user name or password has characters that SASLprep (RFC 4013) forbids", nil}
	}
	floor, ceiling := s.MinIterations, s.MaxIterations
	if floor <= 0 {
		floor = DefaultMinIterations
	}
	if ceiling <= 0 {
		ceiling = DefaultMaxIterations
	}
	talk := client.WithMinIterations(floor).NewConversation()
	return &scramSession{mechanism: s.Mechanism(), talk: talk, floor: floor, ceiling: ceiling}, nil
}

type scramSession struct {
	mechanism      string
	talk           *scram.ClientConversation
	floor, ceiling int
	sentProof      bool
	nonce          string
}

func (s *scramSession) First() ([]byte, error) {
	msg, err := s.talk.Step("")
	if err != nil {
		return nil, &Error{s.mechanism, "cannot begin", err}
	}
	s.nonce = field(msg, "r=")
	return []byte(msg), nil
}

func (s *scramSession) Next(_ context.Context, challenge []byte) ([]byte, bool, error) {
	if s.sentProof {
		return s.verify(string(challenge))
	}
	if err := s.check(string(challenge)); err != nil {
		return nil, false, err
	}
	msg, err := s.talk.Step(string(challenge))
	if err != nil {
		return nil, false, &Error{s.mechanism, "the broker's first message is not valid", err}
	}
	s.sentProof = true
	return []byte(msg), false, nil
}

// check refuses a nonce that the broker did not extend and an iteration count
// outside the limits before any work is done.
func (s *scramSession) check(first string) error {
	if field(first, "r=") == s.nonce {
		return &Error{s.mechanism, "the broker added nothing to the nonce", nil}
	}
	n, err := strconv.Atoi(field(first, "i="))
	switch {
	case err != nil:
		return &Error{s.mechanism, "the broker's first message has no iteration count", nil}
	case n < s.floor:
		return &Error{s.mechanism, "the broker asks for " + strconv.Itoa(n) + " iterations, fewer than MinIterations (" + strconv.Itoa(s.floor) + ")", nil}
	case n > s.ceiling:
		return &Error{s.mechanism, "the broker asks for " + strconv.Itoa(n) + " iterations, more than MaxIterations (" + strconv.Itoa(s.ceiling) + ")", nil}
	}
	return nil
}

func (s *scramSession) verify(final string) ([]byte, bool, error) {
	if _, err := s.talk.Step(final); err != nil {
		return nil, false, &Error{s.mechanism, "the broker did not prove that it knows the password", err}
	}
	if !s.talk.Valid() {
		return nil, false, &Error{s.mechanism, "the broker did not prove that it knows the password", nil}
	}
	return nil, true, nil
}

// field finds the value of an attribute, as i=, in a SCRAM message.
func field(msg, name string) string {
	for part := range strings.SplitSeq(msg, ",") {
		if value, ok := strings.CutPrefix(part, name); ok {
			return value
		}
	}
	return ""
}
