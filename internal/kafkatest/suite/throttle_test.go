package suite

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/telemetry"
	"github.com/moldau-go/moldau/wire"
)

// throttleOnce lets the next Produce request be acked with the wish to wait.
func throttleOnce(b *bubbled, wait time.Duration) {
	b.fake.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		resp := answerAll(req.(*kmsg.ProduceRequest), wire.None)
		resp.ThrottleMillis = int32(wait.Milliseconds())
		return resp, nil, true
	})
}

// A broker that throttles produce gets no Produce request meanwhile, and
// everything else goes on: a look at the cluster, an offset, a fetch.
func TestAThrottleHoldsUpNothingElse(t *testing.T) {
	bubble(t, map[string]int32{"orders": 2}, func(b *bubbled) {
		const throttle = 3 * time.Second
		seen := &events{}
		client := b.start(moldau.Config{Telemetry: seen, Produce: moldau.ProduceConfig{Idempotence: moldau.IdempotenceOff}})
		orders := client.Topic("orders")
		_, err := orders.By(moldau.On(1)).ProduceSync(b.t.Context(), text("there"))
		require.NoError(b.t, err)
		throttleOnce(b, throttle)
		_, err = orders.By(moldau.On(0)).ProduceSync(b.t.Context(), text("x"))
		require.NoError(b.t, err, "what was throttled is acked")
		begun := time.Now()
		var waiting []moldau.Pending
		for p := range int32(2) {
			waiting = append(waiting, orders.By(moldau.On(p)).Produce(b.t.Context(), text("y")))
		}
		for range 10 {
			asked := time.Now()
			_, err = client.Metadata(b.t.Context(), "orders")
			require.NoError(b.t, err)
			_, err = client.Offset(b.t.Context(), "orders", 1, moldau.Latest)
			require.NoError(b.t, err)
			_, _, err = client.Fetch(b.t.Context(), "orders", 1, 0, moldau.FetchOptions{})
			require.NoError(b.t, err)
			require.Less(b.t, time.Since(asked), 5*time.Millisecond)
			time.Sleep(100 * time.Millisecond)
		}
		for _, p := range waiting {
			_, err = p.Wait(b.t.Context())
			require.NoError(b.t, err)
			require.Equal(b.t, throttle, time.Since(begun), "no sooner, and no later")
		}
		require.Equal(b.t, 1, seen.count(func(e telemetry.Event) bool {
			throttled, ok := e.(telemetry.ProduceThrottled)
			return ok && throttled.Throttle == throttle
		}))
	})
}

// A throttle that is longer than a record's time does not keep it: it fails when
// its time is over, as surely not written.
func TestAThrottleDoesNotOutlastTheDeliveryTimeout(t *testing.T) {
	bubble(t, map[string]int32{"orders": 1}, func(b *bubbled) {
		orders := b.start(moldau.Config{Produce: moldau.ProduceConfig{DeliveryTimeout: 10 * time.Second}}).Topic("orders")
		throttleOnce(b, time.Minute)
		_, err := orders.ProduceSync(b.t.Context(), text("x"))
		require.NoError(b.t, err)
		begun := time.Now()
		_, err = orders.ProduceSync(b.t.Context(), text("y"))
		require.ErrorIs(b.t, err, wire.ErrTimeout)
		require.NotErrorIs(b.t, err, wire.ErrUnsure)
		require.ErrorContains(b.t, err, "throttles")
		require.Equal(b.t, 10*time.Second, time.Since(begun))
	})
}

// A partition whose replicas let the broker wait holds up the others once, in the
// request that they share; from then on it has requests of its own, until one is
// acked.
func TestASlowPartitionTravelsAlone(t *testing.T) {
	bubble(t, map[string]int32{"orders": 3}, func(b *bubbled) {
		const slow = 4 * time.Second
		ill, requests := true, [][]int32{}
		b.fake.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
			b.fake.KeepControl()
			produce := req.(*kmsg.ProduceRequest)
			var partitions []int32
			for _, p := range produce.Topics[0].Partitions {
				partitions = append(partitions, p.Partition)
			}
			slices.Sort(partitions)
			requests = append(requests, partitions)
			if !ill || !slices.Contains(partitions, 0) {
				return nil, nil, false
			}
			b.fake.SleepControl(func() { time.Sleep(slow) })
			resp := answerAll(produce, wire.None)
			for i := range resp.Topics[0].Partitions {
				if p := &resp.Topics[0].Partitions[i]; p.Partition == 0 {
					p.ErrorCode = int16(wire.RequestTimedOut)
				}
			}
			return resp, nil, true
		})
		orders := b.start(moldau.Config{}).Topic("orders")
		_, err := orders.By(moldau.On(1)).ProduceSync(b.t.Context(), text("warm"))
		require.NoError(b.t, err)
		stuck := orders.By(moldau.On(0)).Produce(b.t.Context(), text("stuck"))
		time.Sleep(slow + 200*time.Millisecond) // it has timed out once, and is on the wire again
		for range 20 {
			begun := time.Now()
			_, err := orders.By(moldau.On(1)).ProduceSync(b.t.Context(), text("well"))
			require.NoError(b.t, err)
			require.Less(b.t, time.Since(begun), 5*time.Millisecond)
			time.Sleep(500 * time.Millisecond)
		}
		ill = false
		_, err = stuck.Wait(b.t.Context())
		require.NoError(b.t, err)
		for _, partitions := range requests {
			require.True(b.t, len(partitions) == 1 || partitions[0] != 0, "%v", requests)
		}
	})
}
