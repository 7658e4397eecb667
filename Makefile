# csa: customer success analytics that people trust. `make` lists what there is to do.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := .uv/bin/uv
export CSA_WORKSPACE ?=

.PHONY: help sample setup lab lint fix test test-fast soak bench check demo monthly-report clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: $(BIN)/.ready  ## environment from requirements.lock, git hooks, what the system must have
	@$(BIN)/python tools/system.py

# uv, from its own line and hashes in the lock file, into this folder; nothing is installed globally
$(UV): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "csa needs Python 3.11 or later; run make PYTHON=python3.12")'
	@bash tools/need-venv.sh $(PYTHON)
	@$(PYTHON) -m venv .uv
	@awk '/^uv==/ {on=1} on {print} on && !/\\$$/ {exit}' requirements.lock > .uv/uv.lock
	@.uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .uv/uv.lock
	@touch $(UV)

$(BIN)/.ready: requirements.lock pyproject.toml | $(UV)
	@test -x $(BIN)/python || $(UV) venv --quiet --python "$$(command -v $(PYTHON))" $(VENV)
	@$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@if test -e .git; then $(BIN)/pre-commit install >/dev/null; fi
	@touch $@

# Spark is large and only the tests need it
$(BIN)/.spark: requirements-spark.lock $(BIN)/.ready
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements-spark.lock
	@touch $@

lab: setup  ## JupyterLab on the notebooks
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/jupyter lab --notebook-dir=notebooks

lint: setup  ## style, types, import directions, docstrings, notebooks; changes nothing
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m numpydoc.hooks.validate_docstrings $$(git ls-files 'csa/*.py')
	$(BIN)/nbstripout --verify notebooks/*.ipynb

fix: setup  ## repair what ruff and nbstripout can
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .
	$(BIN)/nbstripout notebooks/*.ipynb

test: setup $(BIN)/.spark  ## all tests: notebooks, browser, PDF, databases
	$(BIN)/python -m pytest -m "not soak" -n 2 --dist loadgroup

test-fast: setup  ## the inner loop, under a minute
	$(BIN)/python -m pytest -m "not soak and not slow" -n 2 -q

soak: setup  ## studies of minutes on many simulated worlds; leaves benchmarks/studies.json
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -m soak -n 2 -s --timeout 7200

bench: setup  ## measure speed and memory against named peers; ONLY=name for one
	$(BIN)/python -m benchmarks $(ONLY)

check: setup sample  ## csa check: settings, data, quality
	$(BIN)/csa check

demo: monthly-report  ## every report there is, on the sample company

monthly-report: setup sample  ## the monthly report on the sample company: HTML and PDF
	@$(BIN)/csa run monthly

sample:
	@$(BIN)/csa sample --accounts 2000 --seed 7 --to sample

clean:  ## remove the environment, the sample and caches; reports and the ledger stay
	rm -rf $(VENV) .uv sample .csa .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
