package wire

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Origin tells where the knowledge of a broker's API versions comes from.
type Origin int

const (
	// Asked: the broker answered ApiVersions (0.10 and later). The zero value.
	Asked Origin = iota
	// Assumed: Config.NoAPIVersions; every API at its lowest version.
	Assumed
	// Detected: the broker does not know ApiVersions, so it is older than 0.10.
	// Give the Versions as Config.Assume to later connections to spare them the
	// detour.
	Detected
)

// Versions is what a broker offers: a range of versions for each API and the
// cluster's features. The zero value offers nothing. Immutable; safe for
// concurrent use; cheap to copy.
type Versions struct{ t *versionTable }

type versionTable struct {
	ranges   [len(apis)]versionRange
	origin   Origin
	features map[string]int16
}

// versionRange is one API's range; known tells it from v0 only.
type versionRange struct {
	min, max int16
	known    bool
}

// Known tells whether there is any knowledge; it is false for the zero value.
func (v Versions) Known() bool { return v.t != nil }

// Origin tells where the knowledge comes from.
func (v Versions) Origin() Origin {
	if v.t == nil {
		return Asked
	}
	return v.t.origin
}

// Range is what the broker offers for an API key; ok is false if it does not.
func (v Versions) Range(key int16) (lowest, highest int16, ok bool) {
	if v.t == nil || knownAPI(key) == nil {
		return 0, 0, false
	}
	r := v.t.ranges[key]
	return r.min, r.max, r.known
}

// Feature is the level at which the cluster has finalized a feature (KIP-584),
// as group.version or transaction.version; ok is false if it has not.
func (v Versions) Feature(name string) (level int16, ok bool) {
	if v.t == nil {
		return 0, false
	}
	level, ok = v.t.features[name]
	return level, ok
}

// produceMinSince40 is the lowest Produce version of brokers from 4.0 on. They
// advertise 0, because a widely used C client gives up on less (KAFKA-18659),
// and close the connection on anything below 3. They are known by offering v12.
const (
	produceMinSince40  = 3
	produceMaxTells40  = 12
	maxPlausibleRanges = 1 << 10
)

// versionsFrom reads what a broker answered to ApiVersions. APIs that this
// client does not know are left out.
func versionsFrom(resp *kmsg.ApiVersionsResponse) Versions {
	t := &versionTable{origin: Asked}
	for i := range resp.ApiKeys {
		k := &resp.ApiKeys[i]
		if knownAPI(k.ApiKey) == nil || k.MinVersion < 0 || k.MinVersion > k.MaxVersion {
			continue
		}
		t.ranges[k.ApiKey] = versionRange{k.MinVersion, k.MaxVersion, true}
	}
	if p := &t.ranges[keyProduce]; p.known && p.min == 0 && p.max >= produceMaxTells40 {
		p.min = produceMinSince40
	}
	if len(resp.FinalizedFeatures) > 0 && len(resp.FinalizedFeatures) < maxPlausibleRanges {
		t.features = make(map[string]int16, len(resp.FinalizedFeatures))
		for _, f := range resp.FinalizedFeatures {
			t.features[f.Name] = f.MaxVersionLevel
		}
	}
	return Versions{t}
}

// assumedVersions is the knowledge of a broker that is not asked: every API,
// from v0, up to the version that is assumed to be there.
func assumedVersions() Versions {
	t := &versionTable{origin: Assumed}
	for key := range apis {
		t.ranges[key] = versionRange{0, apis[key].assumed, true}
	}
	return Versions{t}
}

// detectedVersions is the knowledge of a broker before 0.10: the APIs of its
// time at the lowest version.
func detectedVersions() Versions {
	t := &versionTable{origin: Detected}
	for key := range apis {
		if apis[key].flags&old != 0 {
			t.ranges[key] = versionRange{0, apis[key].assumed, true}
		}
	}
	return Versions{t}
}

// choose picks the version of an API: the pinned one, else the highest that
// both sides speak. A pin is trusted where the broker was not asked.
func (v Versions) choose(key int16, pins map[int16]int16) (int16, error) {
	pin, pinned := pins[key]
	if !pinned {
		pin = -1
	}
	fail := &VersionError{API: key, OurMax: -1, BrokerMin: -1, BrokerMax: -1, Wanted: pin, Pinned: pinned}
	api := knownAPI(key)
	if api == nil {
		return 0, fail
	}
	fail.OurMax = api.max
	lowest, highest, ok := v.Range(key)
	if !ok {
		return 0, fail
	}
	fail.BrokerMin, fail.BrokerMax = lowest, highest
	switch {
	case pinned && (pin < 0 || pin > api.max):
		return 0, fail
	case pinned && v.Origin() == Asked && (pin < lowest || pin > highest):
		return 0, fail
	case pinned:
		return pin, nil
	case lowest > api.max:
		return 0, fail
	}
	return min(highest, api.max), nil
}

// chosen is the outcome of choose for every API, made once per connection.
type chosen [len(apis)]int16

const noVersion int16 = -1

func (v Versions) chooseAll(pins map[int16]int16) *chosen {
	c := new(chosen)
	for key := range apis {
		version, err := v.choose(int16(key), pins)
		if err != nil {
			version = noVersion
		}
		c[key] = version
	}
	return c
}

// allows tells whether a version that the caller fixed is in the common range.
func (v Versions) allows(key, version int16, pins map[int16]int16) error {
	if pin, ok := pins[key]; ok && pin == version {
		_, err := v.choose(key, pins)
		return err
	}
	lowest, highest, ok := v.Range(key)
	api := knownAPI(key)
	if api == nil {
		return &VersionError{API: key, OurMax: -1, BrokerMin: -1, BrokerMax: -1, Wanted: version}
	}
	fail := &VersionError{API: key, OurMax: api.max, BrokerMin: -1, BrokerMax: -1, Wanted: version}
	if !ok {
		return fail
	}
	fail.BrokerMin, fail.BrokerMax = lowest, highest
	if version < lowest || version > min(highest, api.max) {
		return fail
	}
	return nil
}
