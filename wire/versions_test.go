package wire

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"
)

// The table of APIs agrees with the structs that encode them.
func TestAPIsAgreeWithStructs(t *testing.T) {
	require.Len(t, apis, kmsg.MaxKey+1)
	for key, api := range apis {
		req, resp := kmsg.RequestForKey(int16(key)), kmsg.ResponseForKey(int16(key))
		require.Equal(t, req.MaxVersion(), api.max, api.name)
		flexible := never
		for v := api.max; v >= 0; v-- {
			req.SetVersion(v)
			resp.SetVersion(v)
			require.Equal(t, req.IsFlexible(), resp.IsFlexible(), "%s v%d: the reader decides by the request", api.name, v)
			if req.IsFlexible() {
				flexible = v
			}
		}
		require.Equal(t, flexible, api.flexible, api.name)
		if name := kmsg.NameForKey(int16(key)); name != "AlterPartitionAssignments" {
			require.True(t, strings.EqualFold(name, api.name), api.name)
		}
	}
	require.Equal(t, "API 999", APIName(999))
	require.Equal(t, "API -1", APIName(-1))
}

func broker(ranges ...kmsg.ApiVersionsResponseApiKey) Versions {
	return versionsFrom(&kmsg.ApiVersionsResponse{ApiKeys: ranges})
}

func TestChoose(t *testing.T) {
	of := func(lowest, highest int16) Versions {
		return broker(kmsg.ApiVersionsResponseApiKey{ApiKey: 3, MinVersion: lowest, MaxVersion: highest})
	}
	pin := func(v int16) map[int16]int16 { return map[int16]int16{3: v} }
	tests := map[string]struct {
		v    Versions
		key  int16
		pins map[int16]int16
		want int16 // -1 = refused
	}{
		"the broker's highest":         {of(0, 5), 3, nil, 5},
		"our highest":                  {of(0, 99), 3, nil, 13},
		"the broker is too new":        {of(14, 20), 3, nil, -1},
		"pinned":                       {of(0, 5), 3, pin(2), 2},
		"pinned above the broker":      {of(0, 5), 3, pin(6), -1},
		"pinned below the broker":      {of(3, 5), 3, pin(2), -1},
		"pinned above ours":            {of(0, 99), 3, pin(14), -1},
		"pinned negative":              {of(0, 99), 3, pin(-1), -1},
		"not offered":                  {of(0, 5), 8, nil, -1},
		"unknown key":                  {of(0, 5), 999, nil, -1},
		"negative key":                 {of(0, 5), -1, nil, -1},
		"no knowledge":                 {Versions{}, 3, nil, -1},
		"a range upside down":          {of(5, 2), 3, nil, -1},
		"a negative range":             {of(-1, 2), 3, nil, -1},
		"assumed":                      {assumedVersions(), 3, nil, 0},
		"assumed, commits to Kafka":    {assumedVersions(), 8, nil, 1},
		"assumed, a pin is trusted":    {assumedVersions(), 3, pin(7), 7},
		"detected":                     {detectedVersions(), 9, nil, 1},
		"detected, not of its time":    {detectedVersions(), 19, nil, -1},
		"detected, our highest counts": {detectedVersions(), 3, pin(14), -1},
	}
	for name, test := range tests {
		got, err := test.v.choose(test.key, test.pins)
		if test.want < 0 {
			require.ErrorIs(t, err, ErrUnsupportedVersion, name)
			require.NotEmpty(t, err.Error())
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, test.want, got, name)
	}
}

func TestProduceMinimumSince40(t *testing.T) {
	produce := func(highest int16) Versions {
		return broker(kmsg.ApiVersionsResponseApiKey{ApiKey: 0, MaxVersion: highest})
	}
	_, err := produce(12).choose(0, map[int16]int16{0: 2})
	require.ErrorIs(t, err, ErrUnsupportedVersion, "4.0 says 0 and means 3")
	require.ErrorContains(t, err, "the broker v3 to v12")
	v, err := produce(9).choose(0, map[int16]int16{0: 2})
	require.NoError(t, err, "2.8 says 0 and means it")
	require.EqualValues(t, 2, v)
}

func TestFeatures(t *testing.T) {
	v := versionsFrom(&kmsg.ApiVersionsResponse{FinalizedFeatures: []kmsg.ApiVersionsResponseFinalizedFeature{{Name: "group.version", MaxVersionLevel: 1}}})
	level, ok := v.Feature("group.version")
	require.True(t, ok)
	require.EqualValues(t, 1, level)
	_, ok = v.Feature("share.version")
	require.False(t, ok)
}

// Whatever a broker says, what is chosen lies in both ranges or is refused.
func TestChooseProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		version := rapid.Int16Range(-3, 20)
		key := rapid.Int16Range(-2, 100).Draw(t, "key")
		lowest, highest := version.Draw(t, "min"), version.Draw(t, "max")
		v := broker(kmsg.ApiVersionsResponseApiKey{ApiKey: key, MinVersion: lowest, MaxVersion: highest})
		pins := map[int16]int16{}
		if rapid.Bool().Draw(t, "pinned") {
			pins[key] = version.Draw(t, "pin")
		}
		got, err := v.choose(key, pins)
		if err != nil {
			require.ErrorIs(t, err, ErrUnsupportedVersion)
			if pin, pinned := pins[key]; !pinned && knownAPI(key) != nil {
				require.True(t, lowest > highest || lowest < 0 || lowest > apis[key].max, "refused without need, pin %d", pin)
			}
			return
		}
		require.True(t, got >= lowest && got <= highest && got <= apis[key].max)
		if pin, ok := pins[key]; ok {
			require.Equal(t, pin, got)
		}
		require.Equal(t, got, v.chooseAll(pins)[key])
		require.NoError(t, v.allows(key, got, pins))
	})
}
