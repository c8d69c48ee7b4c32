package architecture

// The rooms of the house and what each may import. A folder belongs to the first
// room that matches it, so the narrower ones come first. The standard library is
// open to every room; what cores may not use of it is in purity_test.go. Only
// direct imports of files that are not tests count.

// The libraries of other people.
const (
	protoactor   = "github.com/asynkron/protoactor-go"
	kmsg         = "github.com/twmb/franz-go/pkg/kmsg"
	klauspost    = "github.com/klauspost/compress"
	lz4          = "github.com/pierrec/lz4/v4"
	scram        = "github.com/xdg-go/scram"
	testify      = "github.com/stretchr/testify"
	rapid        = "pgregory.net/rapid"
	anyOtherCode = "*"
)

// room is a row of the table. A pattern is a folder, or a folder with /... for
// everything below it too.
type room struct {
	pattern string
	own     []string // rooms of this project, as patterns; "" is the root package
	others  []string // libraries, with everything below them
	purpose string   // what lives there: the message says it when a file is in the wrong room
}

// public are the rooms that users of the library import; commands, benchmarks and
// examples build on them as a user would.
var public = []string{"", "actors", "actors/protocol/...", "behaviors/...", "telemetry/...", "supervisor", "wire", "wire/record",
	"wire/compress", "wire/sasl", "observer"}

var rooms = []room{
	// Bytes and sockets. No actors: nothing here may know that there are any.
	{"wire/compress/...", []string{"wire/compress/..."}, []string{klauspost, lz4}, "codecs"},
	{"wire/record/...", []string{"wire/record/...", "wire/compress"}, nil, "the record batch codec"},
	{"wire/sasl/...", []string{"wire/sasl/..."}, []string{scram}, "authentication over a connection"},
	{"wire/...", []string{"wire/..."}, []string{kmsg, scram}, "bytes and sockets, no actors"},

	// OTP supervision. It knows nothing of Kafka.
	{"supervisor/...", []string{"supervisor/..."}, []string{protoactor}, "OTP supervision on protoactor, nothing of Kafka"},

	// What users implement and get: data and interfaces.
	{"behaviors/...", []string{"behaviors/...", "wire/record"}, nil, "what users implement and get"},
	{"telemetry/...", []string{"telemetry/...", "wire/..."}, nil, "typed events and the handler interface"},

	// The actors: messages are a leaf, cores are pure, shells may use all of it.
	{"actors/protocol/...", []string{"actors/protocol/...", "behaviors", "telemetry"}, []string{protoactor + "/actor"},
		"the public messages, a leaf"},
	{"actors/internal/...", []string{"actors/internal/...", "wire/...", "behaviors", "telemetry"}, []string{kmsg},
		"the pure cores of the actors"},
	{"actors/...", []string{"actors/...", "wire/...", "supervisor", "behaviors/...", "telemetry/..."}, []string{protoactor, kmsg},
		"the actors' shells"},

	// The front door. It is thin: it re-exports by alias what users touch. Its direct
	// calls are Kafka's own requests.
	{"", []string{"actors", "actors/handle", "actors/protocol", "behaviors", "telemetry", "supervisor", "wire/..."}, []string{protoactor, kmsg},
		"the front door: config, handle, produce, consume, direct calls"},
	{"observer/...", []string{"", "actors/protocol", "observer/..."}, nil, "the live page"},

	// Modules of their own: their go.mod decides over libraries.
	{"internal/kafkatest/...", append([]string{"internal/kafkatest/..."}, public...), []string{anyOtherCode},
		"real brokers, the in-process broker, the fault proxy, the in-memory network"},
	{"cmd/moldau/...", append([]string{"cmd/moldau/...", "internal/kafkatest/..."}, public...), []string{anyOtherCode}, "the command"},
	{"bench/...", append([]string{"bench/...", "internal/kafkatest/..."}, public...), []string{anyOtherCode}, "benchmarks"},
	{"examples/...", append([]string{"examples/..."}, public...), []string{anyOtherCode}, "examples, built as a user would build them"},

	// The workshop. Only tests import it.
	{"internal/simulator/...", nil, nil, "the simulator of pure cores"},
	{"internal/architecture/...", nil, nil, "these rules"},
	{"scripts/...", nil, nil, "what the Makefile and CI run"},
}

// allowedRequirements are the direct requirements of the root module: what a user
// of the library takes in.
var allowedRequirements = []string{protoactor, kmsg, klauspost, lz4, scram, testify, rapid}
