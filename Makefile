# Everything a fresh machine needs beyond Python 3.11 and make is installed into $(VENV).
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
LEM_ARGS ?=
# One process for each core, and one more, since tests wait for stores; each takes a file at a time, since tests of one
# file share what is expensive to make, and the files with the slowest tests come first (tests/conftest.py).
PYTEST_ARGS ?= -n auto --dist loadscope --no-loadscope-reorder
# Compiled modules are kept even where the environment would not: each process would compile all of them again.
export PYTHONDONTWRITEBYTECODE =

.PHONY: help demo serve install quick test crashes lint format clean
.DEFAULT_GOAL := help

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.installed-demo  ## Start the service, replay bars at speed, trade all 8 scenarios (no torch)
	$(BIN)/lem demo $(LEM_ARGS)

serve: $(VENV)/.installed-demo  ## Serve on 127.0.0.1:8000 with the embedded store
	$(BIN)/lem serve $(LEM_ARGS)

install: $(VENV)/.installed-dev  ## Install all that the targets below need; they do so themselves, too

quick: $(VENV)/.installed-dev  ## Run the tests that train, export, explore and spawn nothing, in about a minute
	$(BIN)/python -m pytest $(PYTEST_ARGS) -m "not (explores or exports or measures or spawns or trains)"

test: $(VENV)/.installed-dev  ## Run all tests, in about 16 minutes on two cores
	$(BIN)/python -m pytest $(PYTEST_ARGS)

crashes: $(VENV)/.installed-dev  ## Harm services and stores at every point of the way, and compare with undisturbed days
	$(BIN)/python -m tests.crashes --scenarios 200 --jobs 2

lint: $(VENV)/.installed-dev  ## Check style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.installed-dev  ## Put everything into shape
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

clean:  ## Remove the virtual environment, caches and what the demo left
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# A stamp is older than pyproject.toml exactly when the installation may be out of date.
$(VENV)/.installed-demo: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --editable '.[demo]'
	touch $@

# The dev extra contains the demo extra.
$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --editable '.[dev]'
	touch $(VENV)/.installed-demo $@
