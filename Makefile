# `make` lists what there is. Everything works from a fresh clone with Go alone, but
# for test-kafka and test-env, which need a JDK, Maven and kcat.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

packages = $(shell scripts/packages)
summary  = | go run ./scripts/testsummary

# go vet runs in lint, not once more with every test.
GOTEST = go test -vet=off $(TESTFLAGS)

.PHONY: help build test race test-kafka fuzz soak bench microbench demo test-env lint proxy-check ci clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

build: ## compile every module; the command goes to bin/moldau
	go build $(packages)
	go build -o bin/moldau ./cmd/moldau

test: ## tests that need Go alone; TESTFLAGS adds flags
	$(GOTEST) -timeout 5m -json $(packages) $(summary)

race: ## the same under the race detector (needs a C compiler)
	@command -v "$$(go env CC)" >/dev/null || { echo "race: a C compiler is missing: the race detector needs one (Debian: apt-get install gcc libc6-dev)"; exit 1; }
	CGO_ENABLED=1 $(GOTEST) -race -timeout 15m -json $(packages) $(summary)

test-kafka: ## tests on real brokers; SUITE=consume|produce|lifecycle|consumer_group|auth|chaos|wire, all without
	scripts/test-kafka $(SUITE)

fuzz: ## fuzz every target; FUZZTIME=10m each
	scripts/fuzz $(or $(FUZZTIME),10m)

soak: ## tests with their full counts; SOAK=unit|kafka|race, all without; the outcome goes to docs/reliability.md
	SUITE=$(SUITE) scripts/soak $(SOAK)

bench: ## moldau beside other clients on a real broker; BENCH_FLAGS="-rounds 5 -records 5000000 -rows all"
	cd bench && go run . $(or $(BENCH_FLAGS),-quick)

microbench: ## Go benchmarks; BENCH=regexp, BENCHTIME=1s, COUNT=1
	$(GOTEST) -p 1 -run '^$$' -bench '$(or $(BENCH),.)' -benchtime $(or $(BENCHTIME),1s) -count $(or $(COUNT),1) -benchmem $(packages) | grep -vE 'no test files|^ok |^PASS'

demo: ## the main job on an in-process broker; BROKERS=host:port takes a real one
	go run ./cmd/moldau demo $(if $(BROKERS),--brokers $(BROKERS))

test-env: ## a three-node cluster with every kind of listener, until Ctrl-C
	go run ./internal/kafkatest/cmd/test-env

lint: ## gofmt, go vet, staticcheck
	scripts/lint

proxy-check: ## go get and go install from a module proxy made of this checkout
	scripts/module-proxy-check

ci: ## everything that CI runs
	.ci/run

clean: ## remove what build and profilers left
	rm -rf bin
	find . -path ./.git -prune -o \( -name '*.test' -o -name '*.prof' -o -name '*.pprof' \) -type f -exec rm -f {} +
	find . -path '*/testdata/rapid' -type d -prune -exec rm -rf {} +
