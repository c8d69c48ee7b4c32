package simulator

import (
	"errors"
	"fmt"
	"os"
	"strconv"
)

// The environment variables that Explore reads.
const (
	// EnvSeed runs one seed alone, with its whole trace: the replay of a failure.
	EnvSeed = "MOLDAU_SEED"
	// EnvSeeds replaces the number of seeds.
	EnvSeeds = "MOLDAU_SEEDS"
	// EnvFirst replaces the first seed, to look where nobody has looked before.
	EnvFirst = "MOLDAU_SEED_FIRST"
	// EnvSoak, when it is not empty or 0, chooses Seeds.Soak.
	EnvSoak = "MOLDAU_SOAK"
)

// Seeds says how many runs Explore makes.
type Seeds struct {
	// Count is the number of seeds in an ordinary test run. 0 means 100.
	Count int
	// Soak is the number in a soak run. 0 means 100 times Count.
	Soak int
	// First is the first seed; the others follow it.
	First uint64
}

// T is what Explore needs of a *testing.T.
type T interface {
	Helper()
	Name() string
	Logf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Scenario builds one world for a seed and runs it.
type Scenario func(w *World) (Result, error)

// Play is the usual Scenario: build adds nodes, faults and invariants, then the
// world runs to its end.
func Play(build func(w *World)) Scenario {
	return func(w *World) (Result, error) {
		build(w)
		return w.Run()
	}
}

// Explore runs a scenario once for each seed and fails the test at the first that
// violates an invariant, with the report and the command that replays it. The
// first seed and one that fails run twice: if their traces differ, the core
// depends on more than its input, and the test says so. Totals are logged in a
// line that begins with "soak:".
//
// The environment decides over the counts: see EnvSeed, EnvSeeds, EnvFirst and
// EnvSoak. A value that is not a number fails the test.
func Explore(t T, seeds Seeds, config Config, scenario Scenario) {
	t.Helper()
	plan, err := planFrom(os.Getenv, seeds)
	if err != nil {
		t.Fatalf("%v", err)
		return
	}
	config.KeepTrace = config.KeepTrace || plan.replay
	var total Result
	for i := range plan.count {
		seed := plan.first + uint64(i)
		result, trace, failure := try(seed, config, scenario)
		if plan.replay {
			logTrace(t, trace)
		}
		if failure != nil {
			t.Fatalf("%s", failureReport(t.Name(), seed, config, scenario, failure))
			return
		}
		if i == 0 && !replays(seed, config, scenario, result.Hash) {
			t.Fatalf("seed %d: %s", seed, notDeterministic)
			return
		}
		total.add(result)
	}
	t.Logf("soak: %s: %d seeds, %d events, %s of virtual time, %d crashes, %d messages lost",
		t.Name(), plan.count, total.Steps, total.Elapsed, total.Crashes, total.Dropped)
}

func (r *Result) add(other Result) {
	r.Steps += other.Steps
	r.Elapsed += other.Elapsed
	r.Crashes += other.Crashes
	r.Dropped += other.Dropped
}

// plan is what the environment made of Seeds.
type plan struct {
	first  uint64
	count  int
	replay bool
}

func planFrom(getenv func(string) string, seeds Seeds) (plan, error) {
	if seeds.Count == 0 {
		seeds.Count = 100
	}
	if seeds.Soak == 0 {
		seeds.Soak = 100 * seeds.Count
	}
	p := plan{first: seeds.First, count: seeds.Count}
	if soak := getenv(EnvSoak); soak != "" && soak != "0" {
		p.count = seeds.Soak
	}
	count, err := number(getenv, EnvSeeds, uint64(p.count))
	if err != nil {
		return p, err
	}
	p.count = int(count)
	if p.first, err = number(getenv, EnvFirst, p.first); err != nil {
		return p, err
	}
	if getenv(EnvSeed) == "" {
		return p, nil
	}
	p.first, err = number(getenv, EnvSeed, 0)
	p.count, p.replay = 1, true
	return p, err
}

func number(getenv func(string) string, name string, otherwise uint64) (uint64, error) {
	text := getenv(name)
	if text == "" {
		return otherwise, nil
	}
	value, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s=%q is not a number: %w", name, text, err)
	}
	return value, nil
}

func try(seed uint64, config Config, scenario Scenario) (Result, []string, error) {
	w := New(seed, config)
	result, err := scenario(w)
	return result, w.Trace(), err
}

// notDeterministic is what to look for when a seed does not bring its run back.
const notDeterministic = "a second run of this seed went another way: a core or the scenario depends on more than its input " +
	"(a clock, the order of a map, a global, an address in String, or state shared between runs)"

// replays runs a seed again and compares.
func replays(seed uint64, config Config, scenario Scenario, hash uint64) bool {
	result, _, err := try(seed, config, scenario)
	return err == nil && result.Hash == hash
}

func failureReport(test string, seed uint64, config Config, scenario Scenario, failure error) string {
	report := fmt.Sprintf("seed %d: %v\nreplay it: %s=%d go test -count=1 -v -run '^%s$' (in this package)",
		seed, failure, EnvSeed, seed, test)
	_, _, again := try(seed, config, scenario)
	var first, second *Violation
	if errors.As(failure, &first) && (!errors.As(again, &second) || first.Hash != second.Hash) {
		report += "\n" + notDeterministic
	}
	return report
}

func logTrace(t T, lines []string) {
	t.Helper()
	for _, text := range lines {
		t.Logf("%s", text)
	}
}
