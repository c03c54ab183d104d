# Everything happens in .venv; `make demo` and `make test` are all a newcomer needs.
PYTHON ?= python3
BIN := .venv/bin
SHELL := /bin/bash

.PHONY: help demo test test-extras check format install clean
help:
	@echo "make demo    set up, train SGD against SAM on a small real problem, show the table"
	@echo "make test    set up, check the code, run the tests"
	@echo "make test-extras  the same for the extras: Ray, Slurm where it is installed, trackers, Optuna, a browser, texts, timm, ONNX"
	@echo "make check   formatting, lint and types only"
	@echo "make format  format the code, sort imports, mend what ruff can mend"
	@echo "make clean   remove the virtual environment"

# pip older than 25.1 does not know --group
$(BIN)/samcli: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "samcli needs Python 3.11 or newer; name one with: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

.venv/dev: $(BIN)/samcli
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@

# torchattacks, an oracle, without its bound on requests, which would take an old one from all others
.venv/extras: .venv/dev
	$(BIN)/python -m pip install --quiet --editable '.[ray,slurm,trackers,tune,parquet,text,timm,onnx]' \
		--group browser --group onnxruntime --group webdataset
	$(BIN)/python -m pip install --quiet --no-deps 'torchattacks==3.5.1'
	@touch $@

install: $(BIN)/samcli

demo: $(BIN)/samcli
	$(BIN)/samcli train

check: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: .venv/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: check
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

# one after the other: each starts a cluster
test-extras: .venv/extras
	$(BIN)/python -m pytest --numprocesses 0 --durations 5 -rs tests/extras

clean:
	rm -rf .venv
