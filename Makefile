# The project's tasks; `make help` lists them. Everything installs into .venv/, from the lock file.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Processes for the tests. What they wait for is mostly the disk and the loopback interface.
TEST_JOBS ?= 2
# A file's tests on one worker, so that what they share is made once; in order, so that the slowest files do not come last.
SPREAD := --dist loadfile --no-loadscope-reorder
# Bytecode is worth seconds at every start of Airflow.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install demo test test-core test-browser lint format up cluster cluster-up cluster-down cluster-test bench bench-live bench-stream bench-queries bench-search bench-export bench-stories bench-pages faults hostile peers kills lock clean backfill-demo bench-backfill

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

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
	$(BIN)/pytest -n $(TEST_JOBS) $(SPREAD) --durations 25

# The package promises to work without Airflow: an environment of its own proves it.
test-core: .venv-core/.installed ## run the tests in an environment without Airflow and extras (CORE= folders of tests)
	.venv-core/bin/python -c 'import importlib.util as i, sys; sys.exit("Airflow is here" if i.find_spec("airflow") else 0)'
	.venv-core/bin/pytest -n $(TEST_JOBS) $(SPREAD) -m "not postgres and not airflow" $(CORE)

.venv-core/.installed: requirements-core.lock pyproject.toml
	@$(PYTHON) -m venv .venv-core
	@.venv-core/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-core.lock
	@.venv-core/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation .
	@touch $@

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

cluster: .venv-cluster/.installed ## docker-compose's topology as plain processes, a worker killed (3 minutes; CLUSTER=--quick: nobody)
	@.venv-cluster/bin/python -m examples.airflow.cluster $(CLUSTER)

cluster-up: .venv-cluster/.installed ## start the same and leave it running; says where it is and how to log in
	@.venv-cluster/bin/python -m examples.airflow.cluster_up

cluster-test: .venv-cluster/.installed ## what happens to machines, 5,000 articles for each fault (hours; FAULT=name, ARTICLES=500)
	@.venv-cluster/bin/python -m bench.cluster --articles $(or $(ARTICLES),5000) $(addprefix --fault ,$(FAULT))

cluster-down: .venv-cluster/.installed ## end what cluster-up started, and remove what it wrote
	@.venv-cluster/bin/python -m examples.airflow.cluster_up --down

.venv-cluster/.installed: requirements-cluster.lock pyproject.toml
	@$(PYTHON) -m venv .venv-cluster
	@.venv-cluster/bin/python -m pip install -qq --disable-pip-version-check --upgrade 'pip>=24'  # older ones mistake extras' hashes
	@.venv-cluster/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-cluster.lock
	@.venv-cluster/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

bench-live: $(STAMP) .venv-yardsticks/.installed ## measure the live path beside a script and two programs (20 minutes; LIVE=--short)
	@$(BIN)/python -m bench.live $(LIVE)

# What the live path is measured against, from the package registry and in an environment of its own.
.venv-yardsticks/.installed: requirements-yardsticks.lock
	@$(PYTHON) -m venv .venv-yardsticks
	@.venv-yardsticks/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r $<
	@touch $@

bench-stream: $(STAMP) ## measure news watch on 200 feeds that publish all the time, killed once (half an hour; MINUTES=, STREAM=--dag)
	$(BIN)/python -m bench.stream --minutes $(or $(MINUTES),30) $(STREAM)

backfill-demo: $(STAMP) ## 31 days backfilled by Airflow's scheduler, four runs at a time, from a site on loopback (3 minutes)
	@$(BIN)/python -m examples.airflow.backfill

test-browser: $(STAMP) ## try the pages in a real browser, with a checker of accessibility (BROWSER=/usr/bin/chromium)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-browser.lock
	NEWS_TEST_BROWSER=$(or $(BROWSER),/usr/bin/chromium) $(BIN)/pytest tests/browser

bench-backfill: $(STAMP) ## pages a second and memory of a backfill from WARC, against extraction alone (10 minutes)
	$(BIN)/python -m bench.backfill

bench: $(STAMP) ## measure text quality and cost on the corpus beside the checkout, against plain trafilatura
	$(BIN)/python -m bench.extraction

faults: $(STAMP) ## try every fault of the replay server beside the checkout (12 minutes; FAULTS=--quick: one)
	$(BIN)/python -m bench.faults $(FAULTS)

peers: $(STAMP) ## read the 2,100 documents of feedparser's tests beside feedparser (downloads its source distribution)
	@$(BIN)/python -m pip download -qq --disable-pip-version-check --no-deps --no-binary :all: --dest .peers feedparser==6.0.12
	@tar -xzf .peers/feedparser-6.0.12.tar.gz -C .peers
	$(BIN)/pytest -q tests/parse/test_peers.py

hostile: $(STAMP) ## read pages of up to 20 MB that are made to break the reader, and thousands of broken ones (10 minutes)
	$(BIN)/python -m bench.hostile

kills: $(STAMP) ## fill 50 hosts of the replay server, killed ten times, and count what is asked for twice (5 minutes; KILLS=--help)
	$(BIN)/python -m bench.kills $(KILLS)

bench-queries: $(STAMP) ## measure views beside hand-written queries on both databases (ROWS=, FOLDER=)
	$(BIN)/python -m bench.queries $(or $(FOLDER),.bench) --rows $(or $(ROWS),1000000)

bench-search: $(STAMP) ## measure searches and what their index costs in the same archives (ROWS=, FOLDER=)
	$(BIN)/python -m bench.search $(or $(FOLDER),.bench) --rows $(or $(ROWS),1000000)

bench-pages: $(STAMP) ## measure the pages of news serve in the same archives (ROWS=, FOLDER=)
	$(BIN)/python -m bench.pages $(or $(FOLDER),.bench) --rows $(or $(ROWS),1000000)

bench-export: $(STAMP) ## measure memory and speed of exports of 10,000 to 1,000,000 articles (FOLDER=)
	$(BIN)/python -m bench.export $(or $(FOLDER),.bench)

bench-stories: $(STAMP) ## measure how well copies of articles are found, and what that costs in archives of two sizes (ROWS=)
	$(BIN)/python -m bench.stories
	$(BIN)/python -m bench.stories --cost 10000 --cost $(or $(ROWS),1000000)

lock: ## resolve the versions anew (names, versions and hashes; no addresses)
	$(PYTHON) -m venv .venv-lock && .venv-lock/bin/pip install -qq --disable-pip-version-check uv
	for lock in "requirements.lock --extra airflow --extra web --extra metrics --extra export --extra report --extra lz4 --group test --group lint --group readers" \
	    "requirements-core.lock --group test -c requirements.lock" \
	    "requirements-cluster.lock --extra celery --group cluster --group test -c requirements.lock" \
	    "requirements-image.lock --extra celery --extra web --extra export --extra metrics -c requirements-cluster.lock -c requirements.lock"; do \
	  set -- $$lock; out=$$1; shift; \
	  .venv-lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-emit-index-url --no-annotate pyproject.toml --group build "$$@" -o $$out; \
	done
	.venv-lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-emit-index-url --no-annotate --group yardsticks -c requirements.lock -o requirements-yardsticks.lock
	.venv-lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-emit-index-url --no-annotate --group browser -c requirements.lock -o requirements-browser.lock
	rm -rf .venv-lock

clean: ## remove environments, the demo and caches (never an archive of yours)
	rm -rf .venv .venv-core .venv-cluster .venv-yardsticks .demo .airflow .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info
