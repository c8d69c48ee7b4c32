package simulator

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// recorder stands in for a *testing.T whose failure is expected.
type recorder struct {
	name  string
	fatal string
	logs  []string
}

func (r *recorder) Helper()      {}
func (r *recorder) Name() string { return r.name }
func (r *recorder) Logf(format string, args ...any) {
	r.logs = append(r.logs, fmt.Sprintf(format, args...))
}
func (r *recorder) Fatalf(format string, args ...any) { r.fatal = fmt.Sprintf(format, args...) }

// exploreWith runs Explore under an environment of the test's own.
func exploreWith(t *testing.T, r *recorder, env map[string]string, seeds Seeds, config Config, scenario Scenario) {
	for _, name := range []string{EnvSeed, EnvSeeds, EnvFirst, EnvSoak} {
		t.Setenv(name, env[name])
	}
	Explore(r, seeds, config, scenario)
}

func TestSeedCounts(t *testing.T) {
	for name, c := range map[string]struct {
		env   map[string]string
		seeds Seeds
		want  plan
		err   string
	}{
		"defaults":       {want: plan{count: 100}},
		"own":            {seeds: Seeds{Count: 7, First: 3}, want: plan{first: 3, count: 7}},
		"soak by factor": {env: map[string]string{EnvSoak: "1"}, seeds: Seeds{Count: 7}, want: plan{count: 700}},
		"soak by count":  {env: map[string]string{EnvSoak: "1"}, seeds: Seeds{Soak: 9}, want: plan{count: 9}},
		"soak off":       {env: map[string]string{EnvSoak: "0"}, want: plan{count: 100}},
		"seeds":          {env: map[string]string{EnvSeeds: "5", EnvSoak: "1"}, want: plan{count: 5}},
		"first":          {env: map[string]string{EnvFirst: "1000"}, want: plan{first: 1000, count: 100}},
		"replay":         {env: map[string]string{EnvSeed: "17", EnvSeeds: "5"}, want: plan{first: 17, count: 1, replay: true}},
		"bad seed":       {env: map[string]string{EnvSeed: "x"}, err: `MOLDAU_SEED="x" is not a number`},
		"bad count":      {env: map[string]string{EnvSeeds: "-1"}, err: `MOLDAU_SEEDS="-1" is not a number`},
		"bad first":      {env: map[string]string{EnvFirst: "1e3"}, err: `MOLDAU_SEED_FIRST="1e3" is not a number`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := planFrom(func(name string) string { return c.env[name] }, c.seeds)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestExploreLogsItsTotals(t *testing.T) {
	r := &recorder{name: "TestX"}
	exploreWith(t, r, nil, Seeds{Count: 3}, Config{}, Play(func(w *World) { addNode(w, "n", quiet) }))
	require.Empty(t, r.fatal)
	require.Equal(t, []string{"soak: TestX: 3 seeds, 3 events, 0s of virtual time, 0 crashes, 0 messages lost"}, r.logs)
}

func TestExploreRefusesABadEnvironment(t *testing.T) {
	r := &recorder{}
	exploreWith(t, r, map[string]string{EnvSeeds: "many"}, Seeds{}, Config{}, nil)
	require.Contains(t, r.fatal, "MOLDAU_SEEDS")
}

// A scenario that depends on more than its seed is found out, whether it passes
// or fails.
func TestExploreFindsHiddenInput(t *testing.T) {
	for name, fails := range map[string]bool{"passing": false, "failing": true} {
		t.Run(name, func(t *testing.T) {
			runs := 0 // shared between runs: the hidden input
			r := &recorder{}
			exploreWith(t, r, nil, Seeds{Count: 3}, Config{}, Play(func(w *World) {
				runs++
				run := runs
				addNode(w, "n", func(Input) []Action { return []Action{Note{fmt.Sprint("run ", run)}} })
				w.Finally("holds", func() error {
					if fails {
						return errors.New("no")
					}
					return nil
				})
			}))
			require.Contains(t, r.fatal, notDeterministic)
		})
	}
}
