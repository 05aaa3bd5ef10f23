# netdash: how it is built, run and checked. `make` alone lists the targets.

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS   += --no-print-directory
.DEFAULT_GOAL := help
.NOTPARALLEL:

# What may be set from outside.
ARGS        ?=
VERSION     ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# Debian's own kernel in QEMU, for what the machine's kernel lacks.
STOCK_KERNEL ?= ../shared/stock-kernel/boot
# Every case of every test takes twelve minutes there.
SHORT ?= -test.short
# 1: a kernel test that cannot run here fails instead of being skipped.
NETDASH_REQUIRE_KERNEL ?= 1
PKG         ?= ./...
FUZZTIME    ?= 30s
SOAK        ?= 30m

# The file's name carries the version: a new pin installs itself.
GOLANGCI_LINT_VERSION := v2.15.0
LINT := .bin/golangci-lint-$(GOLANGCI_LINT_VERSION)

LDFLAGS := -s -w -X main.version=$(VERSION)
BUILD   := go build -trimpath -buildvcs=false
# No libc at run time: Go's own resolver and user lookup, no dlopen in SQLite.
STATIC_TAGS := netgo,osusergo,sqlite_omit_load_extension

##@ Use

help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	     /^[a-z-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

run: build ## Build and run `netdash serve`; flags in ARGS="…" or NETDASH_…
	exec ./bin/netdash serve $(ARGS)

build: ## Build ./bin/netdash
	@scripts/need build
	$(BUILD) -ldflags '$(LDFLAGS)' -o bin/netdash ./cmd/netdash

static: ## Build ./bin/netdash without shared libraries
	@scripts/need build
	CGO_ENABLED=1 $(BUILD) -tags $(STATIC_TAGS) \
	  -ldflags '$(LDFLAGS) -linkmode external -extldflags -static' -o bin/netdash ./cmd/netdash
	@if ldd bin/netdash 2>/dev/null | grep '=>'; then echo 'bin/netdash is not static' >&2; exit 1; fi

##@ Check

check: check-format check-modules vet lint check-web ## Format, modules, vet, lint, the page's own checks; no root needed

test: need-test check test-go test-web test-stock-kernel ## Set the machine up (root), then check and run every test

need-test:
	@scripts/need test

fmt: $(LINT) ## Rewrite the Go code as gofumpt wants it
	$(LINT) fmt

check-format: $(LINT)
	@$(LINT) fmt --diff || { echo 'not formatted: run make fmt' >&2; exit 1; }

check-modules:
	go mod tidy -diff
	go mod verify

vet:
	go vet ./...

lint: $(LINT) ## golangci-lint, with the fences between the packages
	$(LINT) run ./...

check-web: web/node_modules/.package-lock.json ## Types of the page's JavaScript, checksums of its libraries
	npm --prefix web run --silent check

test-go: ## The Go tests: kernel, API, headless Chromium; PKG=./internal/store for some
	NETDASH_REQUIRE_KERNEL=$(NETDASH_REQUIRE_KERNEL) go test -race -count=1 -timeout=40m $(PKG)

test-web: web/node_modules/.package-lock.json ## The page's unit tests
	npm --prefix web test --silent

pictures: ## Take the pictures of docs/how-frames-travel.md anew (root)
	NETDASH_REQUIRE_KERNEL=$(NETDASH_REQUIRE_KERNEL) NETDASH_PICTURES=$(CURDIR)/docs/images go test -count=1 -run='^TestBrowserLesson$$' ./internal/e2e

test-stock-kernel: ## The kernel tests of netops on Debian's stock kernel, emulated; SHORT= for all of their cases
	@scripts/stock-kernel $(STOCK_KERNEL) $(SHORT)

fuzz: ## Run every fuzz test for FUZZTIME
	@scripts/fuzz $(FUZZTIME)

# Each of its requests and waits has a limit of its own.
soak: ## Everything at once for SOAK=30m: nothing may leak, nor disagree with ip (root); two minutes of it are in test
	NETDASH_REQUIRE_KERNEL=$(NETDASH_REQUIRE_KERNEL) NETDASH_SOAK=$(SOAK) go test -v -count=1 -timeout=0 -run='^TestSoak$$' ./internal/e2e

bench: build ## Measure (root); docs/benchmarks.md has the figures
	@scripts/need bench
	go run ./internal/bench $(ARGS)

bench-ui: build ## Measure the page alone, in a headless Chromium
	@scripts/need bench
	go run ./internal/bench -only page $(ARGS)

docker-check: ## Run the Dockerfile's steps in an empty chroot (root)
	@scripts/need docker-check
	scripts/dockerfile-check

##@ Keep

vendor: web/node_modules/.package-lock.json ## Copy the page's libraries from npm into web/static/vendor
	npm --prefix web run vendor

bundle: web/node_modules/.package-lock.json ## Put the page's modules into the one file it loads
	npm --prefix web run bundle

clean: ## Remove what was built
	rm -rf bin .bin web/node_modules

$(LINT):
	@mkdir -p .bin
	GOBIN=$(CURDIR)/.bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	@mv .bin/golangci-lint $@

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	npm --prefix web ci --ignore-scripts --no-audit --no-fund
	@touch $@

.PHONY: help run build static check test need-test fmt check-format check-modules vet lint check-web \
        test-go test-web test-stock-kernel fuzz soak bench bench-ui pictures docker-check vendor bundle clean
