# make demo: set up what is missing, then do the main job. make test: the same for the checks.
# Each step of the set-up is done once and leaves a stamp in .venv/.stamps; a second run needs no network.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:

VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Another interpreter: make demo PYTHON=/path/to/python3.12
PYTHON ?=
# More words for the job: make demo ARGS="--photo mine.jpg"
ARGS ?=
# Test files that run side by side; each worker takes up to 3 GB.
JOBS ?= 2

.PHONY: help setup demo test lint lock weights clean
help:
	@echo "make demo    set up what is missing, then run the main job (ARGS=... is passed on)"
	@echo "make test    set up what is missing, then lint, type-check and test"
	@echo "make lint    ruff and mypy alone"
	@echo "make setup   the set-up of demo alone"
	@echo "make lock    write requirements.lock and requirements-dev.lock from the environment"
	@echo "make clean   remove the environment and caches (fetched weights stay)"

setup: $(STAMPS)/project $(STAMPS)/browser weights

demo: setup
	$(BIN)/llava-agent demo $(ARGS)

test: lint $(STAMPS)/browser $(STAMPS)/postgres weights
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS)

lint: $(STAMPS)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

lock: $(STAMPS)/dev
	$(BIN)/python -m llava_agent.setup.lock

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The first Python from 3.11 on that can make environments; an environment that works is kept.
$(STAMPS)/python:
	@for python in $(or $(PYTHON),python3 python3.13 python3.12 python3.11); do \
	    if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found="$$python"; break; fi; \
	done; \
	if [ -z "$${found:-}" ]; then \
	    echo "Python 3.11 or newer is needed and was not found: install it, or run make PYTHON=/path/to/python3.11" >&2; exit 1; \
	fi; \
	if ! "$$found" -c 'import ensurepip, venv' 2>/dev/null; then \
	    echo "$$found cannot make virtual environments: install its venv package (Debian, Ubuntu: apt-get install python3-venv)" >&2; exit 1; \
	fi; \
	$(BIN)/python -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || "$$found" -m venv --clear $(VENV); \
	mkdir -p $(STAMPS); \
	touch $@

$(STAMPS)/packages: requirements.lock $(STAMPS)/python
	@echo "Installing the locked packages into $(VENV): about 6 GB, some minutes, once."
	$(PIP) install --quiet --progress-bar off -r requirements.lock
	@touch $@

$(STAMPS)/project: pyproject.toml $(STAMPS)/packages
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(STAMPS)/dev: requirements-dev.lock $(STAMPS)/project
	$(PIP) install --quiet --progress-bar off -r requirements-dev.lock
	@touch $@

$(STAMPS)/browser: $(STAMPS)/project
	$(BIN)/python -m llava_agent.setup.browser
	@touch $@

# The store's tests run on a PostgreSQL server as well, where one is installed or root can install one; they skip where not.
$(STAMPS)/postgres: $(STAMPS)/dev
	@if ! command -v initdb >/dev/null && ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then \
	    if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	        { DEBIAN_FRONTEND=noninteractive timeout 900 apt-get -q update \
	            && DEBIAN_FRONTEND=noninteractive timeout 900 apt-get -q -y install --no-install-recommends postgresql; } \
	            || echo "PostgreSQL could not be installed: the tests that need a server of it skip" >&2; \
	    else echo "PostgreSQL is not installed: the tests that need a server of it skip" >&2; fi; \
	fi
	@touch $@

# No stamp: the weights live in the user's cache, and `pull` itself sees at once when they are whole.
weights: $(STAMPS)/project
	$(BIN)/llava-agent models pull embedded
