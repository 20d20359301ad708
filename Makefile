# `make` lists what there is; `make test` is what CI runs.
#
# Go brings its own tools (see the tool lines of go.mod). `make test` installs
# what else it needs where it may (root, Debian), and says what it skipped.

SHELL := /usr/bin/env bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# A Node of our own, where the system's is too old (see .ci/prepare).
export PATH := $(CURDIR)/bin/node/node_modules/node/bin:$(PATH)

# Leave out what nobody uses of the libraries: MessagePack in gin, the traces that
# gRPC keeps for a page of its own. The binary is 6 MB smaller.
TAGS := nomsgpack,grpcnotrace

GO_FILES = $$(git ls-files --cached --others --exclude-standard -- '*.go')

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build bin/tidings; the page is built in already
	go build -trimpath -tags "$(TAGS)" -o bin/tidings .

.PHONY: test
test: ## Run everything that CI runs, and say what was skipped
	@.ci/test

.PHONY: prepare
prepare: ## Install what the checks need, where that is allowed
	@.ci/prepare

.PHONY: unit
unit: ## Run the Go tests with the race detector
	@.ci/unit

.PHONY: lint
lint: lint-format lint-vet lint-static lint-types lint-dead ## Run all linters

.PHONY: format
format: ## Format the Go code
	go tool gofumpt -w $(GO_FILES)

.PHONY: lint-format
lint-format: # gofumpt: one way to write it
	@unformatted=$$(go tool gofumpt -l $(GO_FILES)); \
	if [ -n "$$unformatted" ]; then echo "not formatted (make format):"; echo "$$unformatted"; exit 1; fi

.PHONY: lint-vet
lint-vet: # what the compiler lets through
	go vet ./...
	cd bench/peers/centrifuge && go vet .

.PHONY: lint-static
lint-static: # staticcheck; staticcheck.conf has the exceptions with their reasons
	go tool staticcheck ./...

# errorlint: errors are wrapped, compared and asserted so that wrapping works.
# bodyclose: bodies of answers are closed. contextcheck: a caller's context is passed
# on; an exception is written where it is: //nolint:contextcheck and the reason.
.PHONY: lint-types
lint-types: # the three at once (guard/lint); PACKAGES=./feed for one package
	go build -o bin/lint ./guard/lint
	go vet -vettool="$(CURDIR)/bin/lint" $(or $(PACKAGES),./...)

# A function that only tests reach belongs to the tests.
.PHONY: lint-dead
lint-dead: # deadcode: what the commands never call
	@dead=$$(go tool deadcode -tags "$(TAGS)" .); \
	if [ -n "$$dead" ]; then echo "never called:"; echo "$$dead"; exit 1; fi

.PHONY: mutate
mutate: ## Change the core's code at random and list what no test notices; ARGS="-n 20 -seed 3 query feed"
	nice -n 10 go run ./guard/mutate $(ARGS)

.PHONY: release
release: web-install ## Build a release into bin/release, twice, with its bills of materials; VERSION=v1.2.0
	go run ./deploy/release -version "$(VERSION)" -tags "$(TAGS)"

.PHONY: vulnerabilities
vulnerabilities: ## Look for known vulnerabilities (needs the network, or GOVULNDB)
	@.ci/vulnerabilities

.PHONY: web
web: web-install web-check web-build ## Install, check and build the page

.PHONY: web-install
web-install:
	cd web && npm ci --no-audit --no-fund

.PHONY: web-check
web-check:
	cd web && npm run check

# The built page is in the repository, so that `go build` is all one needs.
.PHONY: web-build
web-build:
	cd web && npm run build
	@git diff --exit-code --stat -- web/dist || { echo "web/dist is not what the sources build: commit it"; exit 1; }
	@new=$$(git ls-files --others --exclude-standard -- web/dist); \
	if [ -n "$$new" ]; then echo "web/dist has new files: commit them"; echo "$$new"; exit 1; fi

# The same, and leaves what is there alone: Go tests may be compiling it in.
.PHONY: web-same
web-same:
	cd web && npx vite build --outDir ../bin/dist --emptyOutDir
	@diff -rq web/dist bin/dist || { echo "web/dist is not what the sources build: make web-build, and commit it"; exit 1; }

.PHONY: e2e
e2e: build ## Run the browser tests against bin/tidings
	cd web && TIDINGS_BIN="$(CURDIR)/bin/tidings" npm run test:e2e

.PHONY: bench
bench: build ## Measure this machine; flags in ARGS, such as ARGS="--events 100000"
	bin/tidings bench $(ARGS)

.PHONY: bench-peer
bench-peer: ## Build bin/centrifuge, which bench sockets and bench all compare with by --peer
	cd bench/peers/centrifuge && go build -trimpath -o "$(CURDIR)/bin/centrifuge" .

.PHONY: bench-all
bench-all: build ## Measure everything, with an Elasticsearch that is started for it; flags in ARGS, such as ARGS="--quick"
	go run ./store/elastic/elastictest/run bin/tidings bench all $(ARGS)

.PHONY: bench-elastic
bench-elastic: build ## Measure on an Elasticsearch that is started for it; flags in ARGS
	go run ./store/elastic/elastictest/run bin/tidings bench elastic $(ARGS)

.PHONY: clean
clean: ## Remove what was built
	rm -rf bin
