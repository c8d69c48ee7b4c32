package telemetry

import (
	"log/slog"
	"time"
)

// ConnectionOpened tells of a connection that is ready for requests.
type ConnectionOpened struct {
	Client, Broker, Lane string
	Took                 time.Duration
}

// ConnectFailed tells of an attempt to connect that failed; it is tried again
// after Retry.
type ConnectFailed struct {
	Client, Broker, Lane string
	Err                  error
	Retry                time.Duration
}

// ConnectionClosed tells of a connection that ended. Err is nil when this side
// closed it in good order.
type ConnectionClosed struct {
	Client, Broker, Lane string
	Err                  error
}

// MetadataUpdated tells of a fresh view of the cluster.
type MetadataUpdated struct {
	Client          string
	Brokers, Topics int
}

// MetadataFailed tells of a metadata request that failed; it is tried again
// after Retry.
type MetadataFailed struct {
	Client string
	Err    error
	Retry  time.Duration
}

// BootstrapFailed tells that Config.BrokersFunc failed, panicked (Stack is then
// set), did not return in time, or gave addresses that are wrong, all of which
// are named. It is asked again after Retry at the soonest.
type BootstrapFailed struct {
	Client string
	Err    error
	Stack  string
	Retry  time.Duration
}

// ProduceRetried tells of a batch that will be sent again.
type ProduceRetried struct {
	Client, Topic string
	Partition     int32
	Attempt       int
	Err           error
}

// ProduceFailed tells of a batch whose records failed for good.
type ProduceFailed struct {
	Client, Topic string
	Partition     int32
	Records       int
	Err           error
}

// ProduceThrottled tells of a broker that found a quota exceeded: no Produce
// request is sent to it for that long. Brokers before 2.0 have waited themselves.
type ProduceThrottled struct {
	Client, Broker string
	Throttle       time.Duration
}

// RecordsDropped tells of records that found no room and were dropped, as the
// configuration wants (Produce.OnFull).
type RecordsDropped struct {
	Client  string
	Records int // since the last event
}

// CallbackPanicked tells of a produce callback that panicked. Nothing else is
// touched by it.
type CallbackPanicked struct {
	Client, Topic string
	Partition     int32
	Value, Stack  string
}

// IdempotenceOff tells that brokers give no producer id: what is sent twice may
// be written twice.
type IdempotenceOff struct {
	Client string
	Err    error
}

// FetchFailed tells of a partition that could not be read; it is tried again.
type FetchFailed struct {
	Client, Topic string
	Partition     int32
	Err           error
}

// OffsetReset tells of a consumer whose position was set anew: it left the
// partition's range, or the log was truncated below it. Err says which.
type OffsetReset struct {
	Client, Topic string
	Partition     int32
	From, To      int64
	Err           error
}

// WorkerFailed tells of a handler that returned an error or panicked (Stack
// is then set). It is tried again, as the subscription's OnError says, or its worker
// is restarted as the supervisor's limits say.
type WorkerFailed struct {
	Client, Subscription, Topic string
	Partition                   int32
	Err                         error
	Stack                       string
}

// RecordsSkipped tells of records that a decision has given up after a failure, and
// written to a dead letter topic if it says so; First and Last are their offsets.
type RecordsSkipped struct {
	Client, Subscription, Topic string
	Partition                   int32
	First, Last                 int64
	Err                         error
}

// PartitionPaused tells of a partition that a decision has paused after a failure:
// it is not read until it is resumed.
type PartitionPaused struct {
	Client, Subscription, Topic string
	Partition                   int32
	Err                         error
}

// ActorChanged tells what a supervisor did with a child: started, stopped,
// failed, delayed, gave up.
type ActorChanged struct {
	Supervisor, Child, State string
	Failed                   bool // it did not do as it should
	Reason                   error
	Delay                    time.Duration
}

// Log carries a record of the actor library's own logger.
type Log struct {
	Record slog.Record
}

func (ConnectionOpened) Name() string { return "connection.opened" }
func (ConnectFailed) Name() string    { return "connection.failed" }
func (ConnectionClosed) Name() string { return "connection.closed" }
func (MetadataUpdated) Name() string  { return "metadata.updated" }
func (MetadataFailed) Name() string   { return "metadata.failed" }
func (BootstrapFailed) Name() string  { return "bootstrap.failed" }
func (ProduceRetried) Name() string   { return "produce.retried" }
func (ProduceFailed) Name() string    { return "produce.failed" }
func (ProduceThrottled) Name() string { return "produce.throttled" }
func (RecordsDropped) Name() string   { return "produce.dropped" }
func (CallbackPanicked) Name() string { return "callback.panicked" }
func (IdempotenceOff) Name() string   { return "idempotence.off" }
func (FetchFailed) Name() string      { return "fetch.failed" }
func (OffsetReset) Name() string      { return "offset.reset" }
func (WorkerFailed) Name() string     { return "worker.failed" }
func (RecordsSkipped) Name() string   { return "records.skipped" }
func (PartitionPaused) Name() string  { return "partition.paused" }
func (ActorChanged) Name() string     { return "actor.changed" }

// Name is "log": the message is in the record.
func (Log) Name() string { return "log" }

func (ConnectionOpened) Level() slog.Level { return slog.LevelDebug }
func (ConnectFailed) Level() slog.Level    { return slog.LevelWarn }
func (MetadataUpdated) Level() slog.Level  { return slog.LevelDebug }
func (MetadataFailed) Level() slog.Level   { return slog.LevelWarn }
func (BootstrapFailed) Level() slog.Level  { return slog.LevelWarn }
func (ProduceRetried) Level() slog.Level   { return slog.LevelInfo }
func (ProduceFailed) Level() slog.Level    { return slog.LevelError }
func (ProduceThrottled) Level() slog.Level { return slog.LevelInfo }
func (RecordsDropped) Level() slog.Level   { return slog.LevelWarn }
func (CallbackPanicked) Level() slog.Level { return slog.LevelError }
func (IdempotenceOff) Level() slog.Level   { return slog.LevelWarn }
func (FetchFailed) Level() slog.Level      { return slog.LevelWarn }
func (OffsetReset) Level() slog.Level      { return slog.LevelWarn }
func (WorkerFailed) Level() slog.Level     { return slog.LevelError }
func (RecordsSkipped) Level() slog.Level   { return slog.LevelError }
func (PartitionPaused) Level() slog.Level  { return slog.LevelError }

// Level is the level of the record.
func (e Log) Level() slog.Level { return e.Record.Level }

// Level is Info for a connection that was lost and Debug for one that this
// side closed.
func (e ConnectionClosed) Level() slog.Level {
	if e.Err != nil {
		return slog.LevelInfo
	}
	return slog.LevelDebug
}

// Level is Debug for a child that did what it should and Warn for a failure.
func (e ActorChanged) Level() slog.Level {
	if e.Failed {
		return slog.LevelWarn
	}
	return slog.LevelDebug
}

func (e ConnectionOpened) Attrs() []slog.Attr {
	return append(connection(e.Client, e.Broker, e.Lane), slog.Duration("took", e.Took))
}

func (e ConnectFailed) Attrs() []slog.Attr {
	return append(connection(e.Client, e.Broker, e.Lane), failure(e.Err), slog.Duration("retry", e.Retry))
}

func (e ConnectionClosed) Attrs() []slog.Attr {
	return append(connection(e.Client, e.Broker, e.Lane), failure(e.Err))
}

func (e MetadataUpdated) Attrs() []slog.Attr {
	return []slog.Attr{slog.String("client", e.Client), slog.Int("brokers", e.Brokers), slog.Int("topics", e.Topics)}
}

func (e MetadataFailed) Attrs() []slog.Attr {
	return []slog.Attr{slog.String("client", e.Client), failure(e.Err), slog.Duration("retry", e.Retry)}
}

func (e BootstrapFailed) Attrs() []slog.Attr {
	attrs := []slog.Attr{slog.String("client", e.Client), failure(e.Err), slog.Duration("retry", e.Retry)}
	if e.Stack != "" {
		attrs = append(attrs, slog.String("stack", e.Stack))
	}
	return attrs
}

func (e ProduceRetried) Attrs() []slog.Attr {
	return append(partition(e.Client, e.Topic, e.Partition), slog.Int("attempt", e.Attempt), failure(e.Err))
}

func (e ProduceFailed) Attrs() []slog.Attr {
	return append(partition(e.Client, e.Topic, e.Partition), slog.Int("records", e.Records), failure(e.Err))
}

func (e ProduceThrottled) Attrs() []slog.Attr {
	return []slog.Attr{slog.String("client", e.Client), slog.String("broker", e.Broker), slog.Duration("throttle", e.Throttle)}
}

func (e RecordsDropped) Attrs() []slog.Attr {
	return []slog.Attr{slog.String("client", e.Client), slog.Int("records", e.Records)}
}

func (e CallbackPanicked) Attrs() []slog.Attr {
	return append(partition(e.Client, e.Topic, e.Partition), slog.String("panic", e.Value), slog.String("stack", e.Stack))
}

func (e IdempotenceOff) Attrs() []slog.Attr {
	return []slog.Attr{slog.String("client", e.Client), failure(e.Err)}
}

func (e FetchFailed) Attrs() []slog.Attr {
	return append(partition(e.Client, e.Topic, e.Partition), failure(e.Err))
}

func (e OffsetReset) Attrs() []slog.Attr {
	return append(partition(e.Client, e.Topic, e.Partition), slog.Int64("from", e.From), slog.Int64("to", e.To), failure(e.Err))
}

func (e RecordsSkipped) Attrs() []slog.Attr {
	return append(partition(e.Client, e.Topic, e.Partition), slog.String("subscription", e.Subscription), slog.Int64("first", e.First), slog.Int64("last", e.Last), failure(e.Err))
}

func (e PartitionPaused) Attrs() []slog.Attr {
	return append(partition(e.Client, e.Topic, e.Partition), slog.String("subscription", e.Subscription), failure(e.Err))
}

func (e WorkerFailed) Attrs() []slog.Attr {
	attrs := append(partition(e.Client, e.Topic, e.Partition), slog.String("subscription", e.Subscription), failure(e.Err))
	if e.Stack != "" {
		attrs = append(attrs, slog.String("stack", e.Stack))
	}
	return attrs
}

func (e ActorChanged) Attrs() []slog.Attr {
	attrs := []slog.Attr{slog.String("supervisor", e.Supervisor), slog.String("child", e.Child), slog.String("state", e.State)}
	if e.Reason != nil {
		attrs = append(attrs, failure(e.Reason))
	}
	if e.Delay > 0 {
		attrs = append(attrs, slog.Duration("delay", e.Delay))
	}
	return attrs
}

// Attrs are the message and the fields of the record.
func (e Log) Attrs() []slog.Attr {
	attrs := []slog.Attr{slog.String("message", e.Record.Message)}
	e.Record.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, a)
		return true
	})
	return attrs
}

func connection(client, broker, lane string) []slog.Attr {
	return []slog.Attr{slog.String("client", client), slog.String("broker", broker), slog.String("lane", lane)}
}

func partition(client, topic string, partition int32) []slog.Attr {
	return []slog.Attr{slog.String("client", client), slog.String("topic", topic), slog.Int("partition", int(partition))}
}

func failure(err error) slog.Attr {
	if err == nil {
		return slog.String("error", "")
	}
	return slog.String("error", err.Error())
}
