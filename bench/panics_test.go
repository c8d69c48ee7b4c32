package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOneDeathIsNoSurvival(t *testing.T) {
	o := outcome{client: moldauClient(), runs: []*measurement{{AckedAfter: 14}, {AckedAfter: 12}}}
	require.Equal(t, "| moldau | yes | 12 |\n", panicLine(&o))
	o.runs = append(o.runs, &measurement{Died: true})
	require.Equal(t, "| moldau | no | 0 |\n", panicLine(&o))
	o.runs, o.why = append(o.runs, nil), "lost"
	require.Equal(t, "| moldau | failed: lost | – |\n", panicLine(&o))
}

func TestClientsWithCallbacksTakePart(t *testing.T) {
	require.True(t, franzClient().takesCalls())
	require.False(t, saramaClient().takesCalls())
	require.False(t, parsed(t, "-rows", "panic,failover,beside").needsBroker())
}
