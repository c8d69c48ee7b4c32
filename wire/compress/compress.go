// Package compress holds the codecs that Kafka batches are compressed with.
//
// A Registry maps Kafka's codec ids to codecs. NewRegistry knows gzip, snappy,
// lz4 and zstd; a program may replace each of them or add one of its own. Every
// decompression is capped: a few hostile bytes cannot make the process allocate
// without bound.
package compress

import "strconv"

// Type is a Kafka codec id: the lowest three bits of a batch's attributes.
// The zero value is None.
type Type int8

// Kafka's codec ids. Zstd needs brokers from 2.1 on (KIP-110).
const (
	None   Type = 0
	Gzip   Type = 1
	Snappy Type = 2
	LZ4    Type = 3
	Zstd   Type = 4
)

// maxType is the highest id that fits the three bits of the attributes.
const maxType Type = 7

// DefaultMax is the cap on decompressed bytes that a max of 0 stands for: 128 MiB.
const DefaultMax = 128 << 20

// maxMax is the highest cap: 1 GiB. Sizes stay far from the end of an int.
const maxMax = 1 << 30

// String gives the name that Kafka's compression.type uses.
func (t Type) String() string {
	switch t {
	case None:
		return "none"
	case Gzip:
		return "gzip"
	case Snappy:
		return "snappy"
	case LZ4:
		return "lz4"
	case Zstd:
		return "zstd"
	}
	return "codec " + strconv.Itoa(int(t))
}

// Codec compresses and decompresses whole blocks. An implementation must be safe
// for concurrent use and must keep neither dst nor src.
type Codec interface {
	// Compress appends the compressed form of src to dst and returns the extended
	// slice. The level 0 is the codec's default; what other levels mean is the
	// codec's business, and one that it does not have is moved to its nearest.
	Compress(dst, src []byte, level int) ([]byte, error)

	// Decompress appends the decompressed form of src to dst and returns the
	// extended slice. It appends at most max bytes, and fails with an error that
	// is ErrTooLarge when there are more; max is between 1 and 1 GiB. It allocates in
	// proportion to max at worst, whatever src claims.
	Decompress(dst, src []byte, max int) ([]byte, error)
}

// LegacyCodec is what a codec implements when message format v0 (brokers before
// 0.10) wants other bytes than later formats do. LZ4 does: see KIP-57.
type LegacyCodec interface {
	Codec
	// CompressLegacy is Compress for a wrapper message of format v0.
	CompressLegacy(dst, src []byte, level int) ([]byte, error)
}
