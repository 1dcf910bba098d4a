# SPDX-License-Identifier: Apache-2.0
# What a person types. Everything sets itself up: a fresh machine needs only the Swift toolchain.

SHELL := /bin/bash
SWIFT ?= swift
FORMATTED := Package.swift agent probes controller Sources Examples Tests Benchmarks

.PHONY: help deps deps-test build demo test test-unit check lint format bench fuzz clean

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps: ## the libraries that the build needs, from Debian
	@scripts/install-dependencies build

deps-test: ## what the tests and benchmarks need beside them
	@scripts/install-dependencies test

build: deps ## everything in release, with libsonde.so: .build/release
	$(SWIFT) build -c release
	scripts/link-preload

demo: build ## the controller and a service under load, until Ctrl-C
	@scripts/demo

check: deps-test lint ## format, build with every warning an error, the rules of the tree
	$(SWIFT) build --build-tests
	scripts/test rules

test: deps-test ## every test: unit, system, browser
	$(SWIFT) build -c release
	scripts/link-preload
	$(SWIFT) build --build-tests
	scripts/test all

test-unit: deps-test ## the tests that start no whole program
	$(SWIFT) build --build-tests
	scripts/test unit

lint:
	$(SWIFT) format lint --strict --parallel -r $(FORMATTED)

format: ## Swift sources in the house's format
	$(SWIFT) format --in-place --parallel -r $(FORMATTED)

bench: deps-test build ## the benchmarks, each against its peer in the same run
	scripts/bench

fuzz: deps-test ## the fuzzers, FUZZ_SECONDS (60) each
	Tests/Fuzz/run

clean:
	rm -rf .build
