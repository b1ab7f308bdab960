# Everything a user or a developer does, from nothing: `make quickstart` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt
export TMBR_DATA ?= ../shared/data
export OMP_WAIT_POLICY ?= PASSIVE

.PHONY: help setup quickstart test check conformance bench prove prove-search prove-data prove-teacher prove-tune lock clean

help:            ## what there is
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

setup: .venv/ready            ## make .venv and install tmbr with all that training needs

.venv/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "tmbr needs Python 3.11 or newer: make setup PYTHON=python3.11"; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || sh tools/need.sh python3-venv
	$(PYTHON) -m venv .venv
	$(PIP) torch==2.13.0
	$(PIP) -e '.[train,db,kg,shop,data]'
	@touch $@

# The reference engine is built from source.
.venv/dev: .venv/ready
	@command -v g++ >/dev/null && command -v make >/dev/null || sh tools/need.sh g++ make
	@command -v cmake >/dev/null || sh tools/need.sh cmake
	$(PIP) -e '.[train,qlora,db,kg,shop,data,gym,docker,dev,reference]'
	$(PIP) --no-build-isolation deepspeed  # it looks for torch while it is built
	@touch $@

quickstart: setup            ## the whole path on the embedded defaults: data, tuning, search, report
	$(BIN)/tmbr quickstart

test: check            ## all checks and tests, what CI runs

check: .venv/dev            ## ruff, mypy --strict, import-linter, pytest
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	OMP_NUM_THREADS=1 $(BIN)/pytest -n logical --maxprocesses 4 --dist loadfile

conformance: .venv/dev            ## the household against the reference engine, 20,000 steps
	TMBR_CONFORMANCE=full $(BIN)/pytest -s tests/environments/test_household_conformance.py

bench: .venv/dev            ## side by side with the references; rows in benchmarks/results
	for name in convert data_build engines household local_model plan search_overhead tune worlds; do \
		$(BIN)/python -m benchmarks.$$name || exit 1; done
	$(BIN)/python -m benchmarks.teacher --part overhead --part near

prove: .venv/dev conformance prove-search prove-tune            ## what is too slow for CI
	$(BIN)/tmbr quickstart recipes/alfworld.yaml --out runs/alfworld

prove-search: .venv/dev            ## strategies at equal budgets, an hour; goes on where it was stopped
	$(BIN)/python -m benchmarks.prove.search
	test ! -d runs/quickstart/tune/model || $(BIN)/python -m benchmarks.prove.tuned

prove-data: .venv/dev            ## what each kind of data teaches and what tuning forgets, two hours
	$(BIN)/python -m benchmarks.prove.data

prove-teacher: .venv/dev            ## a teacher with faults, killed and capped: 1,000 questions a world; an hour
	$(BIN)/python -m benchmarks.teacher

prove-tune: .venv/dev            ## SFT, DPO, PPO, GRPO against their controls, and the reward judge, hours
	$(BIN)/python -m benchmarks.prove.tune

lock:            ## write down the versions that are installed now
	{ head -1 constraints.txt; $(BIN)/python -m pip list --format=freeze --exclude-editable \
		| grep -vE '^(pip|setuptools)==' | sed 's/+cpu//'; } > constraints.new
	mv constraints.new constraints.txt

clean:            ## remove what was built, keep what was measured
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
