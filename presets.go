package moldau

import "time"

// LikeBrodConfig is a Config that does as brod 4 does by default, as far as that
// loses nothing: addresses and names are yours to fill in. What brod has no limit
// for, and where it loses records, stays as it is here. docs/configuration.md has
// every setting of brod beside ours.
func LikeBrodConfig() Config {
	return Config{
		ConnectTimeout: 5 * time.Second, RequestTimeout: 4 * time.Minute, MetadataTimeout: 5 * time.Second, CoolDown: time.Second,
		MetadataRefresh: -1, UnknownTopicTTL: 2 * time.Minute, AutoCreateTopics: true,
		NoAutoProducers: true, DelayEveryRestart: true,
		Produce: LikeBrodProducer(),
		Consume: ConsumeConfig{MaxWait: 10 * time.Second, MaxPartitionBytes: 1 << 20, PrefetchBytes: 100 << 10, PrefetchCount: 10, Reset: ResetSubscriber},
	}
}

// LikeBrodProducer are the settings of a topic that is produced to as by brod:
// one batch at a time without linger, sent again three times, without numbers, so
// at least once; 512 records wait for a partition, and callers for room.
func LikeBrodProducer() ProduceConfig {
	return ProduceConfig{
		Idempotence: IdempotenceOff, MaxInFlight: 1, AckTimeout: 10 * time.Second, Linger: NoLinger, BatchBytes: 1 << 20,
		PartitionRecords: 512, Retry: RetryAtLeastOnce, MaxRetries: 3, RetryBackoff: 500 * time.Millisecond,
		DropUnsupported: true, Partitioner: LikeBrod, RestartDelay: 5 * time.Second, TopicRestartDelay: 10 * time.Second,
	}
}

// LikeKafkaExConfig is a Config that does as KafkaEx 1.1 does by default, as far
// as that loses nothing. docs/configuration.md has every setting of KafkaEx beside
// ours.
func LikeKafkaExConfig() Config {
	return Config{
		ClientID: "kafka_ex", RequestTimeout: 15 * time.Second, ConnectTimeout: 10 * time.Second, MetadataTimeout: 15 * time.Second, CoolDown: 400 * time.Millisecond,
		MetadataRefresh: 30 * time.Second, AutoCreateTopics: true,
		Produce: LikeKafkaExProducer(),
		Consume: ConsumeConfig{MaxWait: 10 * time.Second, MaxPartitionBytes: 1_000_000, MaxBytes: 1_000_000, Isolation: ReadUncommitted},
	}
}

// LikeKafkaExProducer are the settings of a topic that is produced to as by
// KafkaEx: every record at once, and what may have been written is never sent a
// second time.
func LikeKafkaExProducer() ProduceConfig {
	return ProduceConfig{
		Idempotence: IdempotenceOff, MaxInFlight: 1, AckTimeout: 5 * time.Second, Linger: NoLinger,
		Retry: RetrySafe, MaxRetries: 2, DropUnsupported: true, Partitioner: LikeKafkaEx,
	}
}
