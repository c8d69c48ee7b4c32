package wire

import "strconv"

// apiInfo is what this client knows of one API of the protocol
// (https://kafka.apache.org/protocol#protocol_api_keys).
type apiInfo struct {
	name string
	// max is the highest version this client speaks; the lowest is 0.
	max int16
	// flexible is the first version with tagged fields (KIP-482), never if none.
	flexible int16
	// assumed is the version to use with a broker that is not asked.
	assumed int16
	flags   apiFlags
}

type apiFlags uint8

const (
	// old: brokers before 0.10, which have no ApiVersions, know the API.
	old apiFlags = 1 << iota
	// again: the request can be repeated freely; it reads, or says the same.
	again
)

const never int16 = -1

// Keys that this package itself uses.
const (
	keyProduce          int16 = 0
	keyFetch            int16 = 1
	keySASLHandshake    int16 = 17
	keyAPIVersions      int16 = 18
	keySASLAuthenticate int16 = 36
)

// apis is the one table of API knowledge, by key. OffsetCommit and OffsetFetch
// are assumed at v1, as v0 keeps offsets in ZooKeeper, where no group sees them.
var apis = [...]apiInfo{
	0:  {"Produce", 13, 9, 0, old},
	1:  {"Fetch", 18, 12, 0, old | again},
	2:  {"ListOffsets", 11, 6, 0, old | again},
	3:  {"Metadata", 13, 9, 0, old | again},
	4:  {"LeaderAndIsr", 7, 4, 0, 0},
	5:  {"StopReplica", 4, 2, 0, 0},
	6:  {"UpdateMetadata", 8, 6, 0, 0},
	7:  {"ControlledShutdown", 3, 3, 0, 0},
	8:  {"OffsetCommit", 10, 8, 1, old},
	9:  {"OffsetFetch", 10, 6, 1, old | again},
	10: {"FindCoordinator", 6, 3, 0, old | again},
	11: {"JoinGroup", 9, 6, 0, old},
	12: {"Heartbeat", 4, 4, 0, old | again},
	13: {"LeaveGroup", 5, 4, 0, old},
	14: {"SyncGroup", 5, 4, 0, old},
	15: {"DescribeGroups", 6, 5, 0, old | again},
	16: {"ListGroups", 5, 3, 0, old | again},
	17: {"SaslHandshake", 1, never, 0, 0},
	18: {"ApiVersions", 5, 3, 0, again},
	19: {"CreateTopics", 7, 5, 0, 0},
	20: {"DeleteTopics", 6, 4, 0, 0},
	21: {"DeleteRecords", 2, 2, 0, 0},
	22: {"InitProducerId", 5, 2, 0, 0},
	23: {"OffsetForLeaderEpoch", 4, 4, 0, again},
	24: {"AddPartitionsToTxn", 5, 3, 0, 0},
	25: {"AddOffsetsToTxn", 4, 3, 0, 0},
	26: {"EndTxn", 5, 3, 0, 0},
	27: {"WriteTxnMarkers", 2, 1, 0, 0},
	28: {"TxnOffsetCommit", 6, 3, 0, 0},
	29: {"DescribeAcls", 3, 2, 0, again},
	30: {"CreateAcls", 3, 2, 0, 0},
	31: {"DeleteAcls", 3, 2, 0, 0},
	32: {"DescribeConfigs", 4, 4, 0, again},
	33: {"AlterConfigs", 2, 2, 0, 0},
	34: {"AlterReplicaLogDirs", 2, 2, 0, 0},
	35: {"DescribeLogDirs", 5, 2, 0, again},
	36: {"SaslAuthenticate", 2, 2, 0, 0},
	37: {"CreatePartitions", 3, 2, 0, 0},
	38: {"CreateDelegationToken", 3, 2, 0, 0},
	39: {"RenewDelegationToken", 2, 2, 0, 0},
	40: {"ExpireDelegationToken", 2, 2, 0, 0},
	41: {"DescribeDelegationToken", 3, 2, 0, again},
	42: {"DeleteGroups", 3, 2, 0, 0},
	43: {"ElectLeaders", 2, 2, 0, 0},
	44: {"IncrementalAlterConfigs", 1, 1, 0, 0},
	45: {"AlterPartitionReassignments", 1, 0, 0, 0},
	46: {"ListPartitionReassignments", 0, 0, 0, again},
	47: {"OffsetDelete", 0, never, 0, 0},
	48: {"DescribeClientQuotas", 1, 1, 0, again},
	49: {"AlterClientQuotas", 1, 1, 0, 0},
	50: {"DescribeUserScramCredentials", 0, 0, 0, again},
	51: {"AlterUserScramCredentials", 0, 0, 0, 0},
	52: {"Vote", 2, 0, 0, 0},
	53: {"BeginQuorumEpoch", 1, 1, 0, 0},
	54: {"EndQuorumEpoch", 1, 1, 0, 0},
	55: {"DescribeQuorum", 2, 0, 0, again},
	56: {"AlterPartition", 3, 0, 0, 0},
	57: {"UpdateFeatures", 2, 0, 0, 0},
	58: {"Envelope", 0, 0, 0, 0},
	59: {"FetchSnapshot", 1, 0, 0, again},
	60: {"DescribeCluster", 2, 0, 0, again},
	61: {"DescribeProducers", 0, 0, 0, again},
	62: {"BrokerRegistration", 4, 0, 0, 0},
	63: {"BrokerHeartbeat", 2, 0, 0, 0},
	64: {"UnregisterBroker", 0, 0, 0, 0},
	65: {"DescribeTransactions", 0, 0, 0, again},
	66: {"ListTransactions", 2, 0, 0, again},
	67: {"AllocateProducerIds", 0, 0, 0, 0},
	68: {"ConsumerGroupHeartbeat", 1, 0, 0, 0},
	69: {"ConsumerGroupDescribe", 1, 0, 0, again},
	70: {"ControllerRegistration", 0, 0, 0, 0},
	71: {"GetTelemetrySubscriptions", 0, 0, 0, again},
	72: {"PushTelemetry", 0, 0, 0, 0},
	73: {"AssignReplicasToDirs", 0, 0, 0, 0},
	74: {"ListConfigResources", 1, 0, 0, again},
	75: {"DescribeTopicPartitions", 0, 0, 0, again},
	76: {"ShareGroupHeartbeat", 1, 0, 0, 0},
	77: {"ShareGroupDescribe", 1, 0, 0, again},
	78: {"ShareFetch", 2, 0, 0, 0},
	79: {"ShareAcknowledge", 2, 0, 0, 0},
	80: {"AddRaftVoter", 1, 0, 0, 0},
	81: {"RemoveRaftVoter", 0, 0, 0, 0},
	82: {"UpdateRaftVoter", 0, 0, 0, 0},
	83: {"InitializeShareGroupState", 0, 0, 0, 0},
	84: {"ReadShareGroupState", 0, 0, 0, again},
	85: {"WriteShareGroupState", 1, 0, 0, 0},
	86: {"DeleteShareGroupState", 0, 0, 0, 0},
	87: {"ReadShareGroupStateSummary", 1, 0, 0, again},
	88: {"StreamsGroupHeartbeat", 1, 0, 0, 0},
	89: {"StreamsGroupDescribe", 1, 0, 0, again},
	90: {"DescribeShareGroupOffsets", 1, 0, 0, again},
	91: {"AlterShareGroupOffsets", 0, 0, 0, 0},
	92: {"DeleteShareGroupOffsets", 0, 0, 0, 0},
	93: {"StreamsGroupTopologyDescriptionUpdate", 0, 0, 0, 0},
	94: {"UnregisterController", 0, 0, 0, 0},
}

// knownAPI finds the row of a key; nil if the client does not know it.
func knownAPI(key int16) *apiInfo {
	if key < 0 || int(key) >= len(apis) {
		return nil
	}
	return &apis[key]
}

// repeatable tells whether a request of this API may be sent twice without
// taking effect twice.
func repeatable(key int16) bool {
	api := knownAPI(key)
	return api != nil && api.flags&again != 0
}

// APIName is Kafka's name of an API key, as Produce; API and the number if it
// is not known.
func APIName(key int16) string {
	if api := knownAPI(key); api != nil {
		return api.name
	}
	return "API " + strconv.Itoa(int(key))
}
