# Targets are described where they stand, `make help` reads them. Everything happens inside the checkout:
# $(VENV) for Python, target/ for Rust.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
CRATE := auditor/rust/Cargo.toml
CAPTURE := captures/out-of-range
FUZZ := auditor/rust/fuzz
FUZZ_TARGETS := container decoder stream ndmp
FUZZ_FLAGS := --cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
              -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
              -Cllvm-args=-sanitizer-coverage-trace-compares -Cdebug-assertions -Ccodegen-units=1
FUZZ_SECONDS ?= 3600
FUZZ_EXAMPLES ?= 2000

# What the native module is made from. Python files are not in it: the install is editable.
NATIVE := pyproject.toml .cargo/config.toml $(CRATE) auditor/rust/Cargo.lock auditor/rust/build.rs \
          $(shell find auditor/rust/src auditor/rust/ring -name '*.rs')
MADE := $(VENV)/.made
BUILT := $(VENV)/.built
EQUIPPED := $(VENV)/.equipped

# The machine's own pip settings apply; only the chatter is turned off.
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYO3_PYTHON := $(abspath $(BIN)/python)

# An editable install compiles nothing, and where PYTHONDONTWRITEBYTECODE is set no start ever would: each would take
# twice its time.
COMPILED := $(BIN)/python -m compileall -q auditor

.PHONY: help demo build equip test test-rust test-python fuzz fuzz-build match fuzz-recogniser damage bench bench-growth \
        bench-parts bench-live watch-lab lint lint-python lint-rust docs docs-check site clean

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

demo: $(BUILT) ## Build what is missing and audit a real capture (nothing else is needed on a fresh machine)
	@$(BIN)/auditor audit $(CAPTURE)/out-of-range.pcap --policy $(CAPTURE)/policy.yaml --exit-zero

build: $(BUILT) ## Build the Rust core into the local virtual environment

equip: $(EQUIPPED) # what build makes, and what tests and lint need beside it

test: test-rust test-python ## Run the whole suite, Rust and Python; what was left out is named at the end

test-rust: | $(MADE)
	cargo test --quiet --workspace --manifest-path $(CRATE)

test-python: $(EQUIPPED)
	$(BIN)/python -m pytest -n auto --dist loadfile $(PYTEST_ARGS)

lint: lint-python lint-rust ## Check style, types, layers and the stub of the native module

lint-python: $(EQUIPPED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest auditor._native --concise
	$(BIN)/lint-imports

# The binding is a feature, which the library alone knows: both halves of the crate are looked at. The fuzz targets too,
# where no fuzzer is installed: nothing is linked here, so the fuzzer's own C++ need not be compiled.
lint-rust: | $(MADE)
	cargo fmt --all --manifest-path $(CRATE) --check
	cargo clippy --quiet --workspace --manifest-path $(CRATE) --all-targets -- -D warnings
	cargo clippy --quiet --manifest-path $(CRATE) --lib --bench parts --features python,parts -- -D warnings
	CARGO_TARGET_DIR=$(abspath target) CUSTOM_LIBFUZZER_PATH=$(abspath target)/none.a \
	  cargo clippy --quiet --manifest-path $(FUZZ)/Cargo.toml -- -D warnings

# What cargo-fuzz does without a sanitizer, for a stable compiler: the fuzzer sees which branches an input takes. There
# is no unsafe code to look into but that of the packet ring, which no target reaches.
fuzz-build: | $(MADE)
	RUSTFLAGS="$(FUZZ_FLAGS)" CARGO_TARGET_DIR=$(abspath target/fuzz) cargo build --quiet --release \
	  --target "$$(rustc -vV | sed -n s/^host:.//p)" --manifest-path $(FUZZ)/Cargo.toml

fuzz: $(EQUIPPED) fuzz-build ## Fuzz container, decoder, stream and NDMP, FUZZ_SECONDS each (an hour), and the readers of documents
	$(BIN)/python $(FUZZ)/seeds.py $(FUZZ)/corpus captures $(wildcard ../shared/corpus)
	FUZZ_SECONDS=$(FUZZ_SECONDS) $(FUZZ)/run.sh $(FUZZ_TARGETS)
	AUDITOR_EXAMPLES=$(FUZZ_EXAMPLES) $(BIN)/python -m pytest -q --timeout 0 tests/test_hostile_documents.py

damage: | $(MADE) ## Cut our captures at every length and flip every byte, one at a time (some minutes)
	AUDITOR_DAMAGE=all cargo test --quiet --release --manifest-path $(CRATE) --test damaged_captures -- --nocapture

match: $(EQUIPPED) ## Hold the matcher against the plain evaluator over 100 000 random policies, 4 flows each (half an hour)
	AUDITOR_POLICIES=100000 $(BIN)/python -m pytest -q --timeout 0 tests/test_match_many.py

fuzz-recogniser: | $(MADE) ## Send ten million random segments through the recognisers (half a minute)
	AUDITOR_SEGMENTS=10000000 cargo test --quiet --release --manifest-path $(CRATE) --test random_segments -- --nocapture

BENCH ?=
BENCHED := $(VENV)/.benched

bench: $(BENCHED) ## Hold auditor beside every peer that is installed (BENCH='--workloads L --runs 3' and so on)
	$(BIN)/python -m bench.speed $(BENCH)

bench-growth: $(BUILT) ## Curves of cost over packets and flows (BENCH='--packets 1e8 --svg FILE')
	$(BIN)/python -m bench.growth $(BENCH)

bench-parts: $(BENCHED) ## Time the parts: the core's by criterion, the others by pytest-benchmark
	cargo bench --manifest-path $(CRATE) --features parts --bench parts
	$(BIN)/python -m pytest -q --timeout 0 bench/parts.py

watch-lab: $(EQUIPPED) ## Hold a watch of the lab's bridge against an audit of tcpdump's file, for every scenario (needs root)
	$(BIN)/python captures/lab/watched.py

bench-live: $(EQUIPPED) ## Packet rates without loss, side by side, and ten million flows in bounded memory (needs root)
	$(BIN)/python bench/live.py
	$(BIN)/python bench/churn.py
	$(BIN)/python bench/churn.py --watch

docs: $(BUILT) ## Write the outputs shown in README and docs/ anew from real runs
	$(BIN)/auditor rules docs > docs/rules-reference.md
	$(BIN)/python docs/outputs.py --write

docs-check: $(BUILT) ## Check that the outputs shown in README and docs/ are those of real runs
	$(BIN)/auditor rules docs | cmp - docs/rules-reference.md
	$(BIN)/python docs/outputs.py

site: $(EQUIPPED) ## Build all documents into a site, strictly: target/site/index.html
	$(BIN)/python docs/site.py

clean: ## Remove everything that was built, the virtual environment included
	rm -rf $(VENV) target dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find auditor tests captures docs -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -rf auditor/_native*.so auditor/_data

# --- how the virtual environment comes about ---------------------------------------------------------------------

$(MADE):
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) not found; Python 3.11 or newer is needed" \
	  "(another name: make PYTHON=python3.12 …)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: $$($(PYTHON) --version)" \
	  "is too old; 3.11 or newer is needed (another one: make PYTHON=python3.12 …)" >&2; exit 1; }
	@command -v cargo >/dev/null || { echo "make: cargo not found; Rust 1.88 or newer is needed" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "make: $(PYTHON) cannot make virtual environments;" \
	  "on Debian: apt-get install python3-venv" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@touch $@

$(BUILT): $(NATIVE) | $(MADE)
	@echo "Building the Rust core into $(VENV) (a minute or two the first time) …" >&2
	@$(BIN)/python -m pip install --quiet --editable .
	@$(COMPILED)
	@touch $@

$(EQUIPPED): $(NATIVE) | $(MADE)
	@echo "Building the Rust core into $(VENV), with what tests and lint need …" >&2
	@$(BIN)/python -m pip install --quiet --editable '.[test,lint]'
	@$(COMPILED)
	@touch $@ $(BUILT)

$(BENCHED): $(EQUIPPED)
	@echo "Installing the peers from PyPI into $(VENV) …" >&2
	@$(BIN)/python -m pip install --quiet --editable '.[bench]'
	@touch $@
