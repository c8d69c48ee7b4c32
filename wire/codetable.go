package wire

// The codes that Kafka knows up to 4.3.
const (
	UnknownServerError                 Code = -1
	None                               Code = 0
	OffsetOutOfRange                   Code = 1
	CorruptMessage                     Code = 2
	UnknownTopicOrPartition            Code = 3
	InvalidFetchSize                   Code = 4
	LeaderNotAvailable                 Code = 5
	NotLeaderOrFollower                Code = 6
	RequestTimedOut                    Code = 7
	BrokerNotAvailable                 Code = 8
	ReplicaNotAvailable                Code = 9
	MessageTooLarge                    Code = 10
	StaleControllerEpoch               Code = 11
	OffsetMetadataTooLarge             Code = 12
	NetworkException                   Code = 13
	CoordinatorLoadInProgress          Code = 14
	CoordinatorNotAvailable            Code = 15
	NotCoordinator                     Code = 16
	InvalidTopic                       Code = 17
	RecordListTooLarge                 Code = 18
	NotEnoughReplicas                  Code = 19
	NotEnoughReplicasAfterAppend       Code = 20
	InvalidRequiredAcks                Code = 21
	IllegalGeneration                  Code = 22
	InconsistentGroupProtocol          Code = 23
	InvalidGroupID                     Code = 24
	UnknownMemberID                    Code = 25
	InvalidSessionTimeout              Code = 26
	RebalanceInProgress                Code = 27
	InvalidCommitOffsetSize            Code = 28
	TopicAuthorizationFailed           Code = 29
	GroupAuthorizationFailed           Code = 30
	ClusterAuthorizationFailed         Code = 31
	InvalidTimestamp                   Code = 32
	UnsupportedSASLMechanism           Code = 33
	IllegalSASLState                   Code = 34
	UnsupportedVersion                 Code = 35
	TopicAlreadyExists                 Code = 36
	InvalidPartitions                  Code = 37
	InvalidReplicationFactor           Code = 38
	InvalidReplicaAssignment           Code = 39
	InvalidConfig                      Code = 40
	NotController                      Code = 41
	InvalidRequest                     Code = 42
	UnsupportedForMessageFormat        Code = 43
	PolicyViolation                    Code = 44
	OutOfOrderSequenceNumber           Code = 45
	DuplicateSequenceNumber            Code = 46
	InvalidProducerEpoch               Code = 47
	InvalidTxnState                    Code = 48
	InvalidProducerIDMapping           Code = 49
	InvalidTransactionTimeout          Code = 50
	ConcurrentTransactions             Code = 51
	TransactionCoordinatorFenced       Code = 52
	TransactionalIDAuthorizationFailed Code = 53
	SecurityDisabled                   Code = 54
	OperationNotAttempted              Code = 55
	KafkaStorageError                  Code = 56
	LogDirNotFound                     Code = 57
	SASLAuthenticationFailed           Code = 58
	UnknownProducerID                  Code = 59
	ReassignmentInProgress             Code = 60
	DelegationTokenAuthDisabled        Code = 61
	DelegationTokenNotFound            Code = 62
	DelegationTokenOwnerMismatch       Code = 63
	DelegationTokenRequestNotAllowed   Code = 64
	DelegationTokenAuthorizationFailed Code = 65
	DelegationTokenExpired             Code = 66
	InvalidPrincipalType               Code = 67
	NonEmptyGroup                      Code = 68
	GroupIDNotFound                    Code = 69
	FetchSessionIDNotFound             Code = 70
	InvalidFetchSessionEpoch           Code = 71
	ListenerNotFound                   Code = 72
	TopicDeletionDisabled              Code = 73
	FencedLeaderEpoch                  Code = 74
	UnknownLeaderEpoch                 Code = 75
	UnsupportedCompressionType         Code = 76
	StaleBrokerEpoch                   Code = 77
	OffsetNotAvailable                 Code = 78
	MemberIDRequired                   Code = 79
	PreferredLeaderNotAvailable        Code = 80
	GroupMaxSizeReached                Code = 81
	FencedInstanceID                   Code = 82
	EligibleLeadersNotAvailable        Code = 83
	ElectionNotNeeded                  Code = 84
	NoReassignmentInProgress           Code = 85
	GroupSubscribedToTopic             Code = 86
	InvalidRecord                      Code = 87
	UnstableOffsetCommit               Code = 88
	ThrottlingQuotaExceeded            Code = 89
	ProducerFenced                     Code = 90
	ResourceNotFound                   Code = 91
	DuplicateResource                  Code = 92
	UnacceptableCredential             Code = 93
	InconsistentVoterSet               Code = 94
	InvalidUpdateVersion               Code = 95
	FeatureUpdateFailed                Code = 96
	PrincipalDeserializationFailure    Code = 97
	SnapshotNotFound                   Code = 98
	PositionOutOfRange                 Code = 99
	UnknownTopicID                     Code = 100
	DuplicateBrokerRegistration        Code = 101
	BrokerIDNotRegistered              Code = 102
	InconsistentTopicID                Code = 103
	InconsistentClusterID              Code = 104
	TransactionalIDNotFound            Code = 105
	FetchSessionTopicIDError           Code = 106
	IneligibleReplica                  Code = 107
	NewLeaderElected                   Code = 108
	OffsetMovedToTieredStorage         Code = 109
	FencedMemberEpoch                  Code = 110
	UnreleasedInstanceID               Code = 111
	UnsupportedAssignor                Code = 112
	StaleMemberEpoch                   Code = 113
	MismatchedEndpointType             Code = 114
	UnsupportedEndpointType            Code = 115
	UnknownControllerID                Code = 116
	UnknownSubscriptionID              Code = 117
	TelemetryTooLarge                  Code = 118
	InvalidRegistration                Code = 119
	TransactionAbortable               Code = 120
	InvalidRecordState                 Code = 121
	ShareSessionNotFound               Code = 122
	InvalidShareSessionEpoch           Code = 123
	FencedStateEpoch                   Code = 124
	InvalidVoterKey                    Code = 125
	DuplicateVoter                     Code = 126
	VoterNotFound                      Code = 127
	InvalidRegularExpression           Code = 128
	RebootstrapRequired                Code = 129
	StreamsInvalidTopology             Code = 130
	StreamsInvalidTopologyEpoch        Code = 131
	StreamsTopologyFenced              Code = 132
	ShareSessionLimitReached           Code = 133
)

// codeTable has the row of every code, at code+1. What is retriable and what
// calls for fresh metadata is as in the Java client (its RetriableException and
// InvalidMetadataException) but for the rows that TestCodesAgreeWithJava lists.
var codeTable = [...]codeInfo{
	UnknownServerError + 1:                 {"UNKNOWN_SERVER_ERROR", 0, classServer, "the broker failed in a way it does not name", "read the broker's log"},
	None + 1:                               {"NONE", 0, 0, "no error", ""},
	OffsetOutOfRange + 1:                   {"OFFSET_OUT_OF_RANGE", before, classOffsetOutOfRange, "the offset is not, or no longer, in the partition's log", "start from an offset between the earliest and the latest"},
	CorruptMessage + 1:                     {"CORRUPT_MESSAGE", retry | before, classCorrupt, "a batch failed its checksum, or lacks the key that a compacted topic needs", "give every record of a compacted topic a key; check the network path"},
	UnknownTopicOrPartition + 1:            {"UNKNOWN_TOPIC_OR_PARTITION", retry | refresh | before, classUnknownTopic, "this broker does not have the topic or partition", "create the topic, check its name and the permission to describe it"},
	InvalidFetchSize + 1:                   {"INVALID_FETCH_SIZE", before, classInvalid, "the fetch size is not valid", "ask for more than zero bytes"},
	LeaderNotAvailable + 1:                 {"LEADER_NOT_AVAILABLE", retry | refresh | before, classNotLeader, "the partition has no leader at the moment", "an election is under way, or all its replicas are away"},
	NotLeaderOrFollower + 1:                {"NOT_LEADER_OR_FOLLOWER", retry | refresh, classNotLeader, "this broker does not lead, or does not hold, the partition", "look up the leader again"},
	RequestTimedOut + 1:                    {"REQUEST_TIMED_OUT", retry, classTimeout | classUnsure, "the broker did not finish in the time that the request gave it", "raise the request's timeout or look for slow replicas"},
	BrokerNotAvailable + 1:                 {"BROKER_NOT_AVAILABLE", retry | refresh, classServer, "the broker is not available", ""},
	ReplicaNotAvailable + 1:                {"REPLICA_NOT_AVAILABLE", retry | refresh | before, classNotLeader, "the replica is not available on this broker", "look up the replicas again"},
	MessageTooLarge + 1:                    {"MESSAGE_TOO_LARGE", before, classTooLarge, "a batch is larger than the topic's max.message.bytes", "send smaller batches or raise max.message.bytes"},
	StaleControllerEpoch + 1:               {"STALE_CONTROLLER_EPOCH", before, classFenced, "the controller has moved to another broker", ""},
	OffsetMetadataTooLarge + 1:             {"OFFSET_METADATA_TOO_LARGE", before, classTooLarge, "the text committed with the offset is too long", "shorten it or raise offset.metadata.max.bytes"},
	NetworkException + 1:                   {"NETWORK_EXCEPTION", retry | refresh, classConnection | classUnsure, "the broker lost the connection to another broker", ""},
	CoordinatorLoadInProgress + 1:          {"COORDINATOR_LOAD_IN_PROGRESS", retry | before, classCoordinator, "the coordinator is still loading its state", "try again shortly"},
	CoordinatorNotAvailable + 1:            {"COORDINATOR_NOT_AVAILABLE", retry | before, classCoordinator, "there is no coordinator at the moment", "try again; check the internal topic's replicas"},
	NotCoordinator + 1:                     {"NOT_COORDINATOR", retry | before, classCoordinator, "this broker is not the coordinator", "find the coordinator again"},
	InvalidTopic + 1:                       {"INVALID_TOPIC_EXCEPTION", before, classInvalid, "the topic's name is not valid, or the topic is internal", "use letters, digits, dot, underscore and dash, at most 249"},
	RecordListTooLarge + 1:                 {"RECORD_LIST_TOO_LARGE", before, classTooLarge, "the batch is larger than a log segment", "send smaller batches or raise segment.bytes"},
	NotEnoughReplicas + 1:                  {"NOT_ENOUGH_REPLICAS", retry | before, classNotEnoughReplicas, "fewer replicas are in sync than min.insync.replicas; nothing was written", "bring replicas back"},
	NotEnoughReplicasAfterAppend + 1:       {"NOT_ENOUGH_REPLICAS_AFTER_APPEND", retry, classNotEnoughReplicas | classUnsure, "fewer replicas are in sync than min.insync.replicas; the records were written to the leader", "bring replicas back; a retry may write twice unless the producer is idempotent"},
	InvalidRequiredAcks + 1:                {"INVALID_REQUIRED_ACKS", before, classInvalid, "acks is not -1, 0 or 1", ""},
	IllegalGeneration + 1:                  {"ILLEGAL_GENERATION", before, classRejoin, "the group has moved on to another generation", "join the group again"},
	InconsistentGroupProtocol + 1:          {"INCONSISTENT_GROUP_PROTOCOL", before, classInvalid, "no assignment protocol is common to all members of the group", "give all members one assignor in common"},
	InvalidGroupID + 1:                     {"INVALID_GROUP_ID", before, classInvalid, "the group id is empty or not valid", "set a group id"},
	UnknownMemberID + 1:                    {"UNKNOWN_MEMBER_ID", before, classRejoin, "the coordinator does not know this member (any more)", "join the group again; poll and heartbeat within the session timeout"},
	InvalidSessionTimeout + 1:              {"INVALID_SESSION_TIMEOUT", before, classInvalid, "the session timeout is outside the broker's limits", "choose one between group.min.session.timeout.ms and group.max.session.timeout.ms"},
	RebalanceInProgress + 1:                {"REBALANCE_IN_PROGRESS", before, classRejoin, "the group is rebalancing", "join the group again"},
	InvalidCommitOffsetSize + 1:            {"INVALID_COMMIT_OFFSET_SIZE", before, classTooLarge, "the commit is too large to be stored", ""},
	TopicAuthorizationFailed + 1:           {"TOPIC_AUTHORIZATION_FAILED", before, classAuthorization, "the login may not do this on the topic", "grant the ACL on the topic"},
	GroupAuthorizationFailed + 1:           {"GROUP_AUTHORIZATION_FAILED", before, classAuthorization, "the login may not do this with the group", "grant the ACL on the group"},
	ClusterAuthorizationFailed + 1:         {"CLUSTER_AUTHORIZATION_FAILED", before, classAuthorization, "the login may not do this on the cluster", "grant the ACL on the cluster"},
	InvalidTimestamp + 1:                   {"INVALID_TIMESTAMP", before, classInvalid, "a record's timestamp is outside the topic's limits", "check the clock and message.timestamp.before.max.ms and after.max.ms"},
	UnsupportedSASLMechanism + 1:           {"UNSUPPORTED_SASL_MECHANISM", before, classAuthentication, "the listener does not offer the SASL mechanism", "use one of sasl.enabled.mechanisms"},
	IllegalSASLState + 1:                   {"ILLEGAL_SASL_STATE", before, classAuthentication, "a SASL message at the wrong moment, or on a listener without SASL", "check that the address is that of a SASL listener"},
	UnsupportedVersion + 1:                 {"UNSUPPORTED_VERSION", before, classUnsupportedVersion, "the broker does not know this version of the API", ""},
	TopicAlreadyExists + 1:                 {"TOPIC_ALREADY_EXISTS", before, classExists, "the topic exists already", ""},
	InvalidPartitions + 1:                  {"INVALID_PARTITIONS", before, classInvalid, "the number of partitions is not valid", "partitions can only be added"},
	InvalidReplicationFactor + 1:           {"INVALID_REPLICATION_FACTOR", before, classInvalid, "the replication factor is below one or above the number of brokers", ""},
	InvalidReplicaAssignment + 1:           {"INVALID_REPLICA_ASSIGNMENT", before, classInvalid, "the replica assignment is not valid", ""},
	InvalidConfig + 1:                      {"INVALID_CONFIG", before, classInvalid, "a configuration value is not valid", ""},
	NotController + 1:                      {"NOT_CONTROLLER", retry | before, classNotController, "this broker is not the controller", "look up the controller again"},
	InvalidRequest + 1:                     {"INVALID_REQUEST", before, classInvalid, "the broker finds the request malformed or contradictory", "read the broker's log"},
	UnsupportedForMessageFormat + 1:        {"UNSUPPORTED_FOR_MESSAGE_FORMAT", before, classUnsupportedVersion, "the topic's message format is too old for the request", "raise message.format.version"},
	PolicyViolation + 1:                    {"POLICY_VIOLATION", before, classInvalid, "a policy of the cluster refuses the request", "ask who runs the cluster"},
	OutOfOrderSequenceNumber + 1:           {"OUT_OF_ORDER_SEQUENCE_NUMBER", 0, classTransaction, "a sequence number is missing before this batch", "an earlier batch was lost; the producer id's epoch has to be raised"},
	DuplicateSequenceNumber + 1:            {"DUPLICATE_SEQUENCE_NUMBER", 0, classTransaction, "the batch was written before", "count it as written"},
	InvalidProducerEpoch + 1:               {"INVALID_PRODUCER_EPOCH", before, classFenced | classTransaction, "the producer's epoch is old", "another producer with this id or transactional id has started"},
	InvalidTxnState + 1:                    {"INVALID_TXN_STATE", before, classTransaction, "the transaction is not in a state that allows this", "abort it"},
	InvalidProducerIDMapping + 1:           {"INVALID_PRODUCER_ID_MAPPING", before, classTransaction, "the producer id does not belong to the transactional id (any more)", "initialise the producer id again"},
	InvalidTransactionTimeout + 1:          {"INVALID_TRANSACTION_TIMEOUT", before, classInvalid, "the transaction timeout is above transaction.max.timeout.ms", "lower it"},
	ConcurrentTransactions + 1:             {"CONCURRENT_TRANSACTIONS", retry | before, classTransaction, "an earlier transaction of this producer is still being completed", "try again shortly"},
	TransactionCoordinatorFenced + 1:       {"TRANSACTION_COORDINATOR_FENCED", before, classFenced, "an older transaction coordinator wrote a marker", ""},
	TransactionalIDAuthorizationFailed + 1: {"TRANSACTIONAL_ID_AUTHORIZATION_FAILED", before, classAuthorization, "the login may not use this transactional id", "grant the ACL on the transactional id"},
	SecurityDisabled + 1:                   {"SECURITY_DISABLED", before, classInvalid, "the broker has no authorizer", "set authorizer.class.name"},
	OperationNotAttempted + 1:              {"OPERATION_NOT_ATTEMPTED", before, 0, "not attempted, as another part of the request failed", "see the other parts"},
	KafkaStorageError + 1:                  {"KAFKA_STORAGE_ERROR", retry | refresh, classNotLeader | classServer, "the broker cannot read or write its disk", "look for a full or broken disk"},
	LogDirNotFound + 1:                     {"LOG_DIR_NOT_FOUND", before, classNotFound, "the broker has no such log directory", ""},
	SASLAuthenticationFailed + 1:           {"SASL_AUTHENTICATION_FAILED", before, classAuthentication, "the broker refused the credentials", "check user, password or token and the mechanism"},
	UnknownProducerID + 1:                  {"UNKNOWN_PRODUCER_ID", before, classTransaction, "the broker has forgotten this producer id", "initialise the producer id again"},
	ReassignmentInProgress + 1:             {"REASSIGNMENT_IN_PROGRESS", retry | before, classInvalid, "a reassignment of the partition is under way", "try again when it is done"},
	DelegationTokenAuthDisabled + 1:        {"DELEGATION_TOKEN_AUTH_DISABLED", before, classInvalid, "delegation tokens are disabled", "set delegation.token.secret.key"},
	DelegationTokenNotFound + 1:            {"DELEGATION_TOKEN_NOT_FOUND", before, classNotFound, "no such delegation token", ""},
	DelegationTokenOwnerMismatch + 1:       {"DELEGATION_TOKEN_OWNER_MISMATCH", before, classAuthorization, "the delegation token belongs to another", ""},
	DelegationTokenRequestNotAllowed + 1:   {"DELEGATION_TOKEN_REQUEST_NOT_ALLOWED", before, classAuthorization, "delegation tokens cannot be requested on this connection", "use a SASL connection that was not itself made with a token"},
	DelegationTokenAuthorizationFailed + 1: {"DELEGATION_TOKEN_AUTHORIZATION_FAILED", before, classAuthorization, "the login may not do this with the delegation token", ""},
	DelegationTokenExpired + 1:             {"DELEGATION_TOKEN_EXPIRED", before, classAuthentication, "the delegation token has expired", "get a new one"},
	InvalidPrincipalType + 1:               {"INVALID_PRINCIPAL_TYPE", before, classInvalid, "the principal's type is not known", ""},
	NonEmptyGroup + 1:                      {"NON_EMPTY_GROUP", before, classInvalid, "the group has members", "stop them first"},
	GroupIDNotFound + 1:                    {"GROUP_ID_NOT_FOUND", before, classNotFound, "no such group", ""},
	FetchSessionIDNotFound + 1:             {"FETCH_SESSION_ID_NOT_FOUND", retry | before, classSession, "the broker has dropped the fetch session", "start a new one; raise max.incremental.fetch.session.cache.slots"},
	InvalidFetchSessionEpoch + 1:           {"INVALID_FETCH_SESSION_EPOCH", retry | before, classSession, "the fetch session's epoch is wrong", "start a new one"},
	ListenerNotFound + 1:                   {"LISTENER_NOT_FOUND", retry | refresh | before, classNotLeader, "the leader has no listener of this name", "give every broker the same listeners"},
	TopicDeletionDisabled + 1:              {"TOPIC_DELETION_DISABLED", before, classInvalid, "topics cannot be deleted on this cluster", "set delete.topic.enable"},
	FencedLeaderEpoch + 1:                  {"FENCED_LEADER_EPOCH", retry | refresh, classNotLeader | classFenced, "the request knows an older leader than the broker", "look up the leader again"},
	UnknownLeaderEpoch + 1:                 {"UNKNOWN_LEADER_EPOCH", retry | refresh | before, classNotLeader, "the request knows a newer leader than the broker", "the broker is catching up; try again shortly"},
	UnsupportedCompressionType + 1:         {"UNSUPPORTED_COMPRESSION_TYPE", before, classUnsupportedVersion, "the broker or API version does not know the compression", "use another codec; zstd needs Kafka 2.1"},
	StaleBrokerEpoch + 1:                   {"STALE_BROKER_EPOCH", before, classFenced, "the broker has restarted since", ""},
	OffsetNotAvailable + 1:                 {"OFFSET_NOT_AVAILABLE", retry | before, classNotLeader, "a new leader does not know its high watermark yet", "try again shortly"},
	MemberIDRequired + 1:                   {"MEMBER_ID_REQUIRED", before, classRejoin, "the coordinator gave a member id to join with", "join again with it"},
	PreferredLeaderNotAvailable + 1:        {"PREFERRED_LEADER_NOT_AVAILABLE", retry | refresh | before, classNotLeader, "the preferred leader is not available", "bring it back"},
	GroupMaxSizeReached + 1:                {"GROUP_MAX_SIZE_REACHED", before, classTooLarge, "the group is full", "raise group.max.size"},
	FencedInstanceID + 1:                   {"FENCED_INSTANCE_ID", before, classFenced, "another member has joined with this group instance id", "give every instance an id of its own"},
	EligibleLeadersNotAvailable + 1:        {"ELIGIBLE_LEADERS_NOT_AVAILABLE", retry | refresh | before, classNotLeader, "no replica may become the leader", "bring replicas back"},
	ElectionNotNeeded + 1:                  {"ELECTION_NOT_NEEDED", retry | refresh | before, 0, "the leader is already the one wanted", ""},
	NoReassignmentInProgress + 1:           {"NO_REASSIGNMENT_IN_PROGRESS", before, classNotFound, "no reassignment is under way", ""},
	GroupSubscribedToTopic + 1:             {"GROUP_SUBSCRIBED_TO_TOPIC", before, classInvalid, "the group still consumes the topic", "stop its members first"},
	InvalidRecord + 1:                      {"INVALID_RECORD", before, classCorrupt, "the broker finds a record not valid", "give every record of a compacted topic a key; see the answer's message"},
	UnstableOffsetCommit + 1:               {"UNSTABLE_OFFSET_COMMIT", retry | before, classTransaction, "a transaction that commits offsets is still open", "try again shortly"},
	ThrottlingQuotaExceeded + 1:            {"THROTTLING_QUOTA_EXCEEDED", retry | before, classThrottled, "a quota is used up", "wait the throttle time of the answer"},
	ProducerFenced + 1:                     {"PRODUCER_FENCED", before, classFenced | classTransaction, "another producer with this transactional id has started", "give every producer a transactional id of its own"},
	ResourceNotFound + 1:                   {"RESOURCE_NOT_FOUND", before, classNotFound, "the resource is not there", ""},
	DuplicateResource + 1:                  {"DUPLICATE_RESOURCE", before, classInvalid, "the request names a resource twice", ""},
	UnacceptableCredential + 1:             {"UNACCEPTABLE_CREDENTIAL", before, classInvalid, "the credential does not meet the cluster's rules", ""},
	InconsistentVoterSet + 1:               {"INCONSISTENT_VOTER_SET", before, classInvalid, "the voters of the request are not those of the quorum", ""},
	InvalidUpdateVersion + 1:               {"INVALID_UPDATE_VERSION", before, classInvalid, "the feature update is not valid", ""},
	FeatureUpdateFailed + 1:                {"FEATURE_UPDATE_FAILED", 0, classServer, "the feature could not be updated", "read the controller's log"},
	PrincipalDeserializationFailure + 1:    {"PRINCIPAL_DESERIALIZATION_FAILURE", before, classServer, "the controller could not read the forwarded principal", ""},
	SnapshotNotFound + 1:                   {"SNAPSHOT_NOT_FOUND", before, classNotFound, "no such snapshot", ""},
	PositionOutOfRange + 1:                 {"POSITION_OUT_OF_RANGE", before, classInvalid, "the position is outside the snapshot", ""},
	UnknownTopicID + 1:                     {"UNKNOWN_TOPIC_ID", retry | refresh | before, classUnknownTopic, "this broker does not have the topic id", "the topic was deleted or made anew; look it up again"},
	DuplicateBrokerRegistration + 1:        {"DUPLICATE_BROKER_REGISTRATION", before, classExists, "a broker with this id is registered already", ""},
	BrokerIDNotRegistered + 1:              {"BROKER_ID_NOT_REGISTERED", before, classNotFound, "no broker with this id is registered", ""},
	InconsistentTopicID + 1:                {"INCONSISTENT_TOPIC_ID", retry | refresh | before, classUnknownTopic, "the topic id is not the one in the broker's log", "the topic was made anew; look it up again"},
	InconsistentClusterID + 1:              {"INCONSISTENT_CLUSTER_ID", before, classInvalid, "the broker belongs to another cluster", "check the addresses"},
	TransactionalIDNotFound + 1:            {"TRANSACTIONAL_ID_NOT_FOUND", before, classNotFound, "no such transactional id", ""},
	FetchSessionTopicIDError + 1:           {"FETCH_SESSION_TOPIC_ID_ERROR", retry | before, classSession, "topic ids were mixed with names within a fetch session", "start a new one"},
	IneligibleReplica + 1:                  {"INELIGIBLE_REPLICA", before, classInvalid, "the replica may not join the replicas in sync", ""},
	NewLeaderElected + 1:                   {"NEW_LEADER_ELECTED", retry | refresh, classNotLeader, "a new leader was elected meanwhile", ""},
	OffsetMovedToTieredStorage + 1:         {"OFFSET_MOVED_TO_TIERED_STORAGE", before, classOffsetOutOfRange, "the offset has moved to tiered storage", ""},
	FencedMemberEpoch + 1:                  {"FENCED_MEMBER_EPOCH", before, classFenced | classRejoin, "the coordinator does not accept this member's epoch", "join the group again"},
	UnreleasedInstanceID + 1:               {"UNRELEASED_INSTANCE_ID", before, classInvalid, "another member still uses the group instance id", "wait for its session timeout or give each an id of its own"},
	UnsupportedAssignor + 1:                {"UNSUPPORTED_ASSIGNOR", before, classUnsupportedVersion, "the coordinator does not know the assignor", "use one of group.consumer.assignors"},
	StaleMemberEpoch + 1:                   {"STALE_MEMBER_EPOCH", before, classRejoin, "the member's epoch is old", "retry with the epoch of the next heartbeat"},
	MismatchedEndpointType + 1:             {"MISMATCHED_ENDPOINT_TYPE", before, classInvalid, "the request was sent to the wrong kind of endpoint", "brokers and controllers have addresses of their own"},
	UnsupportedEndpointType + 1:            {"UNSUPPORTED_ENDPOINT_TYPE", before, classUnsupportedVersion, "this kind of endpoint is not supported", ""},
	UnknownControllerID + 1:                {"UNKNOWN_CONTROLLER_ID", before, classNotFound, "no such controller", ""},
	UnknownSubscriptionID + 1:              {"UNKNOWN_SUBSCRIPTION_ID", before, classNotFound, "the telemetry subscription has changed", "get the subscriptions again"},
	TelemetryTooLarge + 1:                  {"TELEMETRY_TOO_LARGE", before, classTooLarge, "the pushed telemetry is too large", ""},
	InvalidRegistration + 1:                {"INVALID_REGISTRATION", before, classInvalid, "the controller finds the registration not valid", ""},
	TransactionAbortable + 1:               {"TRANSACTION_ABORTABLE", before, classTransaction, "the transaction failed", "abort it and begin a new one"},
	InvalidRecordState + 1:                 {"INVALID_RECORD_STATE", before, classInvalid, "the record's delivery is not in a state that allows this", "the acquisition lock has expired"},
	ShareSessionNotFound + 1:               {"SHARE_SESSION_NOT_FOUND", retry | before, classSession, "the broker has dropped the share session", "start a new one"},
	InvalidShareSessionEpoch + 1:           {"INVALID_SHARE_SESSION_EPOCH", retry | before, classSession, "the share session's epoch is wrong", "start a new one"},
	FencedStateEpoch + 1:                   {"FENCED_STATE_EPOCH", before, classFenced, "the share group's state epoch is old", ""},
	InvalidVoterKey + 1:                    {"INVALID_VOTER_KEY", before, classInvalid, "the voter's key is not that of the replica", ""},
	DuplicateVoter + 1:                     {"DUPLICATE_VOTER", before, classExists, "the voter is in the set already", ""},
	VoterNotFound + 1:                      {"VOTER_NOT_FOUND", before, classNotFound, "the voter is not in the set", ""},
	InvalidRegularExpression + 1:           {"INVALID_REGULAR_EXPRESSION", before, classInvalid, "the regular expression is not valid", "the broker wants RE2 syntax"},
	RebootstrapRequired + 1:                {"REBOOTSTRAP_REQUIRED", retry | refresh | before, 0, "what the client knows of the cluster is too old", "start again from the bootstrap addresses"},
	StreamsInvalidTopology + 1:             {"STREAMS_INVALID_TOPOLOGY", before, classInvalid, "the topology is not valid", ""},
	StreamsInvalidTopologyEpoch + 1:        {"STREAMS_INVALID_TOPOLOGY_EPOCH", before, classInvalid, "the topology's epoch is not valid", ""},
	StreamsTopologyFenced + 1:              {"STREAMS_TOPOLOGY_FENCED", before, classFenced, "the topology's epoch is old", ""},
	ShareSessionLimitReached + 1:           {"SHARE_SESSION_LIMIT_REACHED", retry | before, classSession | classTooLarge, "the broker has no room for another share session", "try again later"},
}
