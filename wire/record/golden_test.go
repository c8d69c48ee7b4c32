package record

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau/wire/compress"
)

// The files in testdata/java are what Apache Kafka's Java client wrote: see the
// README there.

func goldenRecords(name string) []plainRecord {
	compressed := !strings.Contains(name, "-none")
	old := !strings.HasPrefix(name, "v2")
	out := []plainRecord{
		{Key: []byte("key-0"), Value: []byte("value-0"), Timestamp: t0, Offset: 1000, Headers: []plainHeader{
			{"a", []byte("1")}, {"b", nil}, {"a", []byte{}}, {"", []byte("no key")}}},
		{Value: []byte("only value"), Timestamp: t0 + 5, Offset: 1001},
		{Key: []byte("only key"), Timestamp: t0 + 10, Offset: 1002},
		{Key: []byte{}, Value: []byte{}, Timestamp: t0 - 7, Offset: 1005},
		{Key: []byte("big"), Value: goldenBig(compressed), Timestamp: t0 + 20, Offset: 1006},
	}
	for i := range out {
		if old {
			out[i].Headers = nil
		}
		if strings.HasPrefix(name, "v0") {
			out[i].Timestamp = NoTimestamp
		}
		if strings.HasSuffix(name, "logappend") {
			out[i].Timestamp = t0 + 12345
		}
	}
	return out
}

func goldenBig(compressed bool) []byte {
	n := 300
	if compressed {
		n = 70000
	}
	var s []byte
	for i := 0; len(s) < n; i++ {
		s = append(s, "moldau "...)
		s = strconv.AppendInt(s, int64(i*7919%1000), 10)
		s = append(s, '\n')
	}
	return s[:n]
}

func golden(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "java", name+".bin"))
	require.NoError(t, err)
	return data
}

func TestJavaBytes(t *testing.T) {
	names := []string{
		"v0-none", "v0-gzip", "v0-snappy", "v0-lz4",
		"v1-none", "v1-gzip", "v1-snappy", "v1-lz4", "v1-none-logappend", "v1-gzip-logappend",
		"v2-none", "v2-gzip", "v2-snappy", "v2-lz4", "v2-zstd", "v2-zstd-level19", "v2-lz4-level15",
		"v2-none-logappend", "v2-gzip-idempotent", "v2-none-transactional",
	}
	codecs := compress.NewRegistry()
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			data := golden(t, name)
			got, err := readAll(codecs, data)
			require.NoError(t, err)
			require.Equal(t, goldenRecords(name), got)
			require.Equal(t, int64(1007), lastNext(t, data))
		})
	}
}

// lastNext is where reading goes on behind the data.
func lastNext(t *testing.T, data []byte) int64 {
	b := oneBatch(t, data)
	require.Equal(t, data, b.Bytes(), "one batch")
	return b.NextOffset()
}

func TestJavaBytesOneAfterTheOther(t *testing.T) {
	var data []byte
	var want []plainRecord
	for _, name := range []string{"v0-none", "v1-gzip", "v2-snappy", "v0-lz4", "v1-none", "v2-none"} {
		data = append(data, golden(t, name)...)
		want = append(want, goldenRecords(name)...)
	}
	got, err := readAll(compress.NewRegistry(), data)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestJavaHeaders(t *testing.T) {
	b := oneBatch(t, golden(t, "v2-none-transactional"))
	require.Equal(t, BatchHeader{
		BaseOffset: 1000, PartitionLeaderEpoch: 7, Magic: 2, Attributes: AttrTransactional, LastOffsetDelta: 6,
		BaseTimestamp: t0, MaxTimestamp: t0 + 20, ProducerID: 4711, ProducerEpoch: 3, BaseSequence: 99, Count: 5,
	}, b.BatchHeader)
	require.True(t, b.Attributes.Transactional())
	require.False(t, b.Attributes.Control())

	b = oneBatch(t, golden(t, "v2-gzip-idempotent"))
	require.Equal(t, compress.Gzip, b.Attributes.Codec())
	require.False(t, b.Attributes.Transactional())

	b = oneBatch(t, golden(t, "v2-none-logappend"))
	require.True(t, b.Attributes.LogAppendTime())
	require.Equal(t, int64(t0+12345), b.MaxTimestamp)
}

// Our encoder makes the very bytes that Java makes of the same records.
func TestJavaWritesWhatWeWrite(t *testing.T) {
	for _, name := range []string{"v2-none", "v2-none-transactional"} {
		data := golden(t, name)
		b := oneBatch(t, data)
		records, err := b.Open(nil, 0)
		require.NoError(t, err)
		var body []byte
		var r Record
		for records.Next(&r) {
			body = Append(body, r.Timestamp-b.BaseTimestamp, int32(r.Offset-b.BaseOffset), &r)
		}
		require.NoError(t, records.Err())
		require.Equal(t, data, sealed(t, nil, b.BatchHeader, body))
	}
}

func TestJavaMarkers(t *testing.T) {
	for name, want := range map[string]MarkerType{"v2-commit": MarkerCommit, "v2-abort": MarkerAbort} {
		b := oneBatch(t, golden(t, name))
		require.NoError(t, b.Verify())
		require.True(t, b.Attributes.Control())
		m, err := b.Marker()
		require.NoError(t, err)
		require.Equal(t, Marker{Type: want, CoordinatorEpoch: 12, Offset: 1000, Timestamp: t0}, m)
		require.Equal(t, int64(4711), b.ProducerID)
	}
}

// What compaction leaves of a batch whose records are all gone still moves the
// reader on.
func TestJavaEmptyBatch(t *testing.T) {
	data := golden(t, "v2-empty")
	got, err := readAll(nil, data)
	require.NoError(t, err)
	require.Empty(t, got)
	b := oneBatch(t, data)
	require.Equal(t, int64(1007), b.NextOffset())
	require.Zero(t, b.Count)
}
