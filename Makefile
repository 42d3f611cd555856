# Everything happens in .venv; stamp files there make a second run instant and free of the network.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install

.PHONY: help demo setup setup-dev weights test check format bench clean

help:
	@echo "make demo    a simulated snatch through the whole pipeline: report and guidance"
	@echo "make setup   install what the coach needs into $(VENV) and fetch the pose weights"
	@echo "make test    all tests            make check   format, lint, types, imports"
	@echo "make bench   benchmarks           make format  put the code in shape"
	@echo "make clean   remove $(VENV) and caches"

demo:
	@start=$$(date +%s); \
	$(MAKE) --no-print-directory setup && $(BIN)/coach demo && \
	echo "The demo took $$(($$(date +%s) - start)) s, from setting up to the report."

setup: $(VENV)/.core weights

setup-dev: $(VENV)/.dev weights

weights: $(VENV)/.core
	@$(BIN)/coach models fetch blazepose

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "Liftcoach needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	{ rm -rf $(VENV); echo "no venv module: on Debian, apt-get install python3-venv" >&2; exit 1; }

$(VENV)/.core: pyproject.toml | $(BIN)/python
	@echo "Installing Liftcoach into $(VENV) ..."
	@$(PIP) --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/.core
	@echo "Installing the tools for tests and checks into $(VENV) ..."
	@$(PIP) --editable '.[dev]'
	@touch $@

test: setup-dev
	$(BIN)/python -m pytest

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Under ten minutes on two cores; ten minutes of film take longer: python benchmarks/bench_memory.py --minutes 10
bench: setup-dev
	@for file in benchmarks/bench_*.py; do $(BIN)/python "$$file" || exit 1; done

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache demo-lift
