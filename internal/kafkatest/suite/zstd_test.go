package suite

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/wire"
)

// A broker that does not know zstd is not sent any (KIP-110): it would take the
// batch for one that it cannot read.
func TestZstdForABrokerThatHasNone(t *testing.T) {
	bubble(t, map[string]int32{"orders": 1}, func(b *bubbled) {
		seen := &producedOnce{}
		b.watchProduce(seen)
		client := b.start(moldau.Config{Pins: map[int16]int16{0: 6}, Produce: moldau.ProduceConfig{Codec: moldau.Zstd}})
		pending := client.Topic("orders").ProduceAll(b.t.Context(), texts(0, 1000))
		err := pending.Wait(b.t.Context())
		require.ErrorIs(b.t, err, wire.ErrUnsupportedVersion)
		require.ErrorContains(b.t, err, "zstd")
		require.Zero(b.t, seen.count())
		_, err = client.Topic("orders").ProduceSync(b.t.Context(), text("small enough to go as it is"))
		require.NoError(b.t, err)
	})
}
