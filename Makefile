# `make train` and `make test` work on a fresh machine that has Python 3.11 to 3.13 and nothing else.

# The first interpreter that TensorFlow has wheels for; PYTHON=... chooses another.
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c '$(SUPPORTED)' >/dev/null 2>&1 && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
CODE := zoo recipes cli tests benchmarks tools

.PHONY: train test install lint format verify benchmark pins clean

train: $(VENV)/.core  ## train resnet20 on the bundled digits
	$(BIN)/dlzoo train resnet --epochs 20

test: $(VENV)/.all  ## the test suite: no network, about fifteen minutes on two cores
	$(BIN)/python -m pytest -m "not slow" --numprocesses 2 --dist loadfile --no-loadscope-reorder

install: $(VENV)/.all  ## the environment alone, with all extras but the GPU's

lint: $(VENV)/.all
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/mypy

format: $(VENV)/.all
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)

verify: $(VENV)/.all  ## every recipe at full length against its target (slow)
	$(BIN)/python -m pytest -m slow

benchmark: $(VENV)/.all  ## side by side with its peers; run it on an idle machine
	$(BIN)/python -m benchmarks.peers

pins: $(VENV)/.all  ## write the installed versions into constraints.txt
	$(BIN)/python -m pip freeze --exclude-editable --exclude dlzoo > constraints.txt

clean:
	rm -rf $(VENV) build *.egg-info

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "dlzoo needs Python 3.11, 3.12 or 3.13: none found (set PYTHON=...)"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) --editable .
	@touch $@

$(VENV)/.all: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) --editable ".[export,serve,dev]"
	@touch $@ $(VENV)/.core
