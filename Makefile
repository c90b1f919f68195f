# Every target works from a clean clone on a machine with Go and a C compiler.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo 0.0.0)
SEMVER  := 0.1.0
COMMIT  := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
LDFLAGS := -s -w
CORE_LD := $(LDFLAGS) -X github.com/go-magnum/magnum/cmd/internal/command.version=$(SEMVER) -X github.com/go-magnum/magnum/cmd/internal/command.commit=$(COMMIT)
DRV_LD  := $(LDFLAGS) -X main.version=$(SEMVER) -X main.commit=$(COMMIT)

COMMANDS := magnum-api magnum-conductor magnum-dev magnum-db-manage magnum-driver-manage magnum-status
DRIVERS  := k8s-fedora-atomic k8s-coreos k8s-coreos/k8s-fedora-coreos swarm swarm/swarm-standalone mesos
MODULES  := core plugins sdk sdk/k8s cmd drivers-k8s-fedora-atomic drivers-k8s-coreos drivers-swarm drivers-mesos
TOOLS    := golangci-lint buf protoc-gen-go protoc-gen-go-grpc

export CGO_ENABLED := 1
# gRPC's own tracing pages bring html/template, with which the linker must keep
# every exported method: a quarter of each executable, resident as well.
export GOFLAGS := $(GOFLAGS) -tags=grpcnotrace

.PHONY: build man demo test test-openstack test-wire chaos fuzz bench lint generate proto-baseline check clean

build: ## executables in bin/, one package folder for each driver in bin/drivers/
	@mkdir -p bin/drivers
	go build -ldflags '$(CORE_LD)' -o bin/ $(addprefix ./cmd/,$(COMMANDS))
	@for d in $(DRIVERS); do n=$${d##*/}; \
	  CGO_ENABLED=0 go build -ldflags '$(DRV_LD)' -o bin/magnum-driver-$$n ./drivers-$$d && \
	  rm -rf bin/drivers/$$n && bin/magnum-driver-manage package bin/magnum-driver-$$n bin/drivers/$$n && \
	  rm bin/magnum-driver-$$n; \
	done

man: build ## man pages into bin/man
	bin/magnum-driver-manage man bin/man

demo: build ## a cluster's whole life on the embedded cloud, on the terminal
	@bin/magnum-dev demo --drivers bin/drivers

test: build ## all tests of all modules, with the race detector
	@tools/test

test-openstack: build ## clusters of every type on a real OpenStack from Debian's packages (root)
	@tools/test-openstack

test-wire: ## recorded answers of another Magnum, from WIRE=DIR, compared with ours
	WIRE='$(if $(WIRE),$(abspath $(WIRE)))' go test -count=1 -timeout 30m -run '^TestWire$$' -v ./cmd/internal/wiretest

chaos: ## a driver to which all happens that can, for CHAOS (60s); CHAOS_SEED repeats an order
	CHAOS=$(or $(CHAOS),60s) go test -race -count=1 -timeout 20m -run '^TestChaos$$' -v ./plugins/supervise

fuzz: ## every fuzz target, each for FUZZTIME (60s); FUZZ=PATTERN only some
	@tools/fuzz

bench: build ## one table of all figures
	@tools/bench

lint: $(addprefix bin/tools/,$(TOOLS))
	@unformatted=$$(git ls-files '*.go' | grep -v '\.pb\.go$$' | xargs gofmt -l); \
	  if [ -n "$$unformatted" ]; then echo "gofmt would change:"; echo "$$unformatted"; exit 1; fi
	@if command -v shellcheck >/dev/null; then git ls-files tools .ci | xargs grep -lE '^#!/usr/bin/env bash' | xargs shellcheck; \
	  else echo "left out: shellcheck is not installed"; fi
	@tools/modules
	go run ./cmd/internal/duplicates drivers-*
	cd sdk && ../bin/tools/buf lint && ../bin/tools/buf breaking --against driverpb/baseline.binpb
	@failed=; for m in $(MODULES); do echo "golangci-lint $$m"; \
	  (cd $$m && $(CURDIR)/bin/tools/golangci-lint run --config $(CURDIR)/.golangci.yml ./...) || failed="$$failed $$m"; \
	  done; [ -z "$$failed" ] || { echo "to be mended:$$failed"; exit 1; }

generate: $(addprefix bin/tools/,$(TOOLS)) ## what is generated; leaves a clean tree
	go run ./cmd/internal/apidoc
	cd sdk && PATH="$(CURDIR)/bin/tools:$$PATH" ../bin/tools/buf generate

proto-baseline: bin/tools/buf ## the contract as it is becomes what buf compares with; for a release
	cd sdk && ../bin/tools/buf build --exclude-source-info -o driverpb/baseline.binpb

check: lint generate test ## what a change must pass
	@git diff --exit-code -- sdk/driverpb docs/api

clean:
	rm -rf bin

bin/tools/%: tools/go.mod tools/go.sum
	@mkdir -p bin/tools
	cd tools && GOWORK=off go build -o ../bin/tools/$* $$(GOWORK=off go list -f '{{.ImportPath}}' tool | grep '/$*$$')
