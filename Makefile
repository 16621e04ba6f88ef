# `make` tells what there is. It needs Go, git, make and access to Go modules: the tools below are installed into .bin, at
# these versions, and Postgres, Redis and what else the tests need from Debian's packages, as root or where sudo asks for no
# password (internal/testkit/servers).
GOLANGCI_LINT_VERSION := v2.15.0
GOTESTSUM_VERSION     := v1.13.0
GOVULNCHECK_VERSION   := v1.8.0

# The build takes its version from here, and asks git for nothing: it refuses a checkout of another user.
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

TOOLS         := $(CURDIR)/.bin
GOLANGCI_LINT := $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION)
GOTESTSUM     := $(TOOLS)/gotestsum-$(GOTESTSUM_VERSION)
GOVULNCHECK   := $(TOOLS)/govulncheck-$(GOVULNCHECK_VERSION)
SERVERS       := $(TOOLS)/servers

# What to test, and with which further flags: make test PACKAGES=./db/... FLAGS='-run TestLease -count=1'
PACKAGES ?= ./...
FLAGS    ?=

.DEFAULT_GOAL := help

.PHONY: help
help: ## tell what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/staffeln, and bin/staffeln-sim for trying it out
	CGO_ENABLED=0 go build -buildvcs=false -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/ ./cmd/staffeln ./cmd/staffeln-sim

.PHONY: demo
demo: servers build ## show in a terminal what Staffeln does, in about a minute; KEEP=1 leaves it running to play with
	@$(SERVERS) -- sh -c 'STAFFELN_DATABASE_URL="$$TEST_DATABASE_URL" STAFFELN_REDIS_URL="$$TEST_REDIS_URL" exec bin/staffeln-sim demo'

.PHONY: pictures
pictures: servers build ## draw the pictures in docs/images anew, from two runs of the demo in terminals
	$(call picture,120,36,(?s)worker-1 killed.*███░.*███░.*███░,The demo after a worker was killed,docs/images/demo-wide.svg)
	$(call picture,80,24,(?s)■●· ■.*removing incremental [0-9],The demo in 80 columns while chains expire,docs/images/demo-80.svg)

# Packages of pure decisions, and those that play the program one step at a time: the race detector makes them take six
# times as long, and what they run at the same time the others run with it.
STEPWISE := staffeln/backup staffeln/internal/chaos staffeln/internal/simulation

.PHONY: test
test: $(GOTESTSUM) servers ## run all tests, those of what runs at the same time with the race detector; PACKAGES= and FLAGS= narrow them
	go vet $(PACKAGES)
	$(eval chosen := $(shell go list $(PACKAGES)))
	$(if $(filter $(STEPWISE),$(chosen)),$(SERVERS) -- $(GOTESTSUM) --format pkgname -- -timeout 25m $(FLAGS) $(filter $(STEPWISE),$(chosen)))
	$(if $(filter-out $(STEPWISE),$(chosen)),$(SERVERS) -- $(GOTESTSUM) --format pkgname -- -race -parallel 6 -timeout 25m $(FLAGS) $(filter-out $(STEPWISE),$(chosen)))

.PHONY: test-browser
test-browser: $(GOTESTSUM) servers ## run the suites that look at our pages in a Chromium; BROWSER_PICTURES= keeps what it saw
	$(SERVERS) -- $(GOTESTSUM) --format standard-verbose -- -tags browser -run InBrowser -count=1 -timeout 20m $(FLAGS) ./internal/e2e/browser

.PHONY: test-faults
test-faults: $(GOTESTSUM) servers ## run the real processes under faults; FLAGS='-seed N' repeats what chance decided
	$(SERVERS) -- $(GOTESTSUM) --format standard-verbose -- -tags faults -run UnderFaults -parallel 8 -count=1 -timeout 25m ./internal/e2e/faults $(FLAGS)

# Which part of the crash points: PART=2/4 is the second of four; all by default.
PART ?= 1/1

.PHONY: test-crashes
test-crashes: $(GOTESTSUM) servers ## kill the real processes at every point where they call the outside, and start them again; PART=2/4 takes a part
	CRASH_PART=$(PART) $(SERVERS) -- $(GOTESTSUM) --format standard-verbose -- -tags faults -run TestEveryCrashPoint -count=1 -timeout 40m $(FLAGS) ./internal/e2e/crash

# How many random schedules, from which seed on; SEED=N replays one of them with its whole trace.
SEEDS ?= 10000
FIRST ?= 1
SEED  ?= 0

.PHONY: chaos
chaos: servers ## run the whole program through SEEDS random schedules (10000); SEED=N replays one, with its whole trace
	$(SERVERS) -- go test -run TestRandomSchedules -count=1 -timeout 4h -v ./internal/chaos -args -seeds $(SEEDS) -first $(FIRST) -seed $(SEED)

.PHONY: test-openstack
test-openstack: $(GOTESTSUM) servers need-cloud ## run the suites for a real cloud, given by OS_* or OS_CLOUD
	$(SERVERS) -- $(GOTESTSUM) --format standard-verbose -- -tags openstack,browser -run OnOpenStack -count=1 -p 1 -timeout 60m $(FLAGS) ./openstack/... ./internal/e2e/lab

.PHONY: test-contract
test-contract: $(GOTESTSUM) need-cloud ## hold a real cloud, given by OS_* or OS_CLOUD, to what the client relies on
	$(GOTESTSUM) --format standard-verbose -- -tags openstack -run OnOpenStack -count=1 -timeout 30m $(FLAGS) ./openstack

.PHONY: need-cloud
need-cloud:
	@if [ -z "$$OS_AUTH_URL$$OS_CLOUD" ]; then \
		echo 'this needs a cloud: source its openrc (OS_AUTH_URL, OS_USERNAME, ...) or set OS_CLOUD' >&2; exit 1; fi

.PHONY: bench
bench: servers ## run the benchmarks
	$(SERVERS) -- go test -run '^$$' -bench . -benchmem -timeout 25m $(FLAGS) $(PACKAGES)

.PHONY: bench-check
bench-check: servers ## measure the delete check on one core, with a thousand records and a million
	$(SERVERS) -- go test -run '^$$' -bench BenchmarkDeleteCheck -benchtime 10000x -timeout 25m $(FLAGS) ./internal/e2e/process

.PHONY: lint
lint: $(GOLANGCI_LINT) ## run the linter (.golangci.yml)
	$(GOLANGCI_LINT) config verify
	$(GOLANGCI_LINT) run $(PACKAGES)

.PHONY: fmt
fmt: $(GOLANGCI_LINT) ## format the code as the linter wants it
	$(GOLANGCI_LINT) fmt

.PHONY: generate
generate: ## make generated files anew
	go generate ./...

# Compares files, not commits, so that it also tells the truth about a tree with uncommitted work.
.PHONY: check-generated
check-generated: ## fail when a generated file is not current
	@before=$$(mktemp) after=$$(mktemp); trap 'rm -f "$$before" "$$after"' EXIT; \
	sums() { git ls-files -z --cached --others --exclude-standard | xargs -0 sha256sum 2>/dev/null | sort; }; \
	sums >"$$before"; $(MAKE) --no-print-directory generate; sums >"$$after"; \
	if ! cmp -s "$$before" "$$after"; then \
		echo 'not current (they are now: look at them, then commit):' >&2; \
		comm -13 "$$before" "$$after" | cut -c67- >&2; exit 1; fi; \
	echo 'generated files are current'

.PHONY: vulncheck
vulncheck: $(GOVULNCHECK) ## look for known vulnerabilities in what we link
	@out=$$($(GOVULNCHECK) ./... 2>&1); code=$$?; printf '%s\n' "$$out"; \
	if [ $$code -eq 1 ] && printf '%s' "$$out" | grep -q 'fetching vulnerabilities'; then \
		echo 'NOT CHECKED: the vulnerability database cannot be reached from here' >&2; fi; exit $$code

.PHONY: size
size: ## count lines of Go of product, simulation and test support, without blank lines and comments
	@git ls-files -z --cached --others --exclude-standard '*.go' | xargs -0 ls 2>/dev/null | xargs awk -f .ci/size.awk | LC_ALL=C sort

.PHONY: clean
clean: ## remove what was built, tools included
	rm -rf bin .bin

.PHONY: servers
servers:
	@go build -buildvcs=false -o $(SERVERS) ./internal/testkit/servers

# A tool's file carries its version: another version is another file.
$(GOLANGCI_LINT):
	$(call install,github.com/golangci/golangci-lint/v2/cmd/golangci-lint,$(GOLANGCI_LINT_VERSION))
$(GOTESTSUM):
	$(call install,gotest.tools/gotestsum,$(GOTESTSUM_VERSION))
$(GOVULNCHECK):
	$(call install,golang.org/x/vuln/cmd/govulncheck,$(GOVULNCHECK_VERSION))

# columns, rows, what the page must show, title, file
define picture
@$(SERVERS) -- sh -c 'STAFFELN_DATABASE_URL="$$TEST_DATABASE_URL" STAFFELN_REDIS_URL="$$TEST_REDIS_URL" \
	exec script -qec "stty columns $(1) rows $(2); exec bin/staffeln-sim demo" /dev/null' | \
	go run ./internal/testkit/picture -at '$(3)' -title '$(4)' >$(5)
endef

define install
@echo 'installing $(1)@$(2)'
@mkdir -p $(TOOLS)
@GOBIN=$(TOOLS) GOFLAGS=-buildvcs=false go install $(1)@$(2) 2>&1 | grep -v '^go: downloading' || true
@mv $(TOOLS)/$(notdir $(1)) $@
endef
