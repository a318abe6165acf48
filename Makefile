# The project's tasks; `make help` lists them. Everything installs into .venv/, from the lock file.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Processes for the tests. What they wait for is mostly the disk and the loopback interface.
TEST_JOBS ?= 2
# Bytecode is worth seconds at every start of Airflow.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install demo test test-core lint format up cluster bench bench-queries bench-search bench-export bench-stories faults hostile kills lock clean backfill-demo bench-backfill

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

install: $(STAMP) ## make .venv/ with the locked versions of everything

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "Python 3.11, 3.12 or 3.13 is needed; choose one with: make PYTHON=python3.12 …"; exit 2; }
	@echo "Making $(VENV)/ from requirements.lock (a minute or two the first time)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(STAMP) ## run ingest_hourly in Airflow over the sample newsroom, and show what came of it
	@$(BIN)/python -m examples.airflow.demo

test: $(STAMP) ## run all tests
	$(BIN)/pytest -n $(TEST_JOBS) --dist loadgroup

# The package promises to work without Airflow: an environment of its own proves it.
test-core: requirements-core.lock ## install the package without Airflow, and run its tests
	@test -f .venv-core/.installed -a .venv-core/.installed -nt $< || { \
	  $(PYTHON) -m venv .venv-core; \
	  .venv-core/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r $<; \
	  .venv-core/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation .; \
	  touch .venv-core/.installed; }
	.venv-core/bin/python -c 'import importlib.util as i, sys; sys.exit("Airflow is here" if i.find_spec("airflow") else 0)'
	.venv-core/bin/pytest -n $(TEST_JOBS) --dist loadgroup -m "not postgres and not airflow"

lint: $(STAMP) ## ruff, mypy --strict, the layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/ruff check --select AIR --preview dags
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## let ruff put the code into form
	$(BIN)/ruff check --fix-only -q . && $(BIN)/ruff format .

up: $(STAMP) ## start Airflow's scheduler and UI on this machine, against real feeds (PORT=, BIND=, FEEDS=)
	@$(BIN)/python -m examples.airflow.up

cluster: .venv-cluster/.installed ## docker-compose's topology as plain processes, a worker killed (3 minutes)
	@.venv-cluster/bin/python -m examples.airflow.cluster

.venv-cluster/.installed: requirements-cluster.lock pyproject.toml
	@$(PYTHON) -m venv .venv-cluster
	@.venv-cluster/bin/python -m pip install -qq --disable-pip-version-check --upgrade 'pip>=24'  # older ones mistake extras' hashes
	@.venv-cluster/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-cluster.lock
	@.venv-cluster/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

backfill-demo: $(STAMP) ## 31 days backfilled by Airflow's scheduler, four runs at a time, from a site on loopback (3 minutes)
	@$(BIN)/python -m examples.airflow.backfill

bench-backfill: $(STAMP) ## pages a second and memory of a backfill from WARC, against extraction alone (10 minutes)
	$(BIN)/python -m bench.backfill

bench: $(STAMP) ## measure text quality and cost on the corpus beside the checkout, against plain trafilatura
	$(BIN)/python -m bench.extraction

faults: $(STAMP) ## try every fault of the replay server beside the checkout (12 minutes; FAULTS=--quick: one)
	$(BIN)/python -m bench.faults $(FAULTS)

hostile: $(STAMP) ## read pages of up to 20 MB that are made to break the reader, and thousands of broken ones (10 minutes)
	$(BIN)/python -m bench.hostile

kills: $(STAMP) ## fill 50 hosts of the replay server, killed ten times, and count what is asked for twice (5 minutes; KILLS=--help)
	$(BIN)/python -m bench.kills $(KILLS)

bench-queries: $(STAMP) ## measure views beside hand-written queries on both databases (ROWS=, FOLDER=)
	$(BIN)/python -m bench.queries $(or $(FOLDER),.bench) --rows $(or $(ROWS),1000000)

bench-search: $(STAMP) ## measure searches and what their index costs in the same archives (ROWS=, FOLDER=)
	$(BIN)/python -m bench.search $(or $(FOLDER),.bench) --rows $(or $(ROWS),1000000)

bench-export: $(STAMP) ## measure memory and speed of exports of 10,000 to 1,000,000 articles (FOLDER=)
	$(BIN)/python -m bench.export $(or $(FOLDER),.bench)

bench-stories: $(STAMP) ## measure how well copies of articles are found, and what that costs in archives of two sizes (ROWS=)
	$(BIN)/python -m bench.stories
	$(BIN)/python -m bench.stories --cost 10000 --cost $(or $(ROWS),1000000)

lock: ## resolve the versions anew (names, versions and hashes; no addresses)
	$(PYTHON) -m venv .venv-lock && .venv-lock/bin/pip install -qq --disable-pip-version-check uv
	for lock in "requirements.lock --extra airflow --extra export --extra report --group lint --group readers" "requirements-core.lock -c requirements.lock" \
	    "requirements-cluster.lock --extra celery --group cluster -c requirements.lock"; do \
	  set -- $$lock; out=$$1; shift; \
	  .venv-lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-emit-index-url --no-annotate pyproject.toml --group test --group build "$$@" -o $$out; \
	done
	rm -rf .venv-lock

clean: ## remove environments, the demo and caches (never an archive of yours)
	rm -rf .venv .venv-core .venv-cluster .demo .airflow .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info
