# Needs Python ≥ 3.11 and make, nothing else: everything goes into .venv from the hashed lock.
PYTHON ?= python3
BIN := .venv/bin
DEMO ?= demo-shop

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo test test-fast lint bench bench-text docs serve clean lock

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.venv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit("Huitou needs Python 3.11 or later; this is " + sys.version.split()[0] + ". Call make PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

.venv/core: .venv/bin/uv requirements.txt pyproject.toml
	$(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r requirements.txt
	$(BIN)/uv pip install --quiet --no-deps --editable .
	@touch $@

.venv/dev: .venv/core requirements-dev.txt
	$(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r requirements-dev.txt
	@touch $@

setup: .venv/core ## install what the product needs into .venv
setup-dev: .venv/dev ## and what its tests need

demo: setup ## make the demo shop's files, import them, diagnose, and say where the report is
	$(BIN)/huitou demo $(DEMO)

test: setup-dev ## the whole suite
	$(BIN)/pytest -n 2 --no-loadscope-reorder

test-fast: setup-dev ## the fast part of the suite
	PYTHONDONTWRITEBYTECODE= ONE_CORE_EACH=1 POLARS_MAX_THREADS=1 TOKIO_WORKER_THREADS=1 $(BIN)/pytest -n 2 -m "not slow and not browser and not spark"

lint: setup-dev ## style, types, import contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup-dev ## measure speed and memory; figures in benchmarks/README.md
	$(BIN)/python -m benchmarks tables

bench-text: setup-dev ## and how fast and how right texts are read
	$(BIN)/python -m benchmarks text

docs: setup-dev ## write docs/reference from the declarations
	$(BIN)/python -m docs.build

serve: setup ## look at the demo's report in a browser: http://127.0.0.1:8000
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory $(DEMO)/reports 8000

lock: .venv/bin/uv ## make the hashed lock again from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements.txt
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q --extra dev -o requirements-dev.txt

clean: ## remove .venv, the demo shop and caches
	rm -rf .venv $(DEMO) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
