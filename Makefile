# `make` lists the targets. It needs Go, git, make and access to Go modules: the tools below are installed into .bin, at
# these versions, and Postgres, Redis and what else the tests need from Debian's packages, as root or where sudo asks for no
# password (internal/testkit/servers).
GOLANGCI_LINT_VERSION    := v2.15.0
GOTESTSUM_VERSION        := v1.13.0
GOVULNCHECK_VERSION      := v1.8.0
HELM_VERSION             := v3.22.0
KUBECTL_VALIDATE_VERSION := v0.0.4
NFPM_VERSION             := v2.45.2
CYCLONEDX_VERSION        := v1.9.0

# The build takes its version from here, and asks git for nothing: it refuses a checkout of another user.
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

TOOLS            := $(CURDIR)/.bin
GOLANGCI_LINT    := $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION)
GOTESTSUM        := $(TOOLS)/gotestsum-$(GOTESTSUM_VERSION)
GOVULNCHECK      := $(TOOLS)/govulncheck-$(GOVULNCHECK_VERSION)
HELM             := $(TOOLS)/helm-$(HELM_VERSION)
KUBECTL_VALIDATE := $(TOOLS)/kubectl-validate-$(KUBECTL_VALIDATE_VERSION)
NFPM             := $(TOOLS)/nfpm-$(NFPM_VERSION)
CYCLONEDX        := $(TOOLS)/cyclonedx-gomod-$(CYCLONEDX_VERSION)
SERVERS          := $(TOOLS)/servers

# The packages of both modules (go.work).
ALL := ./... ./internal/e2e/...

# What to test, and with which further flags: make test PACKAGES=./db/... FLAGS='-run TestLease -count=1'
PACKAGES ?= $(ALL)
FLAGS    ?=

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/staffeln, and bin/staffeln-sim for trying it out
	CGO_ENABLED=0 go build -buildvcs=false -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/ ./cmd/staffeln ./cmd/staffeln-sim

# A version of Debian begins with a digit: that of a tag, else 0~ and the commit.
DEB_VERSION := $(or $(shell echo '$(VERSION)' | sed -n 's/^v\([0-9]\)/\1/p'),0~$(VERSION))

.PHONY: deb
deb: build $(NFPM) ## build the Debian package of bin/staffeln, its units and its configuration, into bin/
	rm -rf bin/deb && mkdir -p bin/deb
	cp deploy/systemd/*.service bin/deb/ && sed -i 's,/usr/local/bin/,/usr/bin/,' bin/deb/*.service
	cat .env.example deploy/systemd.env >bin/deb/staffeln.env
	DEB_VERSION='$(DEB_VERSION)' DEB_ARCH=$(shell go env GOARCH) $(NFPM) package --config deploy/nfpm.yaml --packager deb --target bin/

.PHONY: sbom
sbom: build $(CYCLONEDX) ## list what is linked into bin/staffeln, as a CycloneDX SBOM: bin/staffeln.cdx.json
	$(CYCLONEDX) bin -json -version '$(VERSION)' -output bin/staffeln.cdx.json bin/staffeln

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

# The packages of both modules are sorted: short ones follow the long ones of internal/e2e, and fill the time until those end.
.PHONY: test
test: $(GOTESTSUM) $(if $(filter ./internal/e2e/... ./internal/e2e/deploy%,$(PACKAGES)),tools) servers ## run all tests, those of what runs at the same time with the race detector; PACKAGES= and FLAGS= narrow them
	go vet $(PACKAGES)
	$(eval chosen := $(sort $(shell go list $(PACKAGES))))
	$(if $(filter $(STEPWISE),$(chosen)),$(SERVERS) -- $(GOTESTSUM) --format pkgname -- -timeout 25m $(FLAGS) $(filter $(STEPWISE),$(chosen)))
	$(if $(filter-out $(STEPWISE),$(chosen)),$(SERVERS) -- $(GOTESTSUM) --format pkgname -- -race -parallel 6 -timeout 40m $(FLAGS) $(filter-out $(STEPWISE),$(chosen)))

.PHONY: test-browser
test-browser: $(GOTESTSUM) servers ## run the suites that check our pages in a Chromium; BROWSER_PICTURES= keeps the screenshots
	$(SERVERS) -- $(GOTESTSUM) --format standard-verbose -- -tags browser -run InBrowser -count=1 -timeout 20m $(FLAGS) ./internal/e2e/browser

.PHONY: test-faults
test-faults: $(GOTESTSUM) servers ## run the real processes under faults; FLAGS='-seed N' repeats what chance decided
	$(SERVERS) -- $(GOTESTSUM) --format standard-verbose -- -tags faults -run UnderFaults -parallel 8 -count=1 -timeout 25m ./internal/e2e/faults $(FLAGS)

# Which part of the crash points: PART=2/4 is the second of four; all by default.
PART ?= 1/1

.PHONY: test-crashes
test-crashes: $(GOTESTSUM) servers ## kill the real processes at every call to another service, and start them again; PART=2/4 takes a part
	CRASH_PART=$(PART) $(SERVERS) -- $(GOTESTSUM) --format standard-verbose -- -tags faults -run TestEveryCrashPoint -count=1 -timeout 40m $(FLAGS) ./internal/e2e/crash

# How many random schedules, from which seed on; SEED=N replays one of them with its whole trace.
SEEDS ?= 10000
FIRST ?= 1
SEED  ?= 0

.PHONY: chaos
chaos: servers ## run the whole program through SEEDS random schedules (10000); SEED=N replays one, with its whole trace
	$(SERVERS) -- go test -run TestRandomSchedules -count=1 -timeout 4h -v ./internal/chaos -args -seeds $(SEEDS) -first $(FIRST) -seed $(SEED)

.PHONY: test-containers
test-containers: ## build the image and run docker-compose.yml in the container engine of this machine, which needs nothing from a network but base images
	go test -tags containers -run InContainers -count=1 -timeout 25m -v $(FLAGS) ./internal/e2e/containers

.PHONY: test-openstack
test-openstack: $(GOTESTSUM) servers need-cloud ## run the suites for a real cloud, given by OS_* or OS_CLOUD
	$(SERVERS) -- $(GOTESTSUM) --format standard-verbose -- -tags openstack,browser -run OnOpenStack -count=1 -p 1 -timeout 60m $(FLAGS) ./openstack/... ./internal/e2e/lab

.PHONY: test-contract
test-contract: $(GOTESTSUM) need-cloud ## check that a real cloud, given by OS_* or OS_CLOUD, does what the client relies on
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

.PHONY: tidy
tidy: ## correct go.mod and go.sum of both modules
	go mod tidy
	cd internal/e2e && go mod tidy

.PHONY: generate
generate: manifest ## make generated files anew
	go generate $(ALL)

.PHONY: manifest
manifest: $(HELM) ## render the default of the Helm chart as deploy/kubernetes/staffeln.yaml, for use without Helm
	cp deploy/prometheus/staffeln.rules.yml deploy/grafana/staffeln.json deploy/helm/staffeln/files/ # a chart has no file from outside its folder
	$(HELM) template staffeln deploy/helm/staffeln --namespace staffeln --kube-version 1.31.0 --set withoutHelm=true >.bin/manifest
	@mv .bin/manifest deploy/kubernetes/staffeln.yaml

# Compares files, not commits, so that it is also right in a tree with uncommitted work.
.PHONY: check-generated
check-generated: ## fail when a generated file is not current
	@before=$$(mktemp) after=$$(mktemp); trap 'rm -f "$$before" "$$after"' EXIT; \
	sums() { git ls-files -z --cached --others --exclude-standard | xargs -0 sha256sum 2>/dev/null | sort; }; \
	sums >"$$before"; $(MAKE) --no-print-directory generate || exit 1; sums >"$$after"; \
	if ! cmp -s "$$before" "$$after"; then \
		echo 'not current (they are now: review them, then commit):' >&2; \
		comm -13 "$$before" "$$after" | cut -c67- >&2; exit 1; fi; \
	echo 'generated files are current'

.PHONY: vulncheck
vulncheck: $(GOVULNCHECK) ## check what we link for known vulnerabilities
	@out=$$($(GOVULNCHECK) $(ALL) 2>&1); code=$$?; printf '%s\n' "$$out"; \
	if [ $$code -eq 1 ] && printf '%s' "$$out" | grep -q 'fetching vulnerabilities'; then \
		echo 'NOT CHECKED: the vulnerability database cannot be reached from here' >&2; fi; exit $$code

.PHONY: size
size: ## count lines of Go of product, simulation and test support, without blank lines and comments
	@git ls-files -z --cached --others --exclude-standard '*.go' | xargs -0 ls 2>/dev/null | xargs awk -f .ci/size.awk | LC_ALL=C sort

.PHONY: clean
clean: ## remove what was built, tools included
	rm -rf bin .bin

.PHONY: tools
tools: $(HELM) $(KUBECTL_VALIDATE) ## install what the tests of the Helm chart run

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
$(NFPM):
	$(call install,github.com/goreleaser/nfpm/v2/cmd/nfpm,$(NFPM_VERSION))
$(CYCLONEDX):
	$(call install,github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod,$(CYCLONEDX_VERSION))
$(HELM):
	$(call install,helm.sh/helm/v3/cmd/helm,$(HELM_VERSION))
$(KUBECTL_VALIDATE):
	$(call install,sigs.k8s.io/kubectl-validate,$(KUBECTL_VALIDATE_VERSION))

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
