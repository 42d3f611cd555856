# Everything happens in .venv and, for language models, in .venv-vllm; stamp files there make a second run instant and
# free of the network.
PYTHON ?= python3
PORT ?= 7860
VENV := .venv
BIN := $(VENV)/bin
VLLM := .venv-vllm
MMPOSE := .venv-mmpose
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install
START := $(shell date +%s)
took = @echo "make $@ took $$(($$(date +%s) - $(START))) s."

.PHONY: help demo app setup setup-dev setup-serving setup-mmpose weights test test-serving check format bench clean

help:
	@echo "make demo           a simulated snatch through the whole pipeline: report and guidance"
	@echo "make app            the web app on this machine: http://127.0.0.1:$(PORT) (PORT=...)"
	@echo "make setup          install what the coach needs into $(VENV) and fetch the pose weights"
	@echo "make setup-serving  vLLM and training into $(VLLM): 3 GB (GPU=1 for NVIDIA cards)"
	@echo "make setup-mmpose   MMPose into $(MMPOSE), for --pose mmpose: 6 GB"
	@echo "make test           all tests that need no vLLM"
	@echo "make test-serving   a real vLLM server and real training on this processor"
	@echo "make check          format, lint, types, imports"
	@echo "make format         put the code in shape"
	@echo "make bench          benchmarks"
	@echo "make clean          remove $(VENV), $(VLLM), $(MMPOSE) and caches"

demo: setup
	@$(BIN)/coach demo
	$(took)

app: $(VENV)/.app weights
	@echo "Set up in $$(($$(date +%s) - $(START))) s."
	@exec $(BIN)/coach app --port $(PORT)

setup: $(VENV)/.core weights

setup-dev: $(VENV)/.dev weights

setup-serving: $(VLLM)/.serving

weights: $(VENV)/.core
	@$(BIN)/coach models fetch blazepose

%/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "Liftcoach needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv $* || \
	{ rm -rf $*; echo "no venv module: on Debian, apt-get install python3-venv" >&2; exit 1; }

$(VENV)/.core: pyproject.toml | $(BIN)/python
	@echo "Installing Liftcoach into $(VENV) ..."
	@$(PIP) --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/.core
	@echo "Installing the tools for tests and checks into $(VENV) ..."
	@$(PIP) --editable '.[dev]'
	@$(PIP) --no-deps 'rtmlib==0.0.16' # it asks for two more builds of OpenCV, which would replace ours
	@touch $@

$(VENV)/.app: pyproject.toml | $(VENV)/.core
	@echo "Installing the web app into $(VENV) ..."
	@$(PIP) --editable '.[app]'
	@touch $@

$(VLLM)/.serving: pyproject.toml serving/setup/environment.py serving/setup/wheels.py | $(VLLM)/bin/python
	@$(VLLM)/bin/python -m serving.setup.environment $(if $(GPU),--gpu)
	@touch $@

setup-mmpose: $(MMPOSE)/.ready
	@echo "export LIFTCOACH_MMPOSE_PYTHON=$(CURDIR)/$(MMPOSE)/bin/python"

# Plain `pip install mmpose` fails: chumpy does not build and is not needed, and xtcocotools must fit this NumPy.
$(MMPOSE)/.ready: | $(MMPOSE)/bin/python
	@$(MMPOSE)/bin/python -m pip install --quiet 'torch>=2.9' 'torchvision>=0.24' 'setuptools<81' wheel cython
	@$(MMPOSE)/bin/python -m pip install --quiet mmengine 'mmcv-lite==2.2.0' json_tricks munkres scipy six matplotlib opencv-python-headless
	@$(MMPOSE)/bin/python -m pip install --quiet --no-deps 'mmpose==1.3.2'
	@$(MMPOSE)/bin/python -m pip install --quiet --no-deps --no-binary xtcocotools --no-build-isolation xtcocotools
	@touch $@

test: setup-dev
	$(BIN)/python -m pytest -m "not serving"
	$(took)

# One real server for all of its tests, and training on a model of a few million parameters.
test-serving: setup-serving
	$(VLLM)/bin/python -m pytest tests/serving tests/finetune
	$(took)

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(took)

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Under ten minutes on two cores; ten minutes of film take longer: python benchmarks/bench_memory.py --minutes 10
bench: setup-dev
	@for file in benchmarks/bench_*.py; do $(BIN)/python "$$file" || exit 1; done
	$(took)

clean:
	rm -rf $(VENV) $(VLLM) $(MMPOSE) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache demo-lift
